"""Retries at the same candidate: whether one is allowed after a failure, and after which delay."""

from __future__ import annotations

from modelmesh._engine.foundation.backoff import equal_jitter, full_jitter
from modelmesh._engine.foundation.failure_rules import RULES
from modelmesh._engine.foundation.failures import FailureClass, RetrySame
from modelmesh._engine.routing.candidates import Candidate
from modelmesh._engine.routing.plan import MIN_TIME_FOR_ATTEMPT_S, RequestPlan
from modelmesh._engine.routing.pool_policy import MAX_CALLS, RETRY_COST, THROTTLE_COST, Backoff, RetryPolicy, RetryScope
from modelmesh.errors import ProviderError

RETRIES_OF_SOLE_CANDIDATE = 3
"""Retries at a candidate that is the only available one, unless configured."""

RETRY_AFTER_JITTER = 0.1
"""Largest share by which a delay that the vendor stated is extended, so that waiting clients do not return together."""


def retry_delay(plan: RequestPlan, error: ProviderError, candidate: Candidate, retries: int) -> float | None:
    """Return the delay before a retry at the same candidate, ``None`` to fail over to the next.

    Args:
        plan: The request.
        error: Error of the latest attempt.
        candidate: The candidate of that attempt.
        retries: Retries at this candidate so far.
    """
    policy = plan.pool.policy
    if not _allows_retry(plan, error, candidate, policy.retry) or policy.retry.scope is not RetryScope.SAME_MODEL:
        return None
    if retries >= _max_retries(plan, error, candidate) or plan.billed_calls >= policy.max_attempts:
        return None
    if len(plan.attempts) >= _calls_for_retries(plan):
        return None
    if not _pay(error, candidate):
        return None
    longest = plan.time_left() - MIN_TIME_FOR_ATTEMPT_S
    stated = error.upstream_delay_s if policy.retry.honor_retry_after else None
    if stated is not None:
        delay = stated * (1 + RETRY_AFTER_JITTER * plan.rng.random())
        return delay if stated <= min(policy.max_retry_after, longest) else None
    delay = _backoff(plan, error, policy.retry, retries)
    return delay if delay <= longest else None


def _allows_retry(plan: RequestPlan, error: ProviderError, candidate: Candidate, retry: RetryPolicy) -> bool:
    """Return whether the breakers allow a retry. The breaker of a sole candidate allows it within one request."""
    if plan.panicked:
        return False
    if candidate.health.ready and candidate.account.ready:
        return True
    return error.upstream_delay_s is not None or plan.sets.capable.bit_count() == 1 or _is_retryable_status(error, retry)


def _max_retries(plan: RequestPlan, error: ProviderError, candidate: Candidate) -> int:
    """Return how many retries the policy, the vendor, the provider entry and the call allow."""
    retry = plan.pool.policy.retry
    alone = plan.is_only_available(candidate)
    allowed = _retries_by_policy(error, retry, alone=alone)
    if error.should_retry is not None and RULES[error.failure].rotate and not _is_non_retryable_status(error, retry):
        allowed = max(allowed, 1) if error.should_retry and alone else allowed * error.should_retry
    limits = (candidate.account.max_retries, plan.call.options.max_retries)
    return min([allowed, *(limit for limit in limits if limit is not None)])


def _retries_by_policy(error: ProviderError, retry: RetryPolicy, *, alone: bool) -> int:
    if _is_non_retryable_status(error, retry):
        return 0
    retry_same = RULES[error.failure].retry_same
    listed = _is_retryable_status(error, retry)
    unlisted = retry.retryable_codes is not None and error.status is not None and not listed
    if unlisted or (retry_same is RetrySame.NEVER and not listed):
        return 0
    if retry.max_attempts is not None:
        return retry.max_attempts
    if not alone:
        return 0
    return 1 if retry_same in (RetrySame.IMMEDIATELY_ONCE, RetrySame.IF_ONLY_TARGET_ONCE) else RETRIES_OF_SOLE_CANDIDATE


def _calls_for_retries(plan: RequestPlan) -> int:
    """Return the number of calls at which retries end, so that each account that was not tried has one call left."""
    return MAX_CALLS - plan.pool.index.count_accounts(plan.untried() & ~plan.visited_accounts)


def _pay(error: ProviderError, candidate: Candidate) -> bool:
    """Spend the retry budget of a candidate, and return whether it sufficed. An immediate retry is free."""
    if RULES[error.failure].retry_same is RetrySame.IMMEDIATELY_ONCE:
        return True
    return candidate.health.try_spend(THROTTLE_COST if error.failure is FailureClass.THROTTLE else RETRY_COST)


def _backoff(plan: RequestPlan, error: ProviderError, retry: RetryPolicy, retries: int) -> float:
    if error.failure is FailureClass.CONNECT:
        return 0.0
    if retry.backoff is not Backoff.EXPONENTIAL_JITTER:
        return min(retry.initial_delay, retry.max_delay)
    if error.failure is FailureClass.THROTTLE:
        return equal_jitter(retries, retry.initial_delay * 2, retry.max_delay, plan.rng.random)
    return full_jitter(retries, retry.initial_delay, retry.max_delay, plan.rng.random)


def _is_non_retryable_status(error: ProviderError, retry: RetryPolicy) -> bool:
    return retry.non_retryable_codes is not None and error.status in retry.non_retryable_codes


def _is_retryable_status(error: ProviderError, retry: RetryPolicy) -> bool:
    """Return whether the configuration lists this status as retryable. A request that was never sent has none."""
    if retry.retryable_codes is None or error.status not in retry.retryable_codes:
        return False
    if error.failure is FailureClass.CAPABILITY:
        return error.body is not None
    return error.failure is not FailureClass.CALLER
