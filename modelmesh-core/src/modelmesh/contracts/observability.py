"""What an observability sink implements, and the finished values it is handed."""

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
SEVERITIES = ("debug", "info", "warning", "error", "critical")


@frozen
class RoutingEvent:
    """Something that changed which model serves.

    Attributes:
        event_type: An :class:`EventType`.
        timestamp: Unix time, seconds.
        model_id: The model it is about.
        provider_id: The provider it is about.
        pool_id: The pool it happened in.
        metadata: What else is known; no secret and no prompt.
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
        request_id: Made by the mesh, to find the request again.
        timestamp: Unix time at which it began, seconds.
        model_id: The model that answered, ``None`` when none did.
        provider_id: Its provider.
        pool_id: The pool that was asked.
        capability: Path of the pool's capability.
        delivery_mode: ``synchronous`` or ``streaming``.
        status_code: 200, or the status of the final error; ``None`` when there was none.
        latency_ms: From the call to the end of the answer.
        tokens_in: Prompt tokens, ``None`` when unknown.
        tokens_out: Completion tokens, ``None`` when unknown.
        cost: USD, ``None`` when unknown.
        error: Class name of the final error.
        routing_reason: Why this model.
        attempts: One mapping for each attempt.
        request_payload: The body, only at the levels that ask for it.
        response_payload: The answer, only at the levels that ask for it.
        estimated: Whether tokens and cost are an estimate, in part or as a whole, because the vendor did not report them.
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

    @property
    def total_tokens(self) -> int | None:
        """Prompt and completion tokens together, ``None`` when either is unknown."""
        if self.tokens_in is None or self.tokens_out is None:
            return None
        return self.tokens_in + self.tokens_out


@frozen
class AggregateStats:
    """Counters over one scope: since the last flush where a sink is handed them, since the start where they are asked for.

    Times in milliseconds, money in USD. The numbers also go by the names that queries use: ``total_requests``,
    ``successful_requests``, ``failed_requests``, ``total_tokens_in``, ``total_tokens_out``, ``total_cost``,
    ``avg_latency_ms``, ``p50_latency_ms``, ``p95_latency_ms``, ``p99_latency_ms``.

    Attributes:
        requests_total: Requests of a pool; attempts at a model or provider.
        requests_success: Of them, answered.
        requests_failed: Of them, not answered.
        tokens_in: Prompt tokens, as the vendors reported them; estimated where they did not.
        tokens_out: Completion tokens, as the vendors reported them; estimated where they did not.
        cost_total: USD of those whose price is known, ``None`` when none is.
        latency_avg: Mean time of an answer.
        latency_p95: The time that 95 of 100 answers keep, within 4.5 %.
        downtime_total: Time in standby since the start, or since the last flush.
        rotation_events: How often a request went on to another model.
        latency_p50: The time that half the answers keep.
        latency_p99: The time that 99 of 100 answers keep.
        standby_events: How often a model or account went to standby.
        quota_resets: How often a limit that was spent began anew.
        last_updated: Unix seconds of the latest of them, ``None`` when there was none.
        requests_estimated: Of all requests, those whose tokens and cost are an estimate.
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
        """Share that was not answered, ``None`` when there was nothing."""
        return self.requests_failed / self.requests_total if self.requests_total else None

    @property
    def total_requests(self) -> int:
        """The same as ``requests_total``."""
        return self.requests_total

    @property
    def successful_requests(self) -> int:
        """The same as ``requests_success``."""
        return self.requests_success

    @property
    def failed_requests(self) -> int:
        """The same as ``requests_failed``."""
        return self.requests_failed

    @property
    def total_tokens_in(self) -> int:
        """The same as ``tokens_in``."""
        return self.tokens_in

    @property
    def total_tokens_out(self) -> int:
        """The same as ``tokens_out``."""
        return self.tokens_out

    @property
    def total_cost(self) -> float | None:
        """The same as ``cost_total``."""
        return self.cost_total

    @property
    def avg_latency_ms(self) -> float:
        """The same as ``latency_avg``."""
        return self.latency_avg

    @property
    def p50_latency_ms(self) -> float:
        """The same as ``latency_p50``."""
        return self.latency_p50

    @property
    def p95_latency_ms(self) -> float:
        """The same as ``latency_p95``."""
        return self.latency_p95

    @property
    def p99_latency_ms(self) -> float:
        """The same as ``latency_p99``."""
        return self.latency_p99


@frozen
class TraceEntry:
    """One line about what the mesh does. ``component`` is for example ``mesh``, ``router``, ``pool.<name>``."""

    severity: str
    timestamp: float
    component: str
    message: str
    metadata: Mapping[str, Any] = field(factory=dict)
    error: str | None = None


@runtime_checkable
class Observability(Protocol):
    """Hears what the mesh does, after the reply is ready. A sink that raises is logged once and counted."""

    id: str

    def emit(self, event: RoutingEvent) -> None:
        """Hear about a routing event."""
        ...

    def log(self, entry: RequestLogEntry) -> None:
        """Hear about a finished request."""
        ...

    def flush(self, stats: Mapping[str, AggregateStats]) -> None:
        """Take the counters by scope, e.g. ``model:gpt-4o``, at intervals and at the end."""
        ...

    def trace(self, entry: TraceEntry) -> None:
        """Hear about one step."""
        ...
