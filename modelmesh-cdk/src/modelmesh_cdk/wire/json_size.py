"""Memory of decoded JSON, estimated from its bytes. One megabyte of ``[],[],`` becomes twenty megabytes of objects.

A limit on bytes does not bound that memory. The estimate counts brackets, braces, separators and quotes at the object sizes of
CPython 3.11 on a 64-bit machine (measured 2026-11-30). It takes milliseconds where decoding takes seconds.
"""

from __future__ import annotations

import re

from modelmesh_cdk.wire.limits import MIB, TooLargeError

SMALL = 64 * 1024
"""Bytes of JSON that are decoded without an estimate, because they cannot contain much."""

_FREE = 32 * MIB
_TIMES = 2
"""Decoded bytes for each byte of JSON, in addition to ``_FREE``."""

_MOST = 1024 * MIB
_TIMES_NUMBERS = 8
"""Decoded bytes for each byte of responses with many numbers: embeddings, or log probabilities."""

_SPARSE = 256
"""Bytes for each occurrence from which on a search for the next one is faster than a count, which reads byte by byte."""

_LIST, _MAP, _VALUE, _TEXT = 64, 184, 32, 50
_STRING = re.compile(
    rb'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)', re.DOTALL
)  # also ends at the end of the data, so that the search is linear


def check_size(data: bytes, *, numbers: bool = False) -> None:
    """Check that decoded JSON takes memory in proportion to its bytes.

    Args:
        data: The JSON.
        numbers: Whether the response contains many numbers, each of which takes several times its digits.

    Raises:
        TooLargeError: The decoded JSON would take more memory.
    """
    if len(data) < SMALL:
        return
    limit = min(_FREE + len(data) * _TIMES_NUMBERS, _MOST) if numbers else _FREE + len(data) * _TIMES
    most = _estimate(data)
    if most <= limit or most - _TEXT * data.count(b'":') <= limit:  # a repeated name of a map is one object
        return
    if _exceeds(data, limit):
        message = "its JSON is made of so many small parts that it cannot be decoded within the memory of an answer"
        raise TooLargeError(message)


def _exceeds(data: bytes, limit: int) -> bool:
    """Return whether the JSON exceeds a limit, without the brackets and commas in its texts. Copies nothing."""
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
    """Return the memory of decoded JSON, with each name of a map as a text of its own."""
    parts = _LIST * _count(data, b"[") + _MAP * _count(data, b"{") + _VALUE * _count(data, b",")
    return parts + _TEXT * (_count(data, b'"') // 2)


def _count(data: bytes, letter: bytes) -> int:
    """Return the number of occurrences. Embeddings in base64 have few of them in many bytes."""
    found, at, find = 0, -1, data.find
    for _ in range(len(data) // _SPARSE):
        at = find(letter, at + 1)
        if at < 0:
            return found
        found += 1
    return found + data.count(letter, at + 1)
