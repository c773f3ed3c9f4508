"""What is done after the reply is ready: usage is counted, and whoever listens is told."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from threading import RLock
from typing import Any
from uuid import uuid4

from attrs import evolve

from modelmesh._engine.foundation.attempts import Attempt
from modelmesh._engine.foundation.notices import warn
from modelmesh._engine.foundation.units import NANO
from modelmesh._engine.health.circuit_breaker import ModelHealth, ProviderHealth, SuspensionReason
from modelmesh._engine.health.registry import Change, HealthRegistry
from modelmesh._engine.health.retry_policy import Adaptation
from modelmesh._engine.limits.counter import Metric
from modelmesh._engine.limits.reservations import LimitEvent, Reservations
from modelmesh._engine.routing.candidates import Candidate
from modelmesh._engine.routing.flow import Served
from modelmesh._engine.routing.pool import Pool
from modelmesh._engine.telemetry.events import Emitter
from modelmesh._engine.telemetry.statistics import RequestMetrics, StatisticsCollector
from modelmesh._engine.telemetry.usage import UsageTracker
from modelmesh.contracts.call import Call
from modelmesh.contracts.observability import RequestLogEntry, RoutingEvent
from modelmesh.contracts.provider import Answer
from modelmesh.contracts.usage import reported_tokens
from modelmesh.errors import ModelMeshError


class AdaptationWarning(UserWarning):
    """A request was changed for a vendor: something dropped or renamed."""


class Reporter:
    """Keeps the accounts of one mesh."""

    def __init__(
        self,
        emitter: Emitter,
        usage: UsageTracker,
        health: HealthRegistry,
        reservations: Reservations,
        statistics: StatisticsCollector,
        lock: RLock,
        clock: Callable[[], float],
    ) -> None:
        self._emitter = emitter
        self._usage = usage
        self._health = health
        self._reservations = reservations
        self._statistics = statistics
        self._clock = clock
        self.lock = lock
        self.on_change: Callable[[], None] = _ignore_change

    def answered(self, call: Call, served: Served, began: float) -> None:
        """A request has its answer; a stream is reported when it ends."""
        if served.pool.policy.adaptation is Adaptation.WARN and served.attempts[-1].adapted:
            text = f"the request to {served.candidate} was changed: {'; '.join(served.attempts[-1].adapted)}"
            warn(text, AdaptationWarning)
        self._unsettled(served.attempts[:-1])
        if isinstance(served.outcome, Answer):
            self._account(served)
            self._count(served.attempts, served.pool, self._clock() - began, served.attempts[-1].ms)
            self._changed()
            if self._emitter.listening:
                self._tell(call, served.pool, served.attempts, served, None, began, served.outcome.body)

    def streamed(self, call: Call, served: Served, error: Exception | None, began: float) -> None:
        """A stream has ended, broken or been left."""
        if isinstance(served.outcome, Answer):
            return
        self._account(served)
        took = self._clock() - began
        self._count(served.attempts, served.pool, took, (served.attempts[-1].ms or 0.0) + took * 1000)
        self._changed()
        if self._emitter.listening:
            self._tell(call, served.pool, served.attempts, served, error, began, served.outcome.progress.text)

    def failed(self, call: Call, pool: Pool, error: BaseException, begun: Sequence[Attempt], began: float) -> None:
        """A request got no answer, or its caller left before there was one; ``begun`` is what it had tried."""
        if not isinstance(error, ModelMeshError):
            self._left(begun, pool, began)
            return
        self._unsettled(begun)
        self._count(begun, pool, self._clock() - began, None)
        self._changed()
        if self._emitter.listening:
            self._tell(call, pool, begun, None, error, began, None)

    def _left(self, attempts: Sequence[Attempt], pool: Pool, began: float) -> None:
        if attempts:
            self._unsettled(attempts)
            self._count(attempts, pool, self._clock() - began, None)
            self._changed()

    def _count(self, attempts: Sequence[Attempt], pool: Pool, took: float, last_ms: float | None) -> None:
        """Count each attempt for its model and provider, and the request for its pool; a caller who left counts for nobody."""
        last = attempts[-1] if attempts else None
        for attempt in attempts:
            if attempt.outcome == "cancelled" and attempt.usage is None:
                continue
            moved = 0 if attempt is last else int((attempt.provider_id, attempt.model_id) != _whom(attempts[attempt.number]))
            usage = attempt.usage or {}
            metrics = RequestMetrics(
                last_ms if attempt is last else None,
                reported_tokens(usage.get("prompt_tokens")) or 0,
                reported_tokens(usage.get("completion_tokens")) or 0,
                attempt.cost,
                attempt.outcome in ("answered", "cancelled"),  # a stream that its caller left was being answered
                moved,
                attempt.estimated,
            )
            self._statistics.record(attempt.model_id, attempt.provider_id, None, metrics)
        if last is None:
            self._statistics.record(None, None, pool.name, RequestMetrics(success=False))
        elif last.outcome != "cancelled" or last.usage is not None:
            moved = sum(_whom(before) != _whom(after) for before, after in pairwise(attempts)) if len(attempts) > 1 else 0
            whole = took * 1000 + (0.0 if last_ms is None or last_ms <= took * 1000 else last_ms - took * 1000)
            done = evolve(metrics, latency_ms=whole, rotated=moved)
            self._statistics.record(None, None, pool.name, done)

    def _changed(self) -> None:
        self.on_change()

    def _account(self, served: Served) -> None:
        attempt = served.attempts[-1]
        nano = None if attempt.cost is None else round(attempt.cost * NANO)
        self._usage.add(attempt.model_id, attempt.provider_id, attempt.usage, nano, estimated=attempt.estimated)

    def _unsettled(self, attempts: Sequence[Attempt]) -> None:
        """Count what attempts without an answer cost where that is known, else that it is not."""
        for attempt in attempts:
            if attempt.billed == "no":
                continue
            if attempt.cost is None:
                self._usage.add_unknown_cost(attempt.model_id, attempt.provider_id)
            else:
                self._usage.add_failed(attempt.model_id, attempt.provider_id, attempt.usage or {}, round(attempt.cost * NANO))

    def rotated(self, before: Candidate, after: Candidate, pool: str) -> None:
        """A person put the current model of a pool in standby."""
        self._changed()
        if self._emitter.listening:
            self.tell_changes()
            facts = {"from": before.model_id, "to": after.model_id, "reason": "manual"}
            self._emitter.emit(RoutingEvent("model_rotated", time.time(), after.model_id, after.provider_id, pool, facts))

    def recovered(self) -> None:
        """Record that models were made active again by hand."""
        self._changed()
        if self._emitter.listening:
            self.tell_changes()

    def told(self, events: Sequence[RoutingEvent]) -> None:
        """Somebody beside the requests has found something out, and perhaps changed something."""
        if self._emitter.listening:
            for event in events:
                self._emitter.emit(event)
            self.tell_changes()

    def left_to_tell(self) -> None:
        """Tell of what nobody asked since."""
        if self._emitter.listening:
            self.tell_changes()

    def tell_changes(self, attempts: Sequence[Attempt] = (), pool: str | None = None) -> None:
        """Tell what changed since somebody was told the last time."""
        with self.lock:
            changes, notes = list(self._health.changes), list(self._reservations.events)
            self._health.changes.clear()
            self._reservations.events.clear()
        now = time.time()
        for event in (*_events(changes, attempts, pool, now), *(_told(note, pool, now) for note in notes)):
            self._emitter.emit(event)

    def _tell(
        self,
        call: Call,
        pool: Pool,
        attempts: Sequence[Attempt],
        served: Served | None,
        error: Exception | None,
        began: float,
        answer: Any,
    ) -> None:
        now = time.time()
        self.tell_changes(attempts, pool.name)
        winner = attempts[-1] if served else None
        usage = (winner.usage if winner else None) or {}
        show = self._emitter.shows_payloads
        took = self._clock() - began
        self._emitter.log(
            RequestLogEntry(
                request_id=f"req-{uuid4().hex[:16]}",
                timestamp=now - took,
                model_id=winner.model_id if winner else None,
                provider_id=winner.provider_id if winner else None,
                pool_id=pool.name,
                capability=pool.capability,
                delivery_mode="streaming" if call.stream else "synchronous",
                status_code=getattr(error, "status", None) if error else 200,
                latency_ms=took * 1000,
                tokens_in=reported_tokens(usage.get("prompt_tokens")),
                tokens_out=reported_tokens(usage.get("completion_tokens")),
                estimated=winner is not None and winner.estimated,
                cost=winner.cost if winner else None,
                error=type(error).__name__ if error else None,
                routing_reason=winner.reason if winner else None,
                attempts=tuple(_logged(attempt) for attempt in attempts),
                request_payload=call.payload if show else None,
                response_payload=answer if show else None,
            )
        )


def _ignore_change() -> None:
    """Do nothing: the default where no state is saved."""


def _whom(attempt: Attempt) -> tuple[str, str]:
    return attempt.provider_id, attempt.model_id


def _events(
    changes: Sequence[Change],
    attempts: Sequence[Attempt],
    pool: str | None,
    now: float,
) -> list[RoutingEvent]:
    found: list[RoutingEvent] = []
    for what, circuit, reason, in_pool in changes:
        off, facts = what == "deactivated", {"reason": reason.value if reason else None}
        if off and reason is SuspensionReason.POLICY and isinstance(circuit, ModelHealth) and circuit.judge and circuit.candidate:
            facts["policy"] = circuit.judge.shown(circuit.candidate)
        if what in ("healthy", "unhealthy"):
            found_by = "manual" if reason is SuspensionReason.MANUAL else "probe"
            health = {**facts, "available": what == "healthy", "found_by": found_by}
            found.append(RoutingEvent("provider_health_changed", now, None, getattr(circuit, "provider_id", None), pool, health))
        elif isinstance(circuit, ProviderHealth):
            name = "provider_deactivated" if off else "provider_recovered"
            found.append(RoutingEvent(name, now, None, circuit.provider_id, pool, facts))
        elif isinstance(circuit, ModelHealth) and circuit.candidate is not None:
            name = "model_deactivated" if off else "model_activated"
            model = circuit.candidate
            found.append(RoutingEvent(name, now, model.model_id, model.provider_id, in_pool or pool, facts))
    for before, after in pairwise(attempts):
        if (before.provider_id, before.model_id) != (after.provider_id, after.model_id):
            said = {"from": f"{before.provider_id}/{before.model_id}", "reason": before.failure, "status": before.status}
            found.append(RoutingEvent("model_rotated", now, after.model_id, after.provider_id, pool, said))
    return found


def _told(note: LimitEvent, pool: str | None, now: float) -> RoutingEvent:
    limit = note.counter.limit
    money = limit.metric is Metric.COST
    facts = {
        "of": limit.key,
        "metric": limit.metric.value,
        "window": limit.window.period.value,
        "limit": limit.amount / NANO if money else limit.amount,
        "used": note.used / NANO if money else note.used,
    }
    (only,) = note.counter.circuits if len(note.counter.circuits) == 1 else (None,)
    model = only.candidate if isinstance(only, ModelHealth) else None
    provider = only.provider_id if isinstance(only, ProviderHealth) else model.provider_id if model else None
    return RoutingEvent(note.event, now, model.model_id if model else None, provider, pool, facts)


def _logged(attempt: Attempt) -> dict[str, Any]:
    """Return an attempt for a log, without the vendor's text: that may repeat the prompt."""
    return {name: value for name, value in attempt.as_dict().items() if name != "message"}
