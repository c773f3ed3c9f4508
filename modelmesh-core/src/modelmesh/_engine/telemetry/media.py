"""Removal of files and encoded media from the payloads of log entries."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from modelmesh.contracts.files import FileUpload

_LONG = 256
"""Characters of the shortest text that may be encoded media."""

_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}\s*")


def without_media(value: Any) -> Any:
    """Return a payload with a note in place of each file, of bytes, and of text that is encoded media.

    Args:
        value: The payload, which is not changed. A payload without media is returned as it is.
    """
    if isinstance(value, str):
        return _without_base64(value)
    if isinstance(value, Mapping):
        kept = {name: without_media(one) for name, one in value.items()}
        return kept if any(kept[name] is not value[name] for name in kept) else value
    if isinstance(value, list | tuple):
        items = [without_media(one) for one in value]
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    if isinstance(value, FileUpload):
        return f"<file {value.filename!r}, {value.size} bytes, {value.content_type}>"
    if isinstance(value, bytes | bytearray | memoryview):
        return f"<{len(value)} bytes>"
    return value


def _without_base64(text: str) -> str:
    if text.startswith("data:") and ";base64," in text[:_LONG]:
        head, _, data = text.partition(",")
        return f"<{head}, {len(data)} characters>"
    if len(text) < _LONG or _BASE64.fullmatch(text[:_LONG]) is None:
        return text
    return f"<{len(text)} characters of base64>" if _BASE64.fullmatch(text) else text
