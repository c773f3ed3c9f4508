"""State of one request: what was tried, what is excluded, and how much time is left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import define, field

from modelmesh._engine.foundation.attempts import Attempt
from modelmesh._engine.foundation.failure_rules import RULES, is_refusal
from modelmesh._engine.foundation.failures import FailureClass, RetrySame
from modelmesh._engine.health.admission_queue import Ticket
from modelmesh._engine.health.provider_health import ProviderHealth
from modelmesh._engine.limits.reservation import LimitCheck, LimitExceeded
from modelmesh._engine.routing.candidates import Candidate
from modelmesh._engine.routing.pacing import Pacer
from modelmesh._engine.routing.pool import Pool
from modelmesh._engine.routing.pool_policy import RetryScope
from modelmesh._engine.routing.selection_sets import SelectionSets
from modelmesh.contracts.call import Call
from modelmesh.contracts.strategy import SelectionRequest
from modelmesh.errors import ProviderError

MIN_TIME_FOR_ATTEMPT_S = 1.0
"""Remaining time of the request below which no further attempt begins."""

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
"""Failures that concern the provider account: candidates of other accounts are preferred afterwards."""

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
"""Failures that cost nothing. They do not count towards the calls of a request that may be billed."""

FAILURES_TO_DEPRIORITIZE = 2
"""Failures of any kind at one account after which candidates of other accounts are preferred."""

MAX_BUDGET_WAIT_S = 5.0
"""Longest time that a request waits for a budget that is reserved for other requests."""

DEFAULT_SAME_PROVIDER_TRIES = 3
"""Failures after which a request with the retry scope ``same_provider`` leaves the provider, unless configured."""

CONTEXT_LENGTH_CODE = "context_length_exceeded"
"""Code of a prompt that is too long for the model. Only models with a larger context window are tried afterwards."""


@define(eq=False, kw_only=True)
class RequestPlan:
    """State of one request. Sets of members are masks of its pool.

    Attributes:
        call: The request.
        pool: The pool that serves it.
        clock: Returns monotonic time, seconds.
        rng: Random source with a method ``random()``.
        selection: The request as the strategy sees it.
        sets: Members that can serve it, were available, and were tried.
        deadline: Monotonic seconds at which it ends.
        attempts: Attempts so far.
        pacer: Limits the request rate of each member, ``None`` for any rate.
        pace_delay: Seconds until the pacer allows the first member, 0 when it allows one now.
        deprioritized: Members that are tried after the others.
        restricted_to: Members that are tried before the others, by the retry scope ``same_provider``. 0 for no restriction.
        same_provider_tries: Failures that extended this restriction.
        visited_accounts: Members of accounts that received a call.
        failures: Number of failures by ``id()`` of the account.
        billed_calls: Calls that may have been billed.
        last_error: Error of the latest attempt.
        first_refusal: First refusal without an explanation, see :meth:`final_error`.
        exceeded_limits: Limits that the request did not fit, by position of the member.
        waited: Seconds that it waited since the latest attempt.
        queue_note: What it waited for in a queue since the latest attempt, ``None`` without such a wait.
        budget_waited: Seconds that it waited for budgets.
        awaits_budget: Whether it waits for other attempts to settle before it selects again.
        gave_up_waiting: Whether it leaves the queues for good.
        ticket: Its place in the queues, ``None`` outside of them.
        queued_at: Accounts with a queue that it joined.
        panicked: Whether it tried a candidate in spite of an open breaker.
        end_reason: Why it ended before every candidate was tried.
    """

    call: Call
    pool: Pool
    clock: Callable[[], float]
    rng: Any
    selection: SelectionRequest
    sets: SelectionSets
    deadline: float
    attempts: list[Attempt] = field(factory=list)
    pacer: Pacer | None = None
    pace_delay: float = 0.0
    deprioritized: int = 0
    restricted_to: int = 0
    same_provider_tries: int = 0
    visited_accounts: int = 0
    failures: dict[int, int] = field(factory=dict)
    billed_calls: int = 0
    last_error: ProviderError | None = None
    first_refusal: ProviderError | None = None
    exceeded_limits: dict[int, LimitExceeded] = field(factory=dict)
    waited: float = 0.0
    queue_note: str | None = None
    budget_waited: float = 0.0
    awaits_budget: bool = False
    gave_up_waiting: bool = False
    ticket: Ticket | None = None
    queued_at: tuple[ProviderHealth, ...] = ()
    panicked: bool = False
    end_reason: str | None = None

    # -- time and candidates that are left ------------------------------------------------------------------------------

    def time_left(self) -> float:
        """Return the seconds until the deadline."""
        return self.deadline - self.clock()

    def has_time_for_attempt(self) -> bool:
        """Return whether one more attempt fits the time that is left."""
        if not self.attempts or self.time_left() >= MIN_TIME_FOR_ATTEMPT_S:
            return True
        if self.untried():
            self.end_reason = "the deadline of the request has passed"
        return False

    def untried(self) -> int:
        """Return the capable and available members that were not tried yet."""
        return self.sets.capable & self.pool.available & ~self.sets.tried

    def is_only_available(self, candidate: Candidate) -> bool:
        """Return whether no other capable member is available, whether it was tried or not."""
        return not self.sets.capable & self.pool.available & ~self.pool.index.bit(candidate)

    def queueable_accounts(self) -> tuple[ProviderHealth, ...]:
        """Return the accounts with a queue that this request may join: healthy ones without a free slot."""
        busy = self.pool.accounts_at_capacity(self.sets.capable & ~self.sets.tried)
        return tuple(account for account in busy if account in self.queued_at or not account.admission.is_full)

    # -- after a failure ------------------------------------------------------------------------------------------------

    def record_failure(self, candidate: Candidate, error: ProviderError) -> None:
        """Count a failed call towards the caps, and record that its account was tried."""
        self.last_error = error
        self.billed_calls += error.failure not in UNBILLED_FAILURES
        account = id(candidate.account)
        self.failures[account] = self.failures.get(account, 0) + 1
        self.visited_accounts |= self.pool.index.of_account(candidate.account)

    def final_error(self, candidate: Candidate, error: ProviderError) -> ProviderError | None:
        """Return the error that ends the request after a failure, ``None`` when another candidate may be tried.

        A refusal without an explanation may come from a limit of this vendor or from a mistake in the request. One further
        account decides: when it refuses as well, the first refusal is the final error.
        """
        rule = RULES[error.failure]
        codes = self.pool.policy.circuit.error_codes
        if codes is not None and error.status in codes:
            return None  # the configuration counts this status as a failure of the model
        if self.first_refusal is not None and is_refusal(error):
            return self.first_refusal
        if not rule.rotate:
            return error
        if not rule.rotate_once:
            return None
        self.first_refusal = self.first_refusal or error
        self.sets.tried |= self.pool.index.of_account(candidate.account)
        self.deprioritized |= self.pool.mask_of_provider(candidate.connector_id)  # prefer another vendor
        return None if self.untried() else error

    def exclude(self, candidate: Candidate, error: ProviderError) -> None:
        """Exclude a candidate after a failure, and deprioritize those that may share its cause."""
        index = self.pool.index
        self.sets.tried |= index.bit(candidate)
        if self.pool.policy.retry.scope is RetryScope.SAME_PROVIDER:
            self._restrict_to_provider(candidate, error)
        if error.too_long or (error.failure is FailureClass.CAPABILITY and error.code == CONTEXT_LENGTH_CODE):
            self.sets.tried |= index.not_larger(candidate)
        if error.failure in ACCOUNT_FAILURES or self.failures.get(id(candidate.account), 0) >= FAILURES_TO_DEPRIORITIZE:
            self.deprioritized |= index.of_account(candidate.account)

    def _restrict_to_provider(self, candidate: Candidate, error: ProviderError) -> None:
        """Try other models of the same provider first, for as many failures as retries are allowed."""
        retry = self.pool.policy.retry
        self.same_provider_tries += 1
        allowed = DEFAULT_SAME_PROVIDER_TRIES if retry.max_attempts is None else retry.max_attempts
        if RULES[error.failure].retry_same is RetrySame.NEVER or self.same_provider_tries > allowed:
            self.restricted_to = 0
        else:
            self.restricted_to = self.pool.index.of_account(candidate.account)

    # -- limits ---------------------------------------------------------------------------------------------------------

    def record_exceeded(self, candidate: Candidate, exceeded: LimitExceeded) -> None:
        """Exclude a candidate when the request does not fit its limits."""
        position = self.pool.position(candidate)
        assert position is not None  # it was selected from this pool
        self.exceeded_limits[position] = exceeded
        self.sets.capable &= ~(1 << position)

    def has_exceeded_limit(self, candidate: Candidate) -> bool:
        """Return whether a candidate was excluded for its limits."""
        return self.pool.position(candidate) in self.exceeded_limits

    def waits_for_budget(self, check: LimitCheck) -> bool:
        """Return whether to wait for other attempts to settle, because only their reservations refuse or shorten this one."""
        if not self.may_wait_for_budget():
            return False
        rotates, exceeded = self.pool.policy.rotate_on_budget, check.exceeded
        if exceeded is not None and not exceeded.ends_request(rotate_on_budget=rotates) and self.untried().bit_count() > 1:
            return False  # another candidate may have room now
        self.awaits_budget = self.pool.reservations.should_wait(check)
        return self.awaits_budget

    def may_wait_for_budget(self) -> bool:
        """Return whether the time that is left allows to wait for a budget."""
        return self.budget_waited < MAX_BUDGET_WAIT_S and self.time_left() > MIN_TIME_FOR_ATTEMPT_S
