"""Memory of decoded JSON, estimated from its bytes. One megabyte of ``[],[],`` becomes twenty megabytes of objects.

A limit on bytes does not bound that memory. The estimate counts brackets, braces, separators and quotes at the object sizes of
CPython 3.11 on a 64-bit machine (measured 2026-11-30). It takes milliseconds where decoding takes seconds.
"""

from __future__ import annotations

import re

MIB = 1024 * 1024

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
_KEYS, _KEY = 8, 100
"""Names of a map that its own size contains, on average, and the size of each further name: the names of a large map differ."""

_STRING = re.compile(
    rb'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)', re.DOTALL
)  # also ends at the end of the data, so that the search is linear


def exceeds_memory(data: bytes, *, numbers: bool = False) -> bool:
    """Return whether decoded JSON takes more memory than in proportion to its bytes.

    Args:
        data: The JSON.
        numbers: Whether it contains many numbers, each of which takes several times its digits.
    """
    if len(data) < SMALL:
        return False
    limit = min(_FREE + len(data) * _TIMES_NUMBERS, _MOST) if numbers else _FREE + len(data) * _TIMES
    most = _estimate(data)
    if most <= limit:
        return False
    names = data.count(b'":')
    if most - _TEXT * names + _of_names(names, data.count(b"{")) <= limit:  # a repeated name of a map is one object
        return False
    return _exceeds(data, limit)


def _of_names(names: int, maps: int) -> int:
    return _KEY * max(0, names - _KEYS * maps)


def _exceeds(data: bytes, limit: int) -> bool:
    """Return whether the JSON exceeds a limit, without the brackets and commas in its texts. Copies nothing."""
    total = last = names = maps = 0
    for text in _STRING.finditer(data):
        start, end = text.span()
        is_name = data.startswith(b":", end)
        names += is_name
        maps += data.count(b"{", last, start)
        total += _between(data, last, start) + (0 if is_name else _TEXT)
        if total + _of_names(names, maps + 1) > limit:
            return True
        last = end
    return total + _between(data, last, len(data)) + _of_names(names, maps) > limit


def _between(data: bytes, start: int, end: int) -> int:
    count = data.count
    return _LIST * count(b"[", start, end) + _MAP * count(b"{", start, end) + _VALUE * count(b",", start, end)


def _estimate(data: bytes) -> int:
    """Return the memory of decoded JSON, with each name of a map as a text of its own."""
    maps = _count(data, b"{")
    parts = _LIST * _count(data, b"[") + _MAP * maps + _VALUE * _count(data, b",")
    texts = _count(data, b'"') // 2
    return parts + _TEXT * texts + _of_names(texts, maps)


def _count(data: bytes, letter: bytes) -> int:
    """Return the number of occurrences. Embeddings in base64 have few of them in many bytes."""
    found, at, find = 0, -1, data.find
    for _ in range(len(data) // _SPARSE):
        at = find(letter, at + 1)
        if at < 0:
            return found
        found += 1
    return found + data.count(letter, at + 1)
