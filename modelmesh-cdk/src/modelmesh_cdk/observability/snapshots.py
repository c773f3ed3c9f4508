"""Snapshots of records for a later write: copies of the parts that a caller may still change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import asdict, evolve, has

from modelmesh.contracts.observability import RequestLogEntry, RoutingEvent, TraceEntry

_IMMUTABLE = frozenset({str, int, float, bool, bytes, type(None)})
_NUMBERS = _IMMUTABLE - {str, bytes}


class Snapshot:
    """A record as it was when the snapshot was made.

    Attributes:
        chars: Characters of the request and the answer in the record.
    """

    __slots__ = ("_parts", "_record", "chars")

    def __init__(self, record: Any) -> None:
        """Copy the mutable parts. The record itself is immutable."""
        sizes: list[int] = []
        self._record = record
        self._parts: dict[str, Any] = {}
        if isinstance(record, RequestLogEntry):
            if record.attempts:
                self._parts["attempts"] = copy_plain(record.attempts)
            if record.request_payload is not None:
                self._parts["request_payload"] = copy_plain(record.request_payload, sizes)
            if record.response_payload is not None:
                self._parts["response_payload"] = copy_plain(record.response_payload, sizes)
        elif isinstance(record, RoutingEvent | TraceEntry) and record.metadata:
            self._parts["metadata"] = copy_plain(record.metadata)
        self.chars = sum(sizes)

    def restore(self) -> Any:
        """Return the record."""
        return evolve(self._record, **self._parts) if self._parts else self._record


def copy_plain(value: Any, sizes: list[int] | None = None) -> Any:
    """Return a copy of dictionaries, lists and tuples. A value of another type, which may be mutable, becomes its text.

    Args:
        value: The value.
        sizes: Receives the lengths of the texts.
    """
    kind = value.__class__
    if kind is str and sizes is not None:
        sizes.append(len(value))
        return value
    if kind in _IMMUTABLE:
        return value
    kept = _IMMUTABLE if sizes is None else _NUMBERS  # such items need no call
    if isinstance(value, tuple):
        return tuple([copy_plain(item, sizes) for item in value])
    if isinstance(value, list):
        return [copy_plain(item, sizes) for item in value]
    if kind is dict or isinstance(value, Mapping):
        return {key: item if item.__class__ in kept else copy_plain(item, sizes) for key, item in value.items()}
    if has(kind):
        return copy_plain(asdict(value), sizes)
    return value if isinstance(value, str | int | float) else str(value)
