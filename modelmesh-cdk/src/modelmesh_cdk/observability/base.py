"""Base class of observability sinks: formats records as lines of JSON."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from operator import attrgetter
from threading import Lock
from typing import Any, ClassVar, Self, cast

from attrs import asdict, fields, fields_dict, frozen, has
from attrs import field as attrs_field

from modelmesh.contracts.observability import SEVERITIES, AggregateStats, RequestLogEntry, RoutingEvent, TraceEntry
from modelmesh_cdk.declared_options import DeclaresOptions
from modelmesh_cdk.observability.redaction import may_contain_secret, redact, redact_record


class JsonLine(str):
    """A line of JSON, already redacted if the sink redacts."""

    __slots__ = ()


@frozen(kw_only=True)
class BaseObservabilityConfig:
    """Settings of a sink.

    Attributes:
        redact: Whether values that look like secrets are redacted.
        min_severity: Lowest severity of traces that are written.
        options: All other settings.
    """

    redact: bool = True
    min_severity: str = "info"
    options: Mapping[str, Any] = attrs_field(factory=dict, repr=False)

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Self:
        """Read settings from a map. Unknown keys go to ``options``."""
        settings = dict(settings)
        if "redact_secrets" in settings:
            settings["redact"] = settings.pop("redact_secrets")
        known = {name: value for name, value in settings.items() if name in fields_dict(cls) and name != "options"}
        return cls(**known, options={name: value for name, value in settings.items() if name not in known})


class BaseObservability(DeclaresOptions):
    """Base class that formats each record as a line and passes it to :meth:`_write`. A sink overrides that method.

    Attributes:
        id: Connector ID, equal to the entry point's name.
    """

    id: ClassVar[str] = "modelmesh.base-observability.v1"
    config_class: ClassVar[type[BaseObservabilityConfig]] = BaseObservabilityConfig
    _base_settings: ClassVar[Collection[str]] = ("redact_secrets",)

    def __init__(self, config: Mapping[str, Any] | BaseObservabilityConfig | None = None) -> None:
        self.config = config if isinstance(config, BaseObservabilityConfig) else self.config_class.of(config or {})
        self._lock = Lock()

    def _write(self, line: str) -> None:
        """Write one line. Override this. Calls are serialized."""

    def _format_event(self, event: RoutingEvent) -> str:
        """Return the line of a routing event."""
        return self._line("event", _fields(event))

    def _format_log(self, entry: RequestLogEntry) -> str:
        """Return the line of a finished request."""
        return self._line("log", {**_fields(entry), "total_tokens": entry.total_tokens})

    def _format_stats(self, scope: str, stats: AggregateStats) -> str:
        """Return the line of one scope's statistics."""
        return self._line("stats", {"scope_id": scope, **_fields(stats)})

    def _format_trace(self, entry: TraceEntry) -> str:
        """Return the line of a trace step."""
        return self._line("trace", _fields(entry))

    def emit(self, event: RoutingEvent) -> None:
        """Write a routing event."""
        self._put(self._format_event(event))

    def log(self, entry: RequestLogEntry) -> None:
        """Write a finished request."""
        self._put(self._format_log(entry))

    def flush(self, stats: Mapping[str, AggregateStats]) -> None:
        """Write statistics."""
        for scope, values in stats.items():
            self._put(self._format_stats(scope, values))

    def trace(self, entry: TraceEntry) -> None:
        """Write a trace step of at least the configured severity."""
        if self._is_severe(entry):
            self._put(self._format_trace(entry))

    def _is_severe(self, entry: TraceEntry) -> bool:
        """Return whether a trace step has at least the configured severity."""
        return SEVERITIES.index(entry.severity) >= SEVERITIES.index(self.config.min_severity)

    def _line(self, kind: str, values: Mapping[str, Any]) -> str:
        """Return a record as a line of JSON, without unknown values."""
        kept = {name: value for name, value in values.items() if value is not None and name != "timestamp"}
        when = {"timestamp": iso(values["timestamp"])} if "timestamp" in values else {}
        if not self.config.redact:
            return JsonLine(_encode({"type": kind, **when, **kept}))
        line = _encode_redacted({"type": kind, **when, **kept})
        if may_contain_secret(line):
            line = _encode_redacted({"type": kind, **when, **redact_record(kept)})
        return JsonLine(line)

    def _put(self, line: str) -> None:
        text = redact(line) if self.config.redact and not isinstance(line, JsonLine) else line
        with self._lock:
            self._write(text)

    def close(self) -> None:
        """Flush buffered lines and release resources."""


def _odd(value: object) -> Any:
    """Return a value that JSON cannot represent as a dictionary or as text."""
    if isinstance(value, Mapping):
        return dict(value)
    return asdict(cast(Any, value)) if has(type(value)) else str(value)


def _odd_redacted(value: object) -> Any:
    found = _odd(value)
    return redact(found) if isinstance(found, str) else found


_encode = json.JSONEncoder(ensure_ascii=False, default=_odd, separators=(",", ":")).encode
_encode_redacted = json.JSONEncoder(ensure_ascii=False, default=_odd_redacted, separators=(",", ":")).encode


def _fields(record: Any) -> dict[str, Any]:
    """Return the fields of a record. The values are not copied."""
    names, values = _reader(record.__class__)
    return dict(zip(names, values(record), strict=True))


@lru_cache
def _reader(record_class: Any) -> tuple[tuple[str, ...], attrgetter[Any]]:
    """Return the names of the fields of a record, and a function that returns their values."""
    names = tuple(attribute.name for attribute in fields(record_class))
    return names, attrgetter(*names)


def iso(timestamp: float) -> str:
    """Return Unix seconds as ISO 8601 in UTC with milliseconds."""
    return datetime.fromtimestamp(timestamp, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
