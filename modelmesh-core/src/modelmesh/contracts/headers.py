"""Validation of HTTP header names and values."""

from __future__ import annotations

import re

FRAMING = frozenset(
    {
        "connection", "content-encoding", "content-length", "expect", "host", "keep-alive", "proxy-authorization",
        "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
    }
)  # fmt: skip
"""Framing headers (RFC 9110, 7.6.1, and RFC 9112, 6). Only the transport writes them."""

CREDENTIALS = frozenset({"authorization", "api-key", "x-api-key", "x-goog-api-key"})
"""Headers that contain a key."""

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def unsendable(value: str, name: str = "X") -> str | None:
    """Return why a header cannot be sent, ``None`` if it can. The reason does not contain the value, which may be a key.

    Returns:
        A predicate for the caller's sentence, e.g. ``contains a line break``.
    """
    if any(mark in f"{name}{value}" for mark in "\r\n\0"):
        return "contains a line break"
    if _CONTROL.search(value):
        return "contains a control character"
    if name.lower() in FRAMING:
        return "is a framing header, which only the transport sets"
    if not _NAME.fullmatch(name):
        return "has an invalid name: header names consist of letters, digits and hyphens"
    if not value.isascii():
        return "contains a character that is not ASCII"
    return "begins or ends with a space" if value != value.strip() else None
