"""The rotation of one request: who is asked next, who is asked again, and after how long."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import define, field

from modelmesh.contracts.call import Call
from modelmesh.contracts.strategy import SelectionRequest, SelectionResult
from modelmesh.errors import ProviderError, RoutingError
from modelmesh.routing import verdicts
from modelmesh.routing.attempts import Attempt
from modelmesh.routing.candidates import Candidate, Candidates
from modelmesh.routing.circuits import Circuit
from modelmesh.routing.classes import RULES, FailureClass, SameTarget, Scope
from modelmesh.routing.delays import equal_jitter, full_jitter
from modelmesh.routing.ledger import Refusal
from modelmesh.routing.policy import MOST_WAITING, RETRY_COST, THROTTLE_COST, Backoff, RetryPolicy, RetryScope
from modelmesh.routing.pool import Pool

LEAST_LEFT_S = 1.0
"""A further attempt is not begun with less than this left of the request's time."""

QUEUE_LOOK_S = 0.05
"""How often a request in the queue looks whether there is room."""

TOO_LONG = "context_length_exceeded"
"""Code of a prompt that is too long for the model; only a larger window is worth a try."""


@define(eq=False)
class Considered:
    """The sets a choice was made from, kept as masks so that remembering them costs nothing.

    Attributes:
        able: Members that can do what the request needs.
        available: Members that were ready when the request came.
        tried: Members that were asked.
    """

    able: int
    available: int
    tried: int = 0


