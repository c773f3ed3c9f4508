"""The rotation of one request: which candidate is tried next, which one is retried, and after how long."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import define, field

from modelmesh._engine.foundation.attempts import Attempt
from modelmesh._engine.foundation.backoff import equal_jitter, full_jitter
from modelmesh._engine.foundation.failure_rules import RULES, is_refusal
from modelmesh._engine.foundation.failures import FailureClass, RetrySame
from modelmesh._engine.health.admission_queue import Ticket
from modelmesh._engine.health.circuit_breaker import ProviderHealth
from modelmesh._engine.health.retry_policy import MAX_CALLS, RETRY_COST, THROTTLE_COST, Backoff, RetryPolicy, RetryScope
from modelmesh._engine.limits.reservations import Refusal
from modelmesh._engine.routing.availability import allows_panic, is_only_probing
from modelmesh._engine.routing.candidates import Candidate, Candidates
from modelmesh._engine.routing.pacing import Pacer
from modelmesh._engine.routing.plugin_errors import choice_not_offered, strategy_raised
from modelmesh._engine.routing.pool import Pool
from modelmesh._engine.routing.selection_sets import SelectionSets
from modelmesh.contracts.call import Call
from modelmesh.contracts.strategy import SelectionRequest, SelectionResult
from modelmesh.errors import ProviderError, RoutingError

MIN_TIME_FOR_ATTEMPT_S = 1.0
"""A further attempt is not begun with less than this left of the request's time."""

ACCOUNT_FAILURES = frozenset(
    {
        FailureClass.CONNECT,
        FailureClass.DISCONNECT,
        FailureClass.TIMEOUT,
        FailureClass.CREDENTIAL,
        FailureClass.PERMISSION,
        FailureClass.QUOTA,
        FailureClass.TRANSIENT,
        FailureClass.THROTTLE,
        FailureClass.SERVER,
        FailureClass.MISCONFIGURED,
        FailureClass.PROTOCOL,
        FailureClass.CONNECTOR_BUG,
    }
)
"""Failures that say something about the account: the next candidate is of another account if there is one."""

UNBILLED_FAILURES = frozenset(
    {
        FailureClass.CONNECT,
        FailureClass.CREDENTIAL,
        FailureClass.PERMISSION,
        FailureClass.QUOTA,
        FailureClass.MODEL_QUOTA,
        FailureClass.NOT_FOUND,
        FailureClass.CAPABILITY,
        FailureClass.REFUSED,
        FailureClass.CONNECTOR_BUG_UNSENT,
    }
)
"""Failures that cost nothing; they do not count towards the calls of a request that may be billed."""

FAILURES_TO_DEPRIORITIZE = 2
"""After this many failures of any kind, the other candidates of an account come after those of other accounts."""

MAX_BUDGET_WAIT_S = 5.0
"""Longest time that a request waits for a budget whose rest is reserved for other requests."""

TOO_LONG = "context_length_exceeded"
"""Code of a prompt that is too long for the model; only a larger window is worth a try."""


