"""Length of a cooldown after a failure."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from modelmesh._engine.foundation.backoff import MAX_SERVER_DELAY_S, equal_jitter
from modelmesh._engine.foundation.failure_rules import RULES
from modelmesh._engine.foundation.failures import Effect, FailureClass
from modelmesh._engine.health.circuit_breaker import KEY_FAILURES, CircuitBreaker
from modelmesh._engine.health.circuit_policy import OPEN_CAP_S, OPEN_S, CircuitPolicy

if TYPE_CHECKING:
    from modelmesh.errors import ProviderError


def cooldown(breaker: CircuitBreaker, error: ProviderError, policy: CircuitPolicy, draw: Callable[[], float]) -> float:
    """Return the cooldown in seconds: the vendor's, else the configured one, else that of the failure class.

    Args:
        breaker: The breaker that opens. Each opening in a row for the same failure class doubles the cooldown.
        error: The failure.
        policy: Settings of the pool.
        draw: Returns random numbers in [0, 1), for jitter.
    """
    if error.upstream_delay_s is not None:
        return min(error.upstream_delay_s * (1 + 0.1 * draw()), MAX_SERVER_DELAY_S)  # never less than the vendor stated
    failure = error.failure
    configured = policy.probe_interval if failure in KEY_FAILURES else policy.cooldown
    if configured is not None:
        return configured
    rule, step = RULES[failure], breaker.backoff_steps.get(failure, 0)
    if rule.effect is Effect.COUNT_FAILURE or not rule.cooldown_s:
        return min(OPEN_CAP_S, OPEN_S * 2.0 ** min(step, 20)) * (1 + 0.2 * draw())
    if failure is FailureClass.THROTTLE:
        return equal_jitter(step, rule.cooldown_s, rule.cooldown_cap_s, draw)
    return rule_cooldown(breaker, failure)


def rule_cooldown(breaker: CircuitBreaker, failure: FailureClass) -> float:
    """Return the cooldown in seconds by the rule of a failure class, without jitter."""
    rule = RULES[failure]
    return min(rule.cooldown_cap_s, rule.cooldown_s * 2.0 ** min(breaker.backoff_steps.get(failure, 0), 20))
