"""Null sink, the default of observability."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh.contracts.observability import AggregateStats, RequestLogEntry, RoutingEvent, TraceEntry


class NullObservability:
    """Sink that discards everything. The mesh creates no event objects for it."""

    id = "modelmesh.null.v1"

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        """Accept and ignore a configuration."""

    @classmethod
    def known_settings(cls) -> frozenset[str]:
        """Return the settings that this sink reads: none."""
        return frozenset()

    def emit(self, event: RoutingEvent) -> None:
        """Discard the value."""

    def log(self, entry: RequestLogEntry) -> None:
        """Discard the value."""

    def flush(self, stats: Mapping[str, AggregateStats]) -> None:
        """Discard the value."""

    def trace(self, entry: TraceEntry) -> None:
        """Discard the value."""