@define(eq=False)
class RequestPlan:
    """The state of one flow."""

    call: Call
    pool: Pool
    clock: Callable[[], float]
    rng: Any
    selection: SelectionRequest
    sets: SelectionSets
    ends: float
    attempts: list[Attempt] = field(factory=list)
    deprioritized: int = 0
    visited_accounts: int = 0
    restricted_to: int = 0
    same_provider_tries: int = 0
    waited: float = 0.0
    budget_waited: float = 0.0
    awaits_budget: bool = False
    panicked: bool = False
    billed_calls: int = 0
    failures: dict[int, int] = field(factory=dict)
    last_error: ProviderError | None = None
    first_refusal: ProviderError | None = None
    refusals: dict[int, Refusal] = field(factory=dict)
    end_reason: str | None = None
    gave_up_waiting: bool = False
    ticket: Ticket | None = None
    queued_at: tuple[ProviderHealth, ...] = ()
    pacer: Pacer | None = None
    pace_delay: float = 0.0

    # -- the next candidate -----------------------------------------------------------------------------------------

    def untried(self) -> int:
        """Return the eligible and available members that were not tried yet."""
        return self.sets.capable & self.pool.available & ~self.sets.tried

    def choose(self) -> tuple[Candidate, str] | None:
        """Return the next candidate and the reason for it; ``None`` when there is none, or a queue to wait in."""
        untried = self.untried() | self._granted()
        open_ = self._within_caps(untried)
        if open_ and self.pacer is not None:
            open_ = self._within_pace(open_, self.pacer)
            if not open_:
                return None
        if open_:
            kept = open_ & self.restricted_to
            open_ = kept or open_ & ~self.deprioritized or open_
            preferred = self.call.options.preferred_provider
            if preferred:
                open_ = open_ & self.pool.mask_of_provider(preferred) or open_
            return self._select(Candidates(self.pool, open_))
        if untried or (not self.gave_up_waiting and self.queueable_accounts()):
            return None
        return self._last_resort()

    def _granted(self) -> int:
        """Return the members of the account that granted this request a place."""
        granted = next((one for one in self.queued_at if self.ticket and self.ticket.granted is one.admission), None)
        if granted is None or not granted.ready:
            return 0
        return self.sets.capable & self.pool.ready_of_account(granted) & ~self.sets.tried

    def _within_caps(self, mask: int) -> int:
        """Take out the members that the caps on calls rule out; an account that was not tried yet has one call left."""
        calls = len(self.attempts)
        if not mask or not calls:
            return mask
        fresh = mask & ~self.visited_accounts
        if calls >= MAX_CALLS:
            allowed, cap = 0, f"{MAX_CALLS} calls are the most of one request"
        elif self.billed_calls >= self.pool.policy.max_attempts:
            allowed, cap = fresh, f"{self.pool.policy.max_attempts} calls that may be billed are the most of one request"
        elif calls + self.pool.index.count_accounts(fresh) >= MAX_CALLS:
            allowed, cap = fresh, f"{MAX_CALLS} calls are the most of one request"
        else:
            return mask
        self.end_reason = None if allowed else cap
        return allowed

    def _within_pace(self, mask: int, pacer: Pacer) -> int:
        """Remove the members whose pace allows no request now, and set ``pace_delay`` to the shortest wait."""
        now = self.clock()
        rested = sum(1 << place for place, c in enumerate(self.pool.members) if mask >> place & 1 and not pacer.delay(c, now))
        self.pace_delay = 0.0 if rested else pacer.shortest_delay(Candidates(self.pool, mask), now)
        return rested

    def may_wait_for_pace(self) -> bool:
        """Return whether the delay that the pool's pace demands fits the time that the request has."""
        if self.pace_delay <= self.ends - self.clock() - MIN_TIME_FOR_ATTEMPT_S:
            return True
        self.end_reason = f"rate_limit of the pool lets the next request through in {self.pace_delay:.1f} s, after the deadline"
        return False

    def _select(self, candidates: Candidates) -> tuple[Candidate, str]:
        strategy = self.pool.strategy
        try:
            chosen = strategy.select(candidates, self.selection)
        except RoutingError:
            raise  # a strategy may refuse
        except Exception as error:
            raise strategy_raised(self.pool, error) from error
        candidate, reason = (chosen.candidate, chosen.reason) if isinstance(chosen, SelectionResult) else (chosen, "")
        place = self.pool.position(candidate)
        if place is None or candidate not in candidates:
            raise choice_not_offered(self.pool, candidate)
        return self.pool.members[place], reason or f"chosen by {strategy.id}"

    def _last_resort(self) -> tuple[Candidate, str] | None:
        """Return a candidate that is tried only because the request would fail otherwise.

        In this order: one whose half-open breaker is being probed, one that ``rotate()`` put in standby, and one whose breaker
        is open by our own estimate, at an account that this request did not try.
        """
        rest = self._within_caps(self.sets.capable & ~self.sets.tried)
        probed = [c for c in Candidates(self.pool, rest & self.pool.in_use) if is_only_probing(c)]
        if probed:
            return probed[0], "no other candidate is available; its breaker is being probed"
        rotated = rest & self.pool.rotated_out
        if rotated:
            return self._select(Candidates(self.pool, rotated))[0], "no other candidate is available; it was rotated out"
        if not self.pool.policy.panic:
            return None
        due = [
            (c.available_at, place, c)
            for place, c in enumerate(Candidates(self.pool, rest & self.pool.in_use & ~self.visited_accounts))
            if allows_panic(c)
        ]
        if not due:
            return None
        self.panicked = True
        return min(due)[2], "every model is unavailable; this one is due soonest"

    # -- what a failure means ---------------------------------------------------------------------------------------

    def retry_delay(self, error: ProviderError, candidate: Candidate, retries: int) -> float | None:
        """Seconds to wait before asking the same candidate again; ``None`` to go on to the next."""
        policy = self.pool.policy
        if not (self.may_retry(candidate, error) or (_is_listed(error, policy.retry) and not self.panicked)):
            return None
        if policy.retry.scope is not RetryScope.SAME_MODEL:
            return None
        allowed = self._retries_allowed(error, policy.retry, alone=self.is_only_ready(candidate))
        forbidden = policy.retry.non_retryable_codes is not None and error.status in policy.retry.non_retryable_codes
        if error.should_retry is not None and RULES[error.failure].rotate and not forbidden:
            allowed = max(allowed, 1) if error.should_retry and self.is_only_ready(candidate) else allowed * error.should_retry
        if candidate.account.max_retries is not None:
            allowed = min(allowed, candidate.account.max_retries)
        if self.call.options.max_retries is not None:
            allowed = min(allowed, self.call.options.max_retries)
        if retries >= allowed or self.billed_calls >= policy.max_attempts or len(self.attempts) >= self._calls_for_retries():
            return None
        if RULES[error.failure].retry_same is not RetrySame.IMMEDIATELY_ONCE and not candidate.health.try_spend(
            THROTTLE_COST if error.failure is FailureClass.THROTTLE else RETRY_COST
        ):
            return None
        told = error.upstream_delay_s if policy.retry.honor_retry_after else None
        left = self.ends - self.clock()
        if told is not None:
            wait = told * (1 + 0.1 * self.rng.random())
            return wait if told <= min(policy.max_retry_after, left - MIN_TIME_FOR_ATTEMPT_S) else None
        wait = self._backoff(error, policy.retry, retries)
        return wait if wait <= left - MIN_TIME_FOR_ATTEMPT_S else None

    def _calls_for_retries(self) -> int:
        """Return how many calls there may be before retries end: one call is left for each account that was not tried."""
        return MAX_CALLS - self.pool.index.count_accounts(self.untried() & ~self.visited_accounts)

    def may_retry(self, candidate: Candidate, error: ProviderError) -> bool:
        """Whether its circuit lets a second try through; that of the only candidate there is does within one request."""
        if self.panicked:
            return False
        ready = candidate.health.ready and candidate.account.ready
        return ready or error.upstream_delay_s is not None or self.sets.capable.bit_count() == 1

    def is_only_ready(self, candidate: Candidate) -> bool:
        """Whether no other able candidate is ready, tried in this request or not."""
        place = self.pool.position(candidate)
        mine = 0 if place is None else 1 << place
        return not self.sets.capable & self.pool.available & ~mine

    @staticmethod
    def _retries_allowed(error: ProviderError, retry: RetryPolicy, *, alone: bool) -> int:
        if retry.non_retryable_codes is not None and error.status in retry.non_retryable_codes:
            return 0
        retry_same = RULES[error.failure].retry_same
        listed = _is_listed(error, retry)
        unlisted = retry.retryable_codes is not None and error.status is not None and not listed
        if unlisted or (retry_same is RetrySame.NEVER and not listed):
            return 0
        if retry.max_attempts is not None:
            return retry.max_attempts
        if not alone:
            return 0
        return 1 if retry_same in (RetrySame.IMMEDIATELY_ONCE, RetrySame.IF_ONLY_TARGET_ONCE) else 3

    def _backoff(self, error: ProviderError, retry: RetryPolicy, retries: int) -> float:
        if error.failure is FailureClass.CONNECT:
            return 0.0
        if retry.backoff is not Backoff.EXPONENTIAL_JITTER:
            return min(retry.initial_delay, retry.max_delay)
        if error.failure is FailureClass.THROTTLE:
            return equal_jitter(retries, retry.initial_delay * 2, retry.max_delay, self.rng.random)
        return full_jitter(retries, retry.initial_delay, retry.max_delay, self.rng.random)

    def record_failure(self, candidate: Candidate, error: ProviderError) -> None:
        """Count a failed call towards the caps, and note that its account was tried."""
        self.last_error = error
        self.billed_calls += error.failure not in UNBILLED_FAILURES
        account = id(candidate.account)
        self.failures[account] = self.failures.get(account, 0) + 1
        self.visited_accounts |= self.pool.index.of_account(candidate.account)

    def final_error(self, candidate: Candidate, error: ProviderError) -> ProviderError | None:
        """Return the error that ends the request after this failure; ``None`` when another candidate may be tried.

        An unexplained refusal may be a limit of this vendor or a mistake in the request. One further account decides:
        when it refuses as well, the first refusal is the answer.
        """
        rule, codes = RULES[error.failure], self.pool.policy.circuit.error_codes
        if codes is not None and error.status in codes:
            return None  # the configuration counts this status as a failure of the model
        if self.first_refusal is not None and is_refusal(error):
            return self.first_refusal
        if not rule.rotate:
            return error
        if rule.rotate_once:
            self.first_refusal = self.first_refusal or error
            self.sets.tried |= self.pool.index.of_account(candidate.account)
            self.deprioritized |= self.pool.mask_of_provider(candidate.connector_id)  # another vendor decides, if there is one
            return None if self.untried() else error
        return None

    def exclude(self, candidate: Candidate, error: ProviderError) -> None:
        """Do not return to a candidate, and try what may share the cause of its failure last."""
        place = self.pool.position(candidate)
        if place is not None:
            self.sets.tried |= 1 << place
        if self.pool.policy.retry.scope is RetryScope.SAME_PROVIDER:
            self.restrict_to_provider(candidate, error)
        if error.too_long or (error.failure is FailureClass.CAPABILITY and error.code == TOO_LONG):
            self.sets.tried |= self.pool.index.not_larger(candidate)
        if error.failure in ACCOUNT_FAILURES or self.failures.get(id(candidate.account), 0) >= FAILURES_TO_DEPRIORITIZE:
            self.deprioritized |= self.pool.index.of_account(candidate.account)

    def refuse(self, candidate: Candidate, refusal: Refusal) -> None:
        """Pass over a candidate whose limits the request does not fit."""
        place = self.pool.position(candidate)
        assert place is not None  # it was chosen from this pool
        self.refusals[place] = refusal
        self.sets.capable &= ~(1 << place)

    def is_refused(self, candidate: Candidate) -> bool:
        """Whether a candidate was passed over for its limits."""
        return self.pool.position(candidate) in self.refusals

    def waits_for_budget(self, candidate: Candidate, refusal: Refusal | None) -> bool:
        """Whether the request waits for other attempts to settle: their reservations alone refuse it or cut it short."""
        if not self.may_wait_for_budget():
            return False
        if refusal is not None and not refusal.ends_request(self.pool.policy) and self.untried().bit_count() > 1:
            return False  # another candidate may have room now
        self.awaits_budget = self.pool.reservations.should_wait(self.pool, candidate, self.call, self.clock())
        return self.awaits_budget

    def may_wait_for_budget(self) -> bool:
        """Whether the request has time left to wait for a budget."""
        return self.budget_waited < MAX_BUDGET_WAIT_S and self.ends - self.clock() > MIN_TIME_FOR_ATTEMPT_S

    def restrict_to_provider(self, candidate: Candidate, error: ProviderError) -> None:
        """Try other models of the same provider before those of others, as often as retries were allowed."""
        retry = self.pool.policy.retry
        self.same_provider_tries += 1
        worth_it = RULES[error.failure].retry_same is not RetrySame.NEVER
        allowed = 3 if retry.max_attempts is None else retry.max_attempts
        self.restricted_to = (
            self.pool.index.of_account(candidate.account) if worth_it and self.same_provider_tries <= allowed else 0
        )

    # -- the queue and the end --------------------------------------------------------------------------------------

    def queueable_accounts(self) -> tuple[ProviderHealth, ...]:
        """Return the accounts whose queue this request may join: they are healthy and only have no free place."""
        busy = self.pool.accounts_at_capacity(self.sets.capable & ~self.sets.tried)
        return tuple(account for account in busy if account in self.queued_at or not account.admission.is_full)

    def max_wait(self, accounts: tuple[ProviderHealth, ...]) -> float:
        """Return how long this request may wait for a place at these accounts, seconds."""
        left = self.ends - self.clock()
        left -= min(MIN_TIME_FOR_ATTEMPT_S, left / 2)
        waits = [account.admission.wait_s for account in accounts]
        return left if None in waits else min(left, max(wait for wait in waits if wait is not None))

    def give_up_waiting(self, seconds: float) -> None:
        """Note that no place became free in time, or that every queue is full."""
        self.gave_up_waiting = True
        busy = self.pool.accounts_at_capacity(self.sets.capable & ~self.sets.tried)
        names = ", ".join(f"{one.provider_id} ({one.in_flight} in flight, {one.admission.waiting} waiting)" for one in busy)
        if names and seconds:
            self.end_reason = f"no place became free within {seconds:.1f} s at {names}"
        elif names:
            self.end_reason = f"the queue is full at {names}"

    def has_time_for_attempt(self) -> bool:
        """Whether one more attempt fits the time that the request has."""
        if not self.attempts or self.ends - self.clock() >= MIN_TIME_FOR_ATTEMPT_S:
            return True
        if self.untried():
            self.end_reason = "the deadline of the request has passed"
        return False


def _is_listed(error: ProviderError, retry: RetryPolicy) -> bool:
    """Return whether the configuration lists this status as worth a retry; a request that was never sent is not."""
    listed = retry.retryable_codes is not None and error.status in retry.retryable_codes
    sent = error.failure is not FailureClass.CALLER and (error.failure is not FailureClass.CAPABILITY or error.body is not None)
    return listed and sent
