"""File format: readable JSON with the data by key and a checksum."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

FORMAT = 1
"""Version of the format. A new number means that older versions cannot read the file."""


class DamagedError(ValueError):
    """The content of a file differs from what was written.

    Attributes:
        ending: Ending of the file's name in quarantine.
    """

    ending = "corrupt"


class NewerError(DamagedError):
    """A later version wrote the file."""

    ending = "newer"


def encode(blobs: Mapping[str, bytes]) -> bytes:
    """Return the content of a file with the given data. UTF-8 data is written as text, other data as base64."""
    entries = {key: _to_json(blobs[key]) for key in sorted(blobs)}
    written = {"format": FORMAT, "sha256": _digest(FORMAT, entries), "entries": entries}
    return json.dumps(written, ensure_ascii=False, indent=1).encode() + b"\n"


def decode(data: bytes) -> dict[str, bytes]:
    """Return the data in a file.

    Raises:
        DamagedError: The file was truncated or changed.
        NewerError: A later version wrote the file.
    """
    try:
        written = json.loads(data)
        form, entries = written["format"], written["entries"]
        intact = written["sha256"] == _digest(form, entries)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        message = f"it is not a file of this store, or it was truncated ({type(error).__name__})"
        raise DamagedError(message) from None
    if not intact:
        message = "its checksum does not match its content"
        raise DamagedError(message)
    if form != FORMAT:
        message = f"a later version wrote it (format {form}, this one reads {FORMAT})"
        raise NewerError(message)
    return {key: _from_json(value) for key, value in entries.items()}


def _to_json(blob: bytes) -> Any:
    try:
        return blob.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(blob).decode()}


def _from_json(value: Any) -> bytes:
    return value.encode() if isinstance(value, str) else base64.b64decode(value["base64"])


def _digest(form: Any, entries: Any) -> str:
    return sha256(json.dumps([form, entries], sort_keys=True, separators=(",", ":")).encode()).hexdigest()
