"""Observability that hears nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh.contracts.observability import AggregateStats, RequestLogEntry, RoutingEvent, TraceEntry


class NullObservability:
    """The default: discards everything, and the mesh does not even make the values."""

    id = "modelmesh.null.v1"

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        """Take no configuration."""

    @classmethod
    def known_settings(cls) -> frozenset[str]:
        """Return the settings that this sink reads: none."""
        return frozenset()

    def emit(self, event: RoutingEvent) -> None:
        """Discard."""

    def log(self, entry: RequestLogEntry) -> None:
        """Discard."""

    def flush(self, stats: Mapping[str, AggregateStats]) -> None:
        """Discard."""

    def trace(self, entry: TraceEntry) -> None:
        """Discard."""
