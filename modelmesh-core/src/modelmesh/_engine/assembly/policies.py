"""From configuration sections to the numbers that routing uses."""

from __future__ import annotations

from modelmesh._engine.config.references import literals
from modelmesh._engine.config.schema import PoolSection, ProviderSection, TimeoutsSection
from modelmesh._engine.health.circuit_policy import CircuitPolicy
from modelmesh._engine.routing.pool_policy import PoolPolicy, RetryPolicy, StreamPolicy
from modelmesh.contracts.call import Limits

MAX_ATTEMPTS = 10
"""No request makes more upstream calls than this, whatever is configured."""


def _stated(section: TimeoutsSection) -> dict[str, float]:
    names = ("connect", "first_content", "gap", "total")
    return {name: value for name in names if (value := getattr(section, name)) is not None}


def account_limits(section: ProviderSection) -> dict[str, float]:
    """Deadlines that a provider entry sets for itself; the others are its pool's."""
    stated = _stated(section.timeouts)
    return stated if section.timeout is None else {**stated, "answer": section.timeout}


NEVER = 1 << 30
"""Failures in a row that no model comes to."""


def pool_policy(section: PoolSection, *, own_strikes: bool = False) -> PoolPolicy:
    """Everything a pool routes by.

    Args:
        section: What the configuration says.
        own_strikes: Whether a policy of its own decides how many failures are too many, so that the circuits do not.
    """
    retry, off, back = section.retry, section.deactivation, section.recovery
    attempts = PoolPolicy().max_attempts
    if retry.max_attempts is not None:
        attempts = min(MAX_ATTEMPTS, max(attempts, retry.max_attempts + 2))  # a rotation must stay possible
    return PoolPolicy(
        limits=Limits(**_stated(section.timeouts)),
        max_attempts=attempts,
        retry=RetryPolicy(
            retry.max_attempts,
            retry.backoff,
            retry.initial_delay,
            retry.max_delay,
            retry.retryable_codes,
            retry.non_retryable_codes,
            retry.scope,
            retry.honor_retry_after,
        ),
        circuit=CircuitPolicy(
            failure_threshold=NEVER if own_strikes else off.retry_limit,
            error_rate_threshold=2.0 if own_strikes else off.error_rate_threshold,
            error_codes=off.error_codes,
            cooldown=back.cooldown,
            probe_interval=back.probe_interval,
            outage_takes_account=section.provider_deactivation != "on_auth_failure" and not own_strikes,
            account_by_hand=section.provider_recovery == "on_manual",
        ),
        stream=StreamPolicy(section.stream.commit, section.stream.tokens, section.stream.seconds),
        adaptation=section.adaptation,
        rotate_on_budget=section.on_budget_exceeded == "rotate",
    )


def strategy_settings(section: PoolSection) -> dict[str, object]:
    """What a strategy is told of its pool's configuration."""
    return {
        "model_priority": list(section.model_priority),
        "provider_priority": list(section.provider_priority),
        "fallback_strategy": section.fallback_strategy,
        "balance_mode": section.balance_mode,
        "rate_limit": {
            "threshold": section.rate_limit.threshold,
            "min_delta": section.rate_limit.min_delta,
            "max_rpm": section.rate_limit.max_rpm,
        },
        **literals(section.selection),
    }
