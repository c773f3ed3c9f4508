"""What can stand in a header."""

from __future__ import annotations

import re

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def unsendable(value: str, name: str = "X") -> str | None:
    """Say why a header cannot be sent, without showing its value, which may be a key.

    Returns:
        The rest of a sentence that begins with what it is about; ``None`` when it can be sent.
    """
    if any(mark in f"{name}{value}" for mark in "\r\n\0"):
        return "holds a line break"
    if not _NAME.fullmatch(name):
        return "has a name that no header has; names are letters, digits and hyphens"
    if not value.isascii():
        return "holds a character that is not ASCII"
    return "begins or ends with a space" if value != value.strip() else None
