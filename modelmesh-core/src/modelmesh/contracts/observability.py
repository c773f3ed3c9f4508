"""Interface of observability sinks, and the records that they receive."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from attrs import field, frozen


class EventType(StrEnum):
    """Type of a routing event."""

    MODEL_ACTIVATED = "model_activated"
    MODEL_DEACTIVATED = "model_deactivated"
    MODEL_ROTATED = "model_rotated"
    PROVIDER_HEALTH_CHANGED = "provider_health_changed"
    PROVIDER_DEACTIVATED = "provider_deactivated"
    PROVIDER_RECOVERED = "provider_recovered"
    POOL_MEMBERSHIP_CHANGED = "pool_membership_changed"
    DISCOVERY_MODELS_UPDATED = "discovery_models_updated"
    BUDGET_ALERT = "budget_alert"
    BUDGET_EXCEEDED = "budget_exceeded"
    STORAGE_FAILED = "storage_failed"
    STORAGE_RECOVERED = "storage_recovered"


EVENT_TYPES = tuple(EventType)


class Severity(StrEnum):
    """Severity of a trace entry, in ascending order."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"


SEVERITIES = tuple(Severity)


@frozen
class RoutingEvent:
    """A change that affects which model serves requests.

    Attributes:
        event_type: An :class:`EventType`.
        timestamp: Unix time, seconds.
        model_id: The model concerned.
        provider_id: The provider concerned.
        pool_id: The pool concerned.
        metadata: Further facts. They contain no secret and no prompt.
    """

    event_type: str
    timestamp: float
    model_id: str | None = None
    provider_id: str | None = None
    pool_id: str | None = None
    metadata: Mapping[str, Any] = field(factory=dict)


@frozen
class RequestLogEntry:
    """One finished request.

    Attributes:
        request_id: Unique ID, assigned by the mesh.
        timestamp: Unix time at which it began, seconds.
        model_id: The model that answered, ``None`` without an answer.
        provider_id: Its provider.
        pool_id: The pool of the request.
        capability: Path of the pool's capability.
        delivery_mode: ``synchronous`` or ``streaming``.
        status_code: 200, or the status of the final error, ``None`` when the error has no status.
        latency_ms: Milliseconds from the call to the end of the answer.
        tokens_in: Prompt tokens, ``None`` when unknown.
        tokens_out: Completion tokens, ``None`` when unknown.
        cost: USD, ``None`` when unknown.
        error: Class name of the final error.
        routing_reason: Why the strategy chose the model.
        attempts: One mapping for each attempt.
        request_payload: The body, at levels ``summary`` and ``full``. A note replaces files and encoded media.
        response_payload: The answer, at levels ``summary`` and ``full``, likewise.
        estimated: Whether tokens and cost are an estimate, in part or as a whole, because the vendor did not report them.
        operation: The operation of the request, for example ``audio.speech``.
        caller: Name of the application's token at the proxy, ``None`` for a request without a token.
        team: The team of that token.
    """

    request_id: str
    timestamp: float
    model_id: str | None
    provider_id: str | None
    pool_id: str
    capability: str
    delivery_mode: str
    status_code: int | None
    latency_ms: float
    tokens_in: int | None = None
    tokens_out: int | None = None
    cost: float | None = None
    error: str | None = None
    routing_reason: str | None = None
    attempts: tuple[Mapping[str, Any], ...] = ()
    request_payload: Any = None
    response_payload: Any = None
    estimated: bool = False
    operation: str = ""
    caller: str | None = None
    team: str | None = None

    @property
    def total_tokens(self) -> int | None:
        """Prompt and completion tokens together, ``None`` when either is unknown."""
        if self.tokens_in is None or self.tokens_out is None:
            return None
        return self.tokens_in + self.tokens_out