@define(eq=False)
class Rotation:
    """The state of one flow."""

    call: Call
    pool: Pool
    clock: Callable[[], float]
    rng: Any
    selection: SelectionRequest
    considered: Considered
    ends: float
    attempts: list[Attempt] = field(factory=list)
    avoided: int = 0
    kept_to: int = 0
    kin: int = 0
    waited: float = 0.0
    queued: float = 0.0
    panicked: bool = False
    last_error: ProviderError | None = None
    refusals: dict[int, Refusal] = field(factory=dict)

    # -- who is next ------------------------------------------------------------------------------------------------

    def untried(self) -> int:
        """Return the able and ready members that were not asked yet."""
        return self.considered.able & self.pool.available & ~self.considered.tried

    def choose(self) -> tuple[Candidate, str] | None:
        """Return who is asked next, and why; ``None`` when nobody can be."""
        open_ = self.untried()
        preferred = self.call.options.preferred_provider
        if preferred:
            open_ = open_ & self.pool.mask_of_provider(preferred) or open_
        open_ = open_ & ~self.avoided or open_
        open_ = open_ & self.kept_to or open_
        if open_:
            return self._ask_strategy(Candidates(self.pool, open_))
        return self._due_soonest()

    def _ask_strategy(self, candidates: Candidates) -> tuple[Candidate, str]:
        strategy = self.pool.strategy
        try:
            chosen = strategy.select(candidates, self.selection)
        except RoutingError:
            raise  # a strategy may refuse
        except Exception as error:
            raise verdicts.broken_strategy(self.pool, error) from error
        candidate, reason = (chosen.candidate, chosen.reason) if isinstance(chosen, SelectionResult) else (chosen, "")
        if candidate not in candidates:
            raise verdicts.stranger_chosen(self.pool, candidate)
        return candidate, reason or f"chosen by {strategy.id}"

    def _due_soonest(self) -> tuple[Candidate, str] | None:
        """When every one is off, the circuits may all be wrong: one request finds out, at the one due soonest."""
        if self.panicked or self.attempts or not self.pool.policy.panic:
            return None
        off = Candidates(self.pool, self.considered.able & self.pool.in_use & ~self.considered.tried)
        due = [(_due(c), place, c) for place, c in enumerate(off) if _may_panic(c)]
        if not due:
            return None
        self.panicked = True
        return min(due)[2], "every model is off; this one is due soonest"

    # -- what a failure means ---------------------------------------------------------------------------------------

    def retry_delay(self, error: ProviderError, candidate: Candidate, retries: int) -> float | None:
        """Seconds to wait before asking the same candidate again; ``None`` to go on to the next."""
        policy = self.pool.policy
        if not self.may_ask_again(candidate, error):
            return None
        if policy.retry.scope is not RetryScope.SAME_MODEL:
            return None
        allowed = self._retries_allowed(error, policy.retry, alone=self.alone(candidate))
        if error.should_retry is not None:
            allowed = max(allowed, 1) if error.should_retry and self.alone(candidate) else allowed * error.should_retry
        if candidate.account.max_retries is not None:
            allowed = min(allowed, candidate.account.max_retries)
        if retries >= allowed or len(self.attempts) >= policy.max_attempts:
            return None
        if RULES[error.failure].same_target is not SameTarget.ONCE and not candidate.health.pay(
            THROTTLE_COST if error.failure is FailureClass.THROTTLE else RETRY_COST
        ):
            return None
        told = error.upstream_delay_s if policy.retry.honor_retry_after else None
        left = self.ends - self.clock()
        if told is not None:
            wait = told * (1 + 0.1 * self.rng.random())
            return wait if told <= min(policy.longest_wait, left - LEAST_LEFT_S) else None
        wait = self._backoff(error, policy.retry, retries)
        return wait if wait <= left - LEAST_LEFT_S else None

    def may_ask_again(self, candidate: Candidate, error: ProviderError) -> bool:
        """Whether its circuit lets a second try through; that of the only candidate there is does within one request."""
        if self.panicked:
            return False
        ready = candidate.health.ready and candidate.account.ready
        return ready or error.upstream_delay_s is not None or self.considered.able.bit_count() == 1

    def alone(self, candidate: Candidate) -> bool:
        """Whether no other able candidate is ready, tried in this request or not."""
        place = self.pool.position(candidate)
        mine = 0 if place is None else 1 << place
        return not self.considered.able & self.pool.available & ~mine

    @staticmethod
    def _retries_allowed(error: ProviderError, retry: RetryPolicy, *, alone: bool) -> int:
        if retry.non_retryable_codes is not None and error.status in retry.non_retryable_codes:
            return 0
        same_target = RULES[error.failure].same_target
        listed = retry.retryable_codes is not None and error.status in retry.retryable_codes
        unlisted = retry.retryable_codes is not None and error.status is not None and not listed
        if unlisted or (same_target is SameTarget.NEVER and not listed):
            return 0
        if retry.max_attempts is not None:
            return retry.max_attempts
        if not alone:
            return 0
        return 1 if same_target in (SameTarget.ONCE, SameTarget.ALONE_ONCE) else 3

    def _backoff(self, error: ProviderError, retry: RetryPolicy, retries: int) -> float:
        if error.failure is FailureClass.NOT_SENT:
            return 0.0
        if retry.backoff is not Backoff.EXPONENTIAL_JITTER:
            return min(retry.initial_delay, retry.max_delay)
        if error.failure is FailureClass.THROTTLE:
            return equal_jitter(retries, retry.initial_delay * 2, retry.max_delay, self.rng.random)
        return full_jitter(retries, retry.initial_delay, retry.max_delay, self.rng.random)

    def leave(self, candidate: Candidate, error: ProviderError) -> None:
        """Do not come back to a candidate, nor first to what shares the cause of its failure."""
        place = self.pool.position(candidate)
        if place is not None:
            self.considered.tried |= 1 << place
        if self.pool.policy.retry.scope is RetryScope.SAME_PROVIDER:
            self.keep_to_provider(candidate, error)
        if error.failure is FailureClass.CAPABILITY and error.code == TOO_LONG:
            self.considered.tried |= self.pool.not_larger(candidate)
        if RULES[error.failure].scope is Scope.ACCOUNT:
            self.avoided |= self.pool.mask_of_account(candidate)

    def refuse(self, candidate: Candidate, refusal: Refusal) -> None:
        """Pass over a candidate whose limits the request does not fit."""
        place = self.pool.position(candidate)
        assert place is not None  # it was chosen from this pool
        self.refusals[place] = refusal
        self.considered.able &= ~(1 << place)

    def is_refused(self, candidate: Candidate) -> bool:
        """Whether a candidate was passed over for its limits."""
        return self.pool.position(candidate) in self.refusals

    def keep_to_provider(self, candidate: Candidate, error: ProviderError) -> None:
        """Try other models of the same provider before those of others, as often as retries were allowed."""
        retry = self.pool.policy.retry
        self.kin += 1
        worth_it = RULES[error.failure].same_target is not SameTarget.NEVER
        allowed = 3 if retry.max_attempts is None else retry.max_attempts
        self.kept_to = self.pool.mask_of_account(candidate) if worth_it and self.kin <= allowed else 0

    def wait_for_room(self) -> float | None:
        """Seconds to wait for a place at an account that only is full; ``None`` when there is nothing to wait for."""
        crowded = [
            account
            for account in self.pool.crowded(self.considered.able & ~self.considered.tried)
            if account.waiting < MOST_WAITING
        ]
        left = self.pool.policy.queue_wait - self.queued
        if not crowded or left <= 0 or self.ends - self.clock() <= LEAST_LEFT_S:
            return None
        self.queued += QUEUE_LOOK_S
        return min(QUEUE_LOOK_S, left)

    def time_for_another(self) -> bool:
        """Whether one more attempt fits the number and the time that a request has."""
        if len(self.attempts) >= self.pool.policy.max_attempts:
            return False
        return not self.attempts or self.ends - self.clock() >= LEAST_LEFT_S


def _due(candidate: Candidate) -> float:
    return max(candidate.health.due, candidate.account.due)


def _may_panic(candidate: Candidate) -> bool:
    """Only circuits of our own guessing may be second-guessed: never a vendor's delay, a refused key or a spent quota."""
    circuits = (candidate.health, candidate.account)
    return candidate.account.has_room and all(circuit.ready or _guessed(circuit) for circuit in circuits)


def _guessed(circuit: Circuit) -> bool:
    if circuit.holds or circuit.probe or circuit.told or circuit.reason is None:
        return False
    return RULES[circuit.reason].panic
