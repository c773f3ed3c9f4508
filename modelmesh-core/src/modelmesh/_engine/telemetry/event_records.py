"""Conversion of health changes, limit events and requests into the records that sinks receive."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from modelmesh._engine.foundation.attempts import Attempt
from modelmesh._engine.foundation.suspension_reasons import SuspensionReason
from modelmesh._engine.foundation.units import NANO
from modelmesh._engine.health.changes import Change, ChangeKind
from modelmesh._engine.health.model_health import ModelHealth
from modelmesh._engine.health.provider_health import ProviderHealth
from modelmesh._engine.limits.counter import Metric
from modelmesh._engine.limits.reservation import LimitEvent
from modelmesh._engine.routing.pool import Pool
from modelmesh._engine.telemetry.media import without_media
from modelmesh.contracts.call import Call
from modelmesh.contracts.observability import EventType, RequestLogEntry, RoutingEvent
from modelmesh.contracts.usage import reported_tokens


def change_event(change: Change, pool: str | None, now: float) -> RoutingEvent | None:
    """Return the event of a change in the health registry, ``None`` for a model that was removed.

    Args:
        change: The change.
        pool: The pool of the request that noticed the change, if any.
        now: Unix seconds.
    """
    kind, breaker, reason, in_pool = change
    off, facts = kind is ChangeKind.DEACTIVATED, {"reason": reason.value if reason else None}
    if off and reason is SuspensionReason.POLICY and isinstance(breaker, ModelHealth) and breaker.standby_policy:
        facts["policy"] = breaker.standby_policy.describe(breaker)
    if kind in (ChangeKind.HEALTHY, ChangeKind.UNHEALTHY):
        found_by = "manual" if reason is SuspensionReason.MANUAL else "probe"
        health = {**facts, "available": kind is ChangeKind.HEALTHY, "found_by": found_by}
        provider = getattr(breaker, "provider_id", None)
        return RoutingEvent(EventType.PROVIDER_HEALTH_CHANGED, now, None, provider, pool, health)
    if isinstance(breaker, ProviderHealth):
        event = EventType.PROVIDER_DEACTIVATED if off else EventType.PROVIDER_RECOVERED
        return RoutingEvent(event, now, None, breaker.provider_id, pool, facts)
    if isinstance(breaker, ModelHealth):
        event = EventType.MODEL_DEACTIVATED if off else EventType.MODEL_ACTIVATED
        return RoutingEvent(event, now, breaker.model_id, breaker.provider_id, in_pool or pool, facts)
    return None


def failover_events(attempts: Sequence[Attempt], pool: str | None, now: float, operation: str) -> list[RoutingEvent]:
    """Return an event for each step of a request from one model to another."""
    events: list[RoutingEvent] = []
    for before, after in pairwise(attempts):
        if target_of(before) != target_of(after):
            source = f"{before.provider_id}/{before.model_id}"
            facts = {"from": source, "reason": before.failure, "status": before.status, "operation": operation}
            events.append(RoutingEvent(EventType.MODEL_ROTATED, now, after.model_id, after.provider_id, pool, facts))
    return events


def limit_event(event: LimitEvent, pool: str | None, now: float) -> RoutingEvent:
    """Return the event of a limit that is exhausted or has passed its alert threshold."""
    limit = event.counter.limit
    money = limit.metric is Metric.COST
    facts = {
        "of": limit.key,
        "metric": limit.metric.value,
        "window": limit.window.period.value,
        "limit": limit.amount / NANO if money else limit.amount,
        "used": event.used / NANO if money else event.used,
    }
    (only,) = event.counter.targets if len(event.counter.targets) == 1 else (None,)
    model = only.model_id if isinstance(only, ModelHealth) else None
    provider = only.provider_id if isinstance(only, ModelHealth | ProviderHealth) else None
    return RoutingEvent(event.event, now, model, provider, pool, facts)


def request_log_entry(
    *,
    call: Call,
    pool: Pool,
    attempts: Sequence[Attempt],
    answered: bool,
    error: Exception | None,
    now: float,
    took: float,
    payloads: bool,
    answer: Any,
) -> RequestLogEntry:
    """Return the log entry of a finished request.

    Args:
        call: The request.
        pool: Its pool.
        attempts: Its attempts.
        answered: Whether the last attempt was answered, in whole or in part.
        error: Its final error.
        now: Unix seconds.
        took: Seconds from the call to the end of the answer.
        payloads: Whether the entry contains the request and the answer.
        answer: The answer.
    """
    winner = attempts[-1] if answered else None
    usage = (winner.usage if winner else None) or {}
    caller = call.options.caller
    return RequestLogEntry(
        request_id=f"req-{os.urandom(8).hex()}",
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
        attempts=tuple(map(_without_message, attempts)),
        request_payload=without_media((call.native or call).payload) if payloads else None,
        response_payload=without_media(answer) if payloads else None,
        operation=(call.native or call).operation.name,
        caller=(caller.name or None) if caller is not None else None,
        team=caller.team if caller is not None else None,
    )


def target_of(attempt: Attempt) -> tuple[str, str]:
    """Return the provider key and model ID of an attempt."""
    return attempt.provider_id, attempt.model_id


def _without_message(attempt: Attempt) -> dict[str, Any]:
    """Return an attempt as plain data, without the vendor's text, which may repeat the prompt."""
    facts = attempt.as_dict()
    del facts["message"]
    return facts
