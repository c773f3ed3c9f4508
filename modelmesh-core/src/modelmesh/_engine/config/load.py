"""Reading of a YAML or JSON file to plain data, with the position of every key."""

from __future__ import annotations

import json
import os
import re
import stat
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from modelmesh._engine.config.secret_masking import MAX_DEPTH
from modelmesh._engine.config.source_map import SourceMap
from modelmesh._engine.config.syntax_hints import json_hint, yaml_hint
from modelmesh._engine.config.yaml_builder import DocumentBuilder
from modelmesh.errors import ConfigurationError

MAX_BYTES = 256 * 1024
"""Maximum size of a configuration. A larger file is an attack or a mistake."""

_BREAKS = re.compile("[\x7f-\x9f\u2028\u2029\ufeff](?<!^\ufeff)")
"""Characters that JSON allows in strings and YAML treats as line breaks or rejects."""


def load_file(path: str) -> tuple[Any, SourceMap]:
    """Read a configuration file.

    Args:
        path: A YAML file, or a JSON file when it ends in ``.json``.

    Returns:
        The data, and the position of every key.

    Raises:
        ConfigurationError: The file is missing, too large, or not valid.
    """
    try:
        text = _read(path).decode("utf-8")
    except ConfigurationError:
        raise  # has its position already, and is a ValueError too
    except (OSError, ValueError, RuntimeError) as error:
        if isinstance(error, UnicodeDecodeError):
            message = f"{path}: is not UTF-8 text (byte {error.start}). Save it as UTF-8."
        else:
            why = (error.strerror if isinstance(error, OSError) else None) or str(error)
            message = f"{ascii(path) if _has_unprintable(path) else path}: cannot be read: {why}. Check the path."
        raise ConfigurationError(message, where=path) from None
    return load_text(text, path)


def _read(path: str) -> bytes:
    """Read a file up to the size limit. Pipes and devices do not state their size."""
    file = Path(path).expanduser()
    descriptor = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    try:
        is_pipe = stat.S_ISFIFO(os.fstat(descriptor).st_mode)
        if is_pipe:
            os.set_blocking(descriptor, True)
        found = bytearray()
        while len(found) <= MAX_BYTES and (piece := os.read(descriptor, MAX_BYTES + 1 - len(found))):
            found += piece
    finally:
        os.close(descriptor)
    if len(found) > MAX_BYTES:
        message = f"{path}: larger than {MAX_BYTES:,} bytes, the limit for a configuration. Is it the right file?"
        raise ConfigurationError(message, where=path)
    if is_pipe and not found:
        message = f"{path}: the pipe is empty. Open it for writing before it is read."
        raise ConfigurationError(message, where=path)
    return bytes(found)


def _has_unprintable(path: str) -> bool:
    """Return whether a path contains characters that a terminal cannot show."""
    return not path.isprintable()


def load_text(text: str, name: str) -> tuple[Any, SourceMap]:
    """Read YAML or JSON text. ``name`` appears in messages."""
    if name.endswith(".json"):
        _check_json(text, name)
        text = text.replace("\t", " ")  # JSON allows tabs as indentation, but not in strings
        text = _BREAKS.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
    builder = DocumentBuilder(name)
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            builder.add_event(event)
    except ConfigurationError:
        raise  # has its position already, and is a ValueError too
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        if mark and error.context_mark and mark.line >= len(text.splitlines()):
            mark = error.context_mark  # the unclosed bracket is more useful than the end of the file
        where = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
        message = f"{where}: not valid YAML: {error.problem or error.context}. {yaml_hint(text, mark, error)}"
        raise ConfigurationError(message, where=where) from None
    except (YAMLError, ValueError, RecursionError) as error:
        message = f"{name}: not valid YAML: {error}. Compare it with the example: modelmesh check --help"
        raise ConfigurationError(message, where=name) from None
    return builder.result, SourceMap(name, builder.positions)


def _check_json(text: str, name: str) -> None:
    """Reject text that is valid YAML, but not JSON. The YAML reader then provides the positions.

    Raises:
        ConfigurationError: The text is not valid JSON.
    """
    if not text.removeprefix("\ufeff").strip():
        return  # an empty file is an empty configuration
    try:
        json.loads(text.removeprefix("\ufeff"), strict=False)
    except json.JSONDecodeError as error:
        where = f"{name}:{error.lineno}:{error.colno}"
        message = f"{where}: not valid JSON: {error.msg}. {json_hint(text.removeprefix(chr(0xFEFF)), error)}"
        raise ConfigurationError(message, where=where) from None
    except RecursionError:
        message = f"{name}: nested more than {MAX_DEPTH} deep."
        raise ConfigurationError(message, where=name) from None
    except ValueError:
        return  # an integer with more digits than Python converts, which the YAML reader handles
