"""Publication of events, log entries and statistics to sinks and hook plugins.

Everything is published after the reply is ready, and only where a subscriber exists.
"""

from __future__ import annotations

import inspect
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from attrs import evolve, field, frozen

from modelmesh._engine.plugins import attribution
from modelmesh._engine.telemetry.payloads import DetailLevel, reduce_payloads, without_payloads
from modelmesh.contracts.observability import (
    AggregateStats,
    EventType,
    Observability,
    RequestLogEntry,
    RoutingEvent,
    TraceEntry,
)

_log = logging.getLogger("modelmesh.events")

EVENT_GROUPS: Mapping[str, tuple[EventType, ...]] = {
    "rotation": (EventType.MODEL_ROTATED,),
    "deactivation": (EventType.MODEL_DEACTIVATED, EventType.PROVIDER_DEACTIVATED),
    "recovery": (EventType.MODEL_ACTIVATED, EventType.PROVIDER_RECOVERED),
    "health": (EventType.PROVIDER_HEALTH_CHANGED,),
}
"""Names that an event filter may use for several event types."""


class SinkRole(StrEnum):
    """Kind of record that a sink receives."""

    ROUTING = "routing"
    LOGGING = "logging"
    STATISTICS = "statistics"
    TRACING = "tracing"


def event_types(names: Sequence[str] | None) -> frozenset[str] | None:
    """Return the event types of a filter with its groups expanded, ``None`` for all."""
    if not names:
        return None
    return frozenset(event for name in names for event in EVENT_GROUPS.get(name, (name,)))


@frozen
class Sink:
    """One observability connector and what it receives.

    Attributes:
        target: The connector.
        roles: Kinds of records.
        events: Event types, ``None`` for all.
        level: How much of a request it receives.
        max_payload_size: Characters of a payload at level ``summary``.
        include_metadata: Whether routing events contain their metadata.
    """

    target: Observability
    roles: frozenset[str] = frozenset(SinkRole)
    events: frozenset[str] | None = None
    level: DetailLevel = DetailLevel.METADATA
    max_payload_size: int = 512
    include_metadata: bool = True


@frozen
class Emitter:
    """Subscribers of one mesh.

    Attributes:
        sinks: Configured connectors.
        listeners: Hook plugins, as ``(hook, function)``.
        watchers: Functions that receive events and finished requests while a live view is open.
        exceptions: Number of exceptions, by subscriber.
    """

    sinks: tuple[Sink, ...] = ()
    listeners: tuple[tuple[str, Callable[..., Any]], ...] = ()
    watchers: list[Callable[[RoutingEvent | RequestLogEntry], None]] = field(factory=list)
    exceptions: Counter[str] = field(factory=Counter)

    @property
    def failures(self) -> Counter[str]:
        """Number of records that a subscriber failed to accept or to write, by subscriber."""
        return self.exceptions + self._counts("failed_records")

    @property
    def drops(self) -> Counter[str]:
        """Number of records that a sink dropped because its queue was full, by sink."""
        return self._counts("dropped_records")

    @property
    def has_subscribers(self) -> bool:
        """Whether there is a sink, a hook plugin or a watcher."""
        return bool(self.sinks or self.listeners or self.watchers)

    @property
    def needs_payloads(self) -> bool:
        """Whether a sink receives requests and answers."""
        return any(sink.level != DetailLevel.METADATA for sink in self.sinks)

    @property
    def needs_statistics(self) -> bool:
        """Whether a sink receives statistics."""
        return any(SinkRole.STATISTICS in sink.roles and hasattr(sink.target, "flush") for sink in self.sinks)

    def emit(self, event: RoutingEvent) -> None:
        """Publish a routing event."""
        for sink in self.sinks:
            if SinkRole.ROUTING in sink.roles and (sink.events is None or event.event_type in sink.events):
                self._notify(sink.target.emit, event if sink.include_metadata else evolve(event, metadata={}))
        self._notify_hooks("modelmesh_routing_event", event)
        for watcher in tuple(self.watchers):
            self._notify(watcher, event)

    def log(self, entry: RequestLogEntry) -> None:
        """Publish a finished request."""
        for sink in self.sinks:
            if SinkRole.LOGGING in sink.roles:
                self._notify(sink.target.log, reduce_payloads(entry, sink.level, sink.max_payload_size))
        self._notify_hooks("modelmesh_request_finished", without_payloads(entry))
        for watcher in tuple(self.watchers):
            self._notify(watcher, without_payloads(entry))

    def flush(self, stats: Mapping[str, AggregateStats]) -> None:
        """Publish the statistics since the last flush."""
        for sink in self.sinks:
            flush = getattr(sink.target, "flush", None)
            if SinkRole.STATISTICS in sink.roles and flush is not None:
                self._notify(flush, stats)

    def trace(self, entry: TraceEntry) -> None:
        """Publish a trace entry."""
        for sink in self.sinks:
            if SinkRole.TRACING in sink.roles:
                trace = getattr(sink.target, "trace", None)
                if trace is not None:
                    self._notify(trace, entry)

    def close(self) -> None:
        """Close every sink, so that it writes what it has buffered."""
        for sink in self.sinks:
            close = getattr(sink.target, "close", None)
            if close is not None:
                self._notify(close)

    def _counts(self, name: str) -> Counter[str]:
        """Return a count of every sink that writes in the background. Other sinks have no such attribute."""
        counts: Counter[str] = Counter()
        for sink in self.sinks:
            count = getattr(sink.target, name, 0)
            if count:
                counts[sink.target.id] += count
        return counts

    def _notify_hooks(self, hook: str, value: Any) -> None:
        for name, function in self.listeners:
            if name == hook:
                self._notify(function, value)

    def _notify(self, function: Callable[..., Any], *values: Any) -> None:
        """Call a subscriber. An exception is counted, and the first one of each subscriber is logged."""
        try:
            result = function(*values)
            if result is not None and inspect.iscoroutine(result):
                result.close()
                message = "a coroutine, which is never awaited: the methods of a sink are plain functions"
                raise TypeError(message)
        except Exception as error:  # noqa: BLE001 - a broken sink must neither fail a request nor silence the next
            self._count_failure(function, error)

    def _count_failure(self, function: Callable[..., Any], error: Exception) -> None:
        owner = getattr(function, "__self__", function)
        name = str(getattr(owner, "id", None) or getattr(function, "__qualname__", owner))
        self.exceptions[name] += 1
        if self.exceptions[name] > 1:
            return
        if owner is function:
            place = attribution.locate_exception(error, module=function.__module__) or attribution.locate_definition(function)
        else:
            place = attribution.locate_exception(error, owner) or attribution.locate_method(owner, function.__name__)
        _log.warning("%s (%s) raised %s; further failures are only counted", name, place, attribution.summarize(error, owner))
