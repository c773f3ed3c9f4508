"""What is in a file: blobs by key as JSON that a person can read, and a checksum over all of it."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

FORMAT = 1
"""Grows when an older version could no longer read what is written."""


class DamagedError(ValueError):
    """A file does not hold what was written to it."""

    ending = "corrupt"


class NewerError(DamagedError):
    """A later version wrote a file."""

    ending = "newer"


def encoded(blobs: Mapping[str, bytes]) -> bytes:
    """Return what a file with these blobs holds; each as text where it is text."""
    entries = {key: _shown(blobs[key]) for key in sorted(blobs)}
    written = {"format": FORMAT, "sha256": _digest(FORMAT, entries), "entries": entries}
    return json.dumps(written, ensure_ascii=False, indent=1).encode() + b"\n"


def decoded(data: bytes) -> dict[str, bytes]:
    """Read a file back.

    Raises:
        DamagedError: It was cut or changed.
        NewerError: A later version wrote it.
    """
    try:
        written = json.loads(data)
        form, entries = written["format"], written["entries"]
        whole = written["sha256"] == _digest(form, entries)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        message = f"it is no file of this store, or was cut ({type(error).__name__})"
        raise DamagedError(message) from None
    if not whole:
        message = "its checksum is not that of what it holds"
        raise DamagedError(message)
    if form != FORMAT:
        message = f"a later version wrote it (format {form}, this one reads {FORMAT})"
        raise NewerError(message)
    return {key: _blob(shown) for key, shown in entries.items()}


def _shown(blob: bytes) -> Any:
    try:
        return blob.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(blob).decode()}


def _blob(shown: Any) -> bytes:
    return shown.encode() if isinstance(shown, str) else base64.b64decode(shown["base64"])


def _digest(form: Any, entries: Any) -> str:
    return sha256(json.dumps([form, entries], sort_keys=True, separators=(",", ":")).encode()).hexdigest()
