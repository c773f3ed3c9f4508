"""Conversion of configuration sections to the values that routing uses."""

from __future__ import annotations

from modelmesh._engine.config.references import literals
from modelmesh._engine.config.schema import PoolSection, ProviderSection, TimeoutsSection
from modelmesh._engine.health.circuit_policy import CircuitPolicy
from modelmesh._engine.routing.pool_policy import PoolPolicy, RetryPolicy, StreamPolicy
from modelmesh.contracts.call import Limits

MAX_ATTEMPTS = 10
"""Upper limit of upstream attempts for one request, whatever is configured."""


def _stated_timeouts(section: TimeoutsSection) -> dict[str, float]:
    names = ("connect", "first_content", "gap", "total")
    return {name: value for name in names if (value := getattr(section, name)) is not None}


def account_limits(section: ProviderSection) -> dict[str, float]:
    """Return the deadlines that a provider sets for itself. The others come from its pool."""
    stated = _stated_timeouts(section.timeouts)
    return stated if section.timeout is None else {**stated, "answer": section.timeout}


UNREACHABLE = 1 << 30
"""Failure threshold that no model reaches."""


def pool_policy(section: PoolSection, *, has_own_policy: bool = False) -> PoolPolicy:
    """Return the routing policy of a pool.

    Args:
        section: Section of the pool.
        has_own_policy: Whether a deactivation policy counts failures, so that circuit breakers must not.
    """
    retry, deactivation, recovery = section.retry, section.deactivation, section.recovery
    attempts = PoolPolicy().max_attempts
    if retry.max_attempts is not None:
        attempts = min(MAX_ATTEMPTS, max(attempts, retry.max_attempts + 2))  # leaves attempts for a failover
    return PoolPolicy(
        limits=Limits(**_stated_timeouts(section.timeouts)),
        max_attempts=attempts,
        retry=RetryPolicy(
            max_attempts=retry.max_attempts,
            backoff=retry.backoff,
            initial_delay=retry.initial_delay,
            max_delay=retry.max_delay,
            retryable_codes=retry.retryable_codes,
            non_retryable_codes=retry.non_retryable_codes,
            scope=retry.scope,
            honor_retry_after=retry.honor_retry_after,
        ),
        circuit=CircuitPolicy(
            failure_threshold=UNREACHABLE if has_own_policy else deactivation.retry_limit,
            error_rate_threshold=2.0 if has_own_policy else deactivation.error_rate_threshold,
            error_codes=deactivation.error_codes,
            cooldown=recovery.cooldown,
            probe_interval=recovery.probe_interval,
            outage_takes_account=section.provider_deactivation != "on_auth_failure" and not has_own_policy,
            account_by_hand=section.provider_recovery == "on_manual",
        ),
        stream=StreamPolicy(section.stream.commit, section.stream.tokens, section.stream.seconds),
        adaptation=section.adaptation,
        rotate_on_budget=section.on_budget_exceeded == "rotate",
    )


def strategy_settings(section: PoolSection) -> dict[str, object]:
    """Return the settings of a pool that its strategy receives."""
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
