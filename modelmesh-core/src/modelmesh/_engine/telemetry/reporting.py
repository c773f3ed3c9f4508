"""Post-response work: record usage and statistics, and publish events and log entries to sinks."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from threading import RLock
from typing import TYPE_CHECKING, Any

from modelmesh._engine.foundation.attempts import Attempt, AttemptOutcome
from modelmesh._engine.foundation.failures import Billed
from modelmesh._engine.foundation.lazy_import import LazyModule
from modelmesh._engine.foundation.notices import warn
from modelmesh._engine.foundation.units import NANO
from modelmesh._engine.routing.pool_policy import Adaptation
from modelmesh._engine.telemetry.scope_counts import RequestMetrics
from modelmesh._engine.telemetry.usage_entry import count_tokens
from modelmesh.contracts.observability import EventType, RoutingEvent
from modelmesh.contracts.provider import Answer
from modelmesh.errors import ModelMeshError

if TYPE_CHECKING:
    from modelmesh._engine.health.health_registry import HealthRegistry
    from modelmesh._engine.limits.reservations import Reservations
    from modelmesh._engine.routing.candidates import Candidate
    from modelmesh._engine.routing.pool import Pool
    from modelmesh._engine.routing.steps import Served
    from modelmesh._engine.telemetry import event_records
    from modelmesh._engine.telemetry.events import Emitter
    from modelmesh._engine.telemetry.statistics import StatisticsCollector
    from modelmesh._engine.telemetry.usage import UsageTracker
    from modelmesh.contracts.call import Call
else:  # a request that has an event imports it
    event_records = LazyModule(globals(), "event_records", "modelmesh._engine.telemetry.event_records")


class AdaptationWarning(UserWarning):
    """A parameter of the request was dropped, renamed or converted for a vendor."""


_SUCCESSES = frozenset({AttemptOutcome.ANSWERED, AttemptOutcome.CANCELLED})
"""Outcomes that count as a success. A cancelled stream was being answered when its caller left."""


class Reporter:
    """Records finished requests of one mesh and publishes what changed.

    Attributes:
        lock: The mesh's lock.
        on_change: Called after each change that is worth saving.
        observers: Called with the pool and the attempts of each finished request, before its reply is returned.
    """

    def __init__(
        self,
        *,
        emitter: Emitter,
        usage: UsageTracker,
        health: HealthRegistry,
        reservations: Reservations,
        statistics: StatisticsCollector,
        lock: RLock,
        clock: Callable[[], float],
    ) -> None:
        """Connect the parts of a mesh.

        Args:
            emitter: Publishes to sinks and hook plugins.
            usage: Receives tokens and costs.
            health: Source of health changes.
            reservations: Source of limit events.
            statistics: Receives the metrics of attempts and requests.
            lock: The mesh's lock.
            clock: Returns monotonic seconds.
        """
        self._emitter = emitter
        self._usage = usage
        self._health = health
        self._reservations = reservations
        self._statistics = statistics
        self._clock = clock
        self.lock = lock
        self.on_change: Callable[[], None] = _ignore_change
        self.observers: tuple[Callable[[Pool, Sequence[Attempt]], None], ...] = ()

    # -- requests ---------------------------------------------------------------------------------------------------

    def report_answer(self, call: Call, served: Served, began: float) -> None:
        """Record a request that was answered. An open stream is recorded by :meth:`report_stream_end`."""
        if served.pool.policy.adaptation is Adaptation.WARN and served.attempts[-1].adapted:
            text = f"the request to {served.candidate} was changed: {'; '.join(served.attempts[-1].adapted)}"
            warn(text, AdaptationWarning)
        if len(served.attempts) > 1:
            self._add_failed_usage(served.attempts[:-1])
        if isinstance(served.outcome, Answer):
            self._add_usage(served)
            self._record_metrics(served.attempts, served.pool, self._clock() - began, served.attempts[-1].ms)
            self.on_change()
            if self._emitter.has_subscribers:
                self._publish_request(call, served.pool, served.attempts, None, began, served.outcome.body, answered=True)

    def report_stream_end(self, call: Call, served: Served, error: Exception | None, began: float) -> None:
        """Record a stream that ended, broke, or was abandoned by the caller."""
        if isinstance(served.outcome, Answer):
            return
        self._add_usage(served)
        took = self._clock() - began
        self._record_metrics(served.attempts, served.pool, took, (served.attempts[-1].ms or 0.0) + took * 1000)
        self.on_change()
        if self._emitter.has_subscribers:
            text = served.outcome.progress.text
            self._publish_request(call, served.pool, served.attempts, error, began, text, answered=True)

    def report_failure(self, call: Call, pool: Pool, error: BaseException, attempts: Sequence[Attempt], began: float) -> None:
        """Record a request without an answer. An error that is not a ``ModelMeshError`` means that the caller cancelled."""
        if not isinstance(error, ModelMeshError):
            self._report_cancellation(attempts, pool, began)
            return
        self._add_failed_usage(attempts)
        self._record_metrics(attempts, pool, self._clock() - began, None)
        self.on_change()
        if self._emitter.has_subscribers:
            self._publish_request(call, pool, attempts, error, began, None, answered=False)

    def _report_cancellation(self, attempts: Sequence[Attempt], pool: Pool, began: float) -> None:
        if attempts:
            self._add_failed_usage(attempts)
            self._record_metrics(attempts, pool, self._clock() - began, None)
            self.on_change()

    # -- usage and statistics ---------------------------------------------------------------------------------------

    def _record_metrics(self, attempts: Sequence[Attempt], pool: Pool, took: float, last_ms: float | None) -> None:
        """Record each attempt for its model and provider, and the request for its pool.

        A cancelled attempt without usage is not counted.
        """
        for observe in self.observers:
            observe(pool, attempts)
        if not attempts:
            self._statistics.record(None, None, pool.name, RequestMetrics(success=False))
            return
        last = attempts[-1]
        if len(attempts) == 1 and last_ms is not None and last.outcome is AttemptOutcome.ANSWERED:
            took_ms, metrics = max(took * 1000, last_ms), _metrics(last, last_ms, 0)
            self._statistics.record_answer(last.model_id, last.provider_id, pool.name, metrics, took_ms)
            return
        moves = 0
        for attempt, following in pairwise(attempts):
            moved = int(event_records.target_of(attempt) != event_records.target_of(following))
            moves += moved
            if _is_counted(attempt):
                self._statistics.record(attempt.model_id, attempt.provider_id, None, _metrics(attempt, None, moved))
        if _is_counted(last):
            metrics = _metrics(last, last_ms, 0)
            self._statistics.record(last.model_id, last.provider_id, None, metrics)
            metrics.latency_ms = took * 1000 if last_ms is None else max(took * 1000, last_ms)
            metrics.rotated = moves
            self._statistics.record(None, None, pool.name, metrics)

    def _add_usage(self, served: Served) -> None:
        attempt = served.attempts[-1]
        nano = None if attempt.cost is None else round(attempt.cost * NANO)
        self._usage.add(attempt.model_id, attempt.provider_id, attempt.usage, nano, estimated=attempt.estimated)

    def _add_failed_usage(self, attempts: Sequence[Attempt]) -> None:
        """Add the cost of attempts without an answer, or count that it is unknown."""
        for attempt in attempts:
            if attempt.billed == Billed.NO:
                continue
            if attempt.cost is None:
                self._usage.add_unknown_cost(attempt.model_id, attempt.provider_id)
            else:
                self._usage.add_failed(attempt.model_id, attempt.provider_id, attempt.usage or {}, round(attempt.cost * NANO))

    # -- events -----------------------------------------------------------------------------------------------------

    def report_rotation(self, before: Candidate, after: Candidate, pool: str) -> None:
        """Record that the current model of a pool was put in standby manually."""
        self.on_change()
        if self._emitter.has_subscribers:
            self._publish_changes()
            facts = {"from": before.model_id, "to": after.model_id, "reason": "manual"}
            event = RoutingEvent(EventType.MODEL_ROTATED, time.time(), after.model_id, after.provider_id, pool, facts)
            self._emitter.emit(event)

    def report_recovery(self) -> None:
        """Record that models were made active again manually."""
        self.on_change()
        self.publish_changes()

    def publish(self, events: Sequence[RoutingEvent]) -> None:
        """Publish events of background tasks, and the changes that they caused."""
        if self._emitter.has_subscribers:
            for event in events:
                self._emitter.emit(event)
            self._publish_changes()

    def publish_changes(self) -> None:
        """Publish the pending changes of health and limits."""
        if self._emitter.has_subscribers:
            self._publish_changes()

    def _publish_changes(self, attempts: Sequence[Attempt] = (), pool: str | None = None, operation: str = "") -> None:
        if len(attempts) < 2 and not self._health.changes and not self._reservations.events:  # noqa: PLR2004 - no failover
            return
        with self.lock:
            changes, limits = list(self._health.changes), list(self._reservations.events)
            self._health.changes.clear()
            self._reservations.events.clear()
        now = time.time()
        for change in changes:
            event = event_records.change_event(change, pool, now)
            if event is not None:
                self._emitter.emit(event)
        for event in (
            *event_records.failover_events(attempts, pool, now, operation),
            *(event_records.limit_event(limit, pool, now) for limit in limits),
        ):
            self._emitter.emit(event)

    def _publish_request(
        self,
        call: Call,
        pool: Pool,
        attempts: Sequence[Attempt],
        error: Exception | None,
        began: float,
        answer: Any,
        *,
        answered: bool,
    ) -> None:
        now = time.time()
        self._publish_changes(attempts, pool.name, (call.native or call).operation.name)
        entry = event_records.request_log_entry(
            call=call,
            pool=pool,
            attempts=attempts,
            answered=answered,
            error=error,
            now=now,
            took=self._clock() - began,
            payloads=self._emitter.needs_payloads,
            answer=answer,
        )
        self._emitter.log(entry)


def _is_counted(attempt: Attempt) -> bool:
    """Return whether statistics count an attempt. One that was cancelled before it consumed anything is left out."""
    return attempt.outcome is not AttemptOutcome.CANCELLED or attempt.usage is not None


def _metrics(attempt: Attempt, latency_ms: float | None, rotated: int) -> RequestMetrics:
    tokens = (0, 0) if attempt.usage is None else count_tokens(attempt.usage)
    success = attempt.outcome in _SUCCESSES
    return RequestMetrics(latency_ms, *tokens, attempt.cost, success, rotated, attempt.estimated)


def _ignore_change() -> None:
    """Do nothing: the default where no state is saved."""
