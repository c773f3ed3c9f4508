"""How much memory JSON takes once decoded, from its bytes: a megabyte of ``[],[],`` becomes twenty of objects.

Limits on bytes alone do not bound it. The estimate counts what makes an object: brackets, braces, separators and quotes, each at
the size that CPython 3.11 gives it on a 64-bit machine (measured 2026-11-30). It takes milliseconds where decoding takes seconds.
"""

from __future__ import annotations

import re

from modelmesh_cdk.wire.limits import MIB, TooLargeError

_SMALL = 64 * 1024
"""Bytes of JSON that are decoded without a look: they cannot hold much."""

_FREE = 32 * MIB
_TIMES = 2
"""Decoded bytes for each byte of JSON, beyond the free ones."""

_MOST = 1024 * MIB
_TIMES_NUMBERS = 8
"""The same where the caller asked for many numbers: embeddings, or log probabilities."""

_LIST, _MAP, _VALUE, _TEXT = 64, 184, 32, 50
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)', re.DOTALL)  # ends at the end too, so that it is linear


def check_size(data: bytes, *, numbers: bool = False) -> None:
    """Check that decoding some JSON takes memory in proportion to its bytes.

    Args:
        data: The JSON.
        numbers: Whether the caller asked for many numbers, each of which takes several times its digits.

    Raises:
        TooLargeError: It would take more.
    """
    if len(data) < _SMALL:
        return
    limit = min(_FREE + len(data) * _TIMES_NUMBERS, _MOST) if numbers else _FREE + len(data) * _TIMES
    if _estimate(data) <= limit:
        return
    if _exceeds(data, limit):
        message = "its JSON is made of so many small parts that it cannot be decoded within the memory of an answer"
        raise TooLargeError(message)


def _exceeds(data: bytes, limit: int) -> bool:
    """Return whether the JSON takes more than a limit, without the brackets and commas within its texts. Copies nothing."""
    total = last = 0
    for text in _STRING.finditer(data):
        start, end = text.span()
        total += _between(data, last, start) + (0 if data.startswith(b":", end) else _TEXT)
        if total > limit:
            return True
        last = end
    return total + _between(data, last, len(data)) > limit


def _between(data: bytes, start: int, end: int) -> int:
    count = data.count
    return _LIST * count(b"[", start, end) + _MAP * count(b"{", start, end) + _VALUE * count(b",", start, end)


def _estimate(data: bytes) -> int:
    count = data.count
    texts = count(b'"') // 2 - count(b'":')  # the names of a map are one object each, however often they come
    return _LIST * count(b"[") + _MAP * count(b"{") + _VALUE * count(b",") + _TEXT * max(texts, 0)
