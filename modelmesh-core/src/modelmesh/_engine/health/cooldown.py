"""How long something is off after a failure."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from modelmesh._engine.foundation.backoff import MAX_SERVER_DELAY_S, equal_jitter
from modelmesh._engine.foundation.failure_rules import RULES
from modelmesh._engine.foundation.failures import Effect, FailureClass
from modelmesh._engine.health.circuit_breaker import KEY_FAILURES, CircuitBreaker
from modelmesh._engine.health.retry_policy import OPEN_CAP_S, OPEN_S, CircuitPolicy

if TYPE_CHECKING:
    from modelmesh.errors import ProviderError


def cooldown(circuit: CircuitBreaker, error: ProviderError, policy: CircuitPolicy, draw: Callable[[], float]) -> float:
    """Return for how many seconds: what the vendor said, else what was configured, else by the row of the class.

    Args:
        circuit: What failed; each time in a row that it opens for a class, it is off for longer.
        error: The failure.
        policy: What the pool says.
        draw: Gives numbers in [0, 1), for jitter.
    """
    if error.upstream_delay_s is not None:
        return min(error.upstream_delay_s * (1 + 0.1 * draw()), MAX_SERVER_DELAY_S)  # never less than the vendor stated
    failure = error.failure
    set_by_hand = policy.probe_interval if failure in KEY_FAILURES else policy.cooldown
    if set_by_hand is not None:
        return set_by_hand
    rule, step = RULES[failure], circuit.backoff_steps.get(failure, 0)
    if rule.effect is Effect.COUNT_FAILURE or not rule.cooldown_s:
        return min(OPEN_CAP_S, OPEN_S * 2.0 ** min(step, 20)) * (1 + 0.2 * draw())
    if failure is FailureClass.THROTTLE:
        return equal_jitter(step, rule.cooldown_s, rule.cooldown_cap_s, draw)
    return min(rule.cooldown_cap_s, rule.cooldown_s * 2.0 ** min(step, 20))