@frozen
class AggregateStats:
    """Counters of one scope. A flush covers the time since the last flush, a query the time since the start.

    Times are in milliseconds, money is in USD. Aliases for queries: ``total_requests``,
    ``successful_requests``, ``failed_requests``, ``total_tokens_in``, ``total_tokens_out``, ``total_cost``,
    ``avg_latency_ms``, ``p50_latency_ms``, ``p95_latency_ms``, ``p99_latency_ms``.

    Attributes:
        requests_total: Requests of a pool, or attempts of a model or provider.
        requests_success: Answered requests.
        requests_failed: Other requests.
        tokens_in: Prompt tokens, as reported by the vendors or else estimated.
        tokens_out: Completion tokens, as reported by the vendors or else estimated.
        cost_total: USD of requests with a known price, ``None`` when there is none.
        latency_avg: Mean latency of answers.
        latency_p95: 95th percentile of the latency, within 4.5 %.
        downtime_total: Time in standby since the start, or since the last flush.
        rotation_events: How often a request moved to another model.
        latency_p50: Median latency.
        latency_p99: 99th percentile of the latency.
        standby_events: How often a model or account went to standby.
        quota_resets: How often an exhausted limit was reset.
        last_updated: Unix seconds of the latest request, ``None`` without requests.
        requests_estimated: Requests whose tokens and cost are an estimate.
    """

    requests_total: int = 0
    requests_success: int = 0
    requests_failed: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost_total: float | None = None
    latency_avg: float = 0.0
    latency_p95: float = 0.0
    downtime_total: float = 0.0
    rotation_events: int = 0
    latency_p50: float = 0.0
    latency_p99: float = 0.0
    standby_events: int = 0
    quota_resets: int = 0
    last_updated: float | None = None
    requests_estimated: int = 0

    @property
    def error_rate(self) -> float | None:
        """Share of failed requests, ``None`` without requests."""
        return self.requests_failed / self.requests_total if self.requests_total else None

    @property
    def total_requests(self) -> int:
        """Alias of ``requests_total``."""
        return self.requests_total

    @property
    def successful_requests(self) -> int:
        """Alias of ``requests_success``."""
        return self.requests_success

    @property
    def failed_requests(self) -> int:
        """Alias of ``requests_failed``."""
        return self.requests_failed

    @property
    def total_tokens_in(self) -> int:
        """Alias of ``tokens_in``."""
        return self.tokens_in

    @property
    def total_tokens_out(self) -> int:
        """Alias of ``tokens_out``."""
        return self.tokens_out

    @property
    def total_cost(self) -> float | None:
        """Alias of ``cost_total``."""
        return self.cost_total

    @property
    def avg_latency_ms(self) -> float:
        """Alias of ``latency_avg``."""
        return self.latency_avg

    @property
    def p50_latency_ms(self) -> float:
        """Alias of ``latency_p50``."""
        return self.latency_p50

    @property
    def p95_latency_ms(self) -> float:
        """Alias of ``latency_p95``."""
        return self.latency_p95

    @property
    def p99_latency_ms(self) -> float:
        """Alias of ``latency_p99``."""
        return self.latency_p99


@frozen
class TraceEntry:
    """One step of the mesh, with a :class:`Severity`. ``component`` is for example ``mesh``, ``router`` or ``pool.<name>``."""

    severity: str
    timestamp: float
    component: str
    message: str
    metadata: Mapping[str, Any] = field(factory=dict)
    error: str | None = None


@runtime_checkable
class Observability(Protocol):
    """Receiver of events, requests, statistics and traces, after the reply is ready.

    An exception in a sink never fails a request. The first one is logged, and all are counted. A sink that writes later may
    have the attributes ``failed_records`` and ``dropped_records``, which the mesh adds to its counts.
    """

    id: str

    def emit(self, event: RoutingEvent) -> None:
        """Receive a routing event."""
        ...

    def log(self, entry: RequestLogEntry) -> None:
        """Receive a finished request."""
        ...

    def flush(self, stats: Mapping[str, AggregateStats]) -> None:
        """Receive the counters by scope, for example ``model:gpt-4o``, at intervals and at the end."""
        ...

    def trace(self, entry: TraceEntry) -> None:
        """Receive a trace entry."""
        ...
