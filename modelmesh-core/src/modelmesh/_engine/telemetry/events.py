"""Telling sinks and plugins what happened, after the reply is ready and only when somebody listens."""

from __future__ import annotations

import inspect
import json
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import evolve, field, frozen

from modelmesh._engine.plugins import attribution
from modelmesh.contracts.observability import AggregateStats, Observability, RequestLogEntry, RoutingEvent, TraceEntry

_log = logging.getLogger("modelmesh.events")

GROUPS = {
    "rotation": ("model_rotated",),
    "deactivation": ("model_deactivated", "provider_deactivated"),
    "recovery": ("model_activated", "provider_recovered"),
    "health": ("provider_health_changed",),
}
"""Names that a filter may use for several event types."""


def expand(names: Sequence[str] | None) -> frozenset[str] | None:
    """Return the event types that a filter lets through, ``None`` for all."""
    if not names:
        return None
    return frozenset(event for name in names for event in GROUPS.get(name, (name,)))


@frozen
class Sink:
    """One observability connector and what it is told.

    Attributes:
        target: The connector.
        roles: Of ``routing``, ``logging``, ``statistics``, ``tracing``.
        events: Event types that pass, ``None`` for all.
        level: How much of a request it is shown: ``metadata``, ``summary``, ``full``.
        max_payload_size: Characters of a payload at level ``summary``.
        include_metadata: Whether routing events carry their metadata.
    """

    target: Observability
    roles: frozenset[str] = frozenset({"routing", "logging", "statistics", "tracing"})
    events: frozenset[str] | None = None
    level: str = "metadata"
    max_payload_size: int = 512
    include_metadata: bool = True


@frozen
class Emitter:
    """Everybody who listens to one mesh.

    Attributes:
        sinks: Configured connectors.
        listeners: Hook plugins, as ``(hook, function)``.
        failures: How often each raised.
    """

    sinks: tuple[Sink, ...] = ()
    listeners: tuple[tuple[str, Callable[..., Any]], ...] = ()
    failures: Counter[str] = field(factory=Counter)

    @property
    def listening(self) -> bool:
        """Whether anybody does."""
        return bool(self.sinks or self.listeners)

    @property
    def shows_payloads(self) -> bool:
        """Whether anybody is shown what was asked and answered."""
        return any(sink.level != "metadata" for sink in self.sinks)

    def emit(self, event: RoutingEvent) -> None:
        """Tell of a routing event."""
        for sink in self.sinks:
            if "routing" in sink.roles and (sink.events is None or event.event_type in sink.events):
                self._guarded(sink.target.emit, event if sink.include_metadata else evolve(event, metadata={}))
        self._hooks("modelmesh_routing_event", event)

    def log(self, entry: RequestLogEntry) -> None:
        """Tell of a finished request."""
        for sink in self.sinks:
            if "logging" in sink.roles:
                self._guarded(sink.target.log, _at_level(entry, sink))
        self._hooks("modelmesh_request_finished", _bare(entry))

    @property
    def counting(self) -> bool:
        """Whether anybody is handed counts."""
        return any("statistics" in sink.roles and hasattr(sink.target, "flush") for sink in self.sinks)

    def flush(self, stats: Mapping[str, AggregateStats]) -> None:
        """Hand on the counts since the last time."""
        for sink in self.sinks:
            told = getattr(sink.target, "flush", None)
            if "statistics" in sink.roles and told is not None:
                self._guarded(told, stats)

    def trace(self, entry: TraceEntry) -> None:
        """Tell of a step."""
        for sink in self.sinks:
            if "tracing" in sink.roles:
                told = getattr(sink.target, "trace", None)
                if told is not None:
                    self._guarded(told, entry)

    def close(self) -> None:
        """Let every sink write what it still holds."""
        for sink in self.sinks:
            close = getattr(sink.target, "close", None)
            if close is not None:
                self._guarded(close)

    def _hooks(self, hook: str, value: Any) -> None:
        for name, told in self.listeners:
            if name == hook:
                self._guarded(told, value)

    def _guarded(self, told: Callable[..., Any], *values: Any) -> None:
        try:
            answer = told(*values)
            if inspect.iscoroutine(answer):
                answer.close()
                message = "a coroutine, which nobody awaits: a sink's methods are plain functions"
                raise TypeError(message)
        except Exception as error:  # noqa: BLE001 - a broken sink must neither fail a request nor silence the next
            owner = getattr(told, "__self__", told)
            name = str(getattr(owner, "id", None) or getattr(told, "__qualname__", owner))
            self.failures[name] += 1
            if self.failures[name] == 1:
                place = (
                    attribution.locate_exception(error, owner)
                    if owner is not told
                    else attribution.locate_exception(error, module=told.__module__)
                )
                at = place or (
                    attribution.locate_definition(told) if owner is told else attribution.locate_method(owner, told.__name__)
                )
                _log.warning(
                    "%s (%s) raised %s; further failures are only counted", name, at, attribution.summarize(error, owner)
                )


def _bare(entry: RequestLogEntry) -> RequestLogEntry:
    if entry.request_payload is None and entry.response_payload is None:
        return entry
    return _with_payloads(entry, None, None)


def _at_level(entry: RequestLogEntry, sink: Sink) -> RequestLogEntry:
    if sink.level == "full":
        return entry
    if sink.level == "metadata":
        return _bare(entry)
    return _with_payloads(
        entry, _cut(entry.request_payload, sink.max_payload_size), _cut(entry.response_payload, sink.max_payload_size)
    )


def _cut(payload: Any, most: int) -> Any:
    """Return a payload of which the JSON text has at most so many characters: its texts are shortened, else it is cut as text."""
    if payload is None:
        return None
    if isinstance(payload, str):
        return payload if len(payload) <= most else payload[:most] + "…"
    text = _json(payload)
    if len(text) <= most:
        return payload
    fits, too_long = -1, most
    while too_long - fits > 1:
        middle = (fits + too_long) // 2
        if len(_json(_shortened(payload, middle))) <= most:
            fits = middle
        else:
            too_long = middle
    return text[:most] + "…" if fits < 0 else _shortened(payload, fits)


def _shortened(value: Any, most: int) -> Any:
    if isinstance(value, str):
        return value if len(value) <= most else value[:most] + "…"
    if isinstance(value, Mapping):
        return {key: _shortened(item, most) for key, item in value.items()}
    return [_shortened(item, most) for item in value] if isinstance(value, list | tuple) else value


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


def _with_payloads(entry: RequestLogEntry, request: Any, response: Any) -> RequestLogEntry:
    return evolve(entry, request_payload=request, response_payload=response)
