"""What can stand in a header."""

from __future__ import annotations

import re

FRAMING = frozenset(
    {
        "connection", "content-encoding", "content-length", "expect", "host", "keep-alive", "proxy-authorization",
        "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
    }
)  # fmt: skip
"""Headers that say how a message travels (RFC 9110, 7.6.1, and RFC 9112, 6): the transport alone writes them."""

CREDENTIALS = frozenset({"authorization", "api-key", "x-api-key", "x-goog-api-key"})
"""Headers that hold a key."""

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def unsendable(value: str, name: str = "X") -> str | None:
    """Say why a header cannot be sent, without showing its value, which may be a key.

    Returns:
        The rest of a sentence that begins with what it is about; ``None`` when it can be sent.
    """
    if any(mark in f"{name}{value}" for mark in "\r\n\0"):
        return "holds a line break"
    if _CONTROL.search(value):
        return "holds a control character"
    if name.lower() in FRAMING:
        return "says how the message travels, which only the transport may say"
    if not _NAME.fullmatch(name):
        return "has a name that no header has; names are letters, digits and hyphens"
    if not value.isascii():
        return "holds a character that is not ASCII"
    return "begins or ends with a space" if value != value.strip() else None
