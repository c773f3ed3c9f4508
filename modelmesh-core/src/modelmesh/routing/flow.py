"""What a request does next: a generator that yields steps and is sent their outcomes.

It does no I/O, reads no clock and draws no number but through what it is handed, so the synchronous and the
asynchronous driver cannot differ, a virtual clock can run a day of it in a millisecond, and a dry run is the same
code stopped at its first step.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from attrs import define, field, frozen

from modelmesh.contracts.call import Call, Limits
from modelmesh.contracts.provider import Answer
from modelmesh.contracts.strategy import SelectionRequest, SelectionResult
from modelmesh.errors import ProviderError, RoutingError
from modelmesh.operations import Operation, ReplyKind
from modelmesh.routing import verdicts
from modelmesh.routing.attempts import Attempt
from modelmesh.routing.candidates import Candidate, Candidates
from modelmesh.routing.classes import RULES, FailureClass, SameTarget, Scope
from modelmesh.routing.delays import equal_jitter, full_jitter
from modelmesh.routing.health import Lease
from modelmesh.routing.policy import MOST_WAITING, RETRY_COST, THROTTLE_COST, Backoff, RetryPolicy, RetryScope, StreamPolicy
from modelmesh.routing.pool import Pool
from modelmesh.routing.progress import Progress

LEAST_LEFT_S = 1.0
"""A further attempt is not begun with less than this left of the request's time."""

QUEUE_LOOK_S = 0.05
"""How often a request in the queue looks whether there is room."""

TOO_LONG = "context_length_exceeded"
"""Code of a prompt that is too long for the model; only a larger window is worth a try."""


@frozen
class Send:
    """Step: send the request to this candidate.

    Attributes:
        call: The request.
        candidate: Whom to ask.
        limits: How long it may take.
        attempt: The record to be filled.
        stream: How long a stream is held back.
    """

    call: Call
    candidate: Candidate
    limits: Limits
    attempt: Attempt
    stream: StreamPolicy = field(factory=StreamPolicy)


@frozen
class Wait:
    """Step: let this many seconds pass."""

    seconds: float


@define(eq=False)
class Opened:
    """Outcome: a stream that has shown content.

    Attributes:
        stream: The open stream.
        events: Its iterator, positioned after ``held``.
        held: Chunks already read from it.
        progress: What is known of it so far.
    """

    stream: Any
    events: Any
    held: list[dict[str, Any]]
    progress: Progress


Outcome = Answer | Opened | ProviderError | None
Step = Send | Wait


@define(eq=False)
class Served:
    """End of a flow: somebody answered, or began to.

    Attributes:
        pool: The pool that was asked.
        candidate: Who answered.
        outcome: The answer or the open stream.
        attempts: The record, the successful attempt last.
        reason: Why this candidate.
        considered: What the choice was made from, for ``explain()``.
        lease: Settles the attempt with the health book when a stream ends.
        request: What the strategy was told of the request.
    """

    pool: Pool
    candidate: Candidate
    outcome: Answer | Opened
    attempts: list[Attempt]
    reason: str
    considered: Considered
    lease: Lease
    request: SelectionRequest


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


Flow = Generator[Step, Outcome, Served]


@define(eq=False)
class _Request:
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

    # -- who is next ------------------------------------------------------------------------------------------------

    def untried(self) -> int:
        return self.considered.able & self.pool.available & ~self.considered.tried

    def choose(self) -> tuple[Candidate, str] | None:
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
        if retry.backoff is Backoff.FIXED:
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
        if len(self.attempts) >= self.pool.policy.max_attempts:
            return False
        return not self.attempts or self.ends - self.clock() >= LEAST_LEFT_S


def _due(candidate: Candidate) -> float:
    return max(candidate.health.until, candidate.account.until)


def _may_panic(candidate: Candidate) -> bool:
    """Only circuits of our own guessing may be second-guessed: never a vendor's delay, a refused key or a spent quota."""
    return candidate.account.has_room and all(
        circuit.ready or (not circuit.probe and not circuit.told and circuit.reason is not None and RULES[circuit.reason].panic)
        for circuit in (candidate.health, candidate.account)
    )


def serve(call: Call, pool: Pool, *, clock: Callable[[], float], rng: Any, dry_run: bool = False) -> Flow:
    """Serve one request.

    Args:
        call: The request.
        pool: Who may serve it.
        clock: Gives monotonic time, seconds.
        rng: Has ``random()``.
        dry_run: Stop short of changing anything; the flow is dropped at its first step.

    Yields:
        Steps. A :class:`Send` wants an :class:`Answer`, an :class:`Opened` stream or a ``ProviderError`` sent back,
        a :class:`Wait` nothing.

    Returns:
        Who answered.

    Raises:
        NoActiveModelError: No member is able and ready.
        AllProvidersExhaustedError: Every attempt failed.
        BadRequestError: The request itself is wrong.
    """
    started = clock()
    pool.book.advance(started)
    selection = SelectionRequest(call, pool.name, started, rng, call.options.session_id)
    total = pool.policy.limits.total if call.options.timeout is None else call.options.timeout
    run = _Request(call, pool, clock, rng, selection, Considered(pool.able(call), pool.available), started + total)
    while run.time_for_another():
        try:
            choice = run.choose()
        except RoutingError:
            if not run.attempts:
                raise
            break
        if choice is None:
            wait = run.wait_for_room()
            if wait is None:
                break
            yield from _queued(run, wait)
            continue
        served = yield from _persist(run, *choice, dry_run=dry_run)
        if served is not None:
            return served
        pool.rotation_events += 1
    raise verdicts.nobody(pool, call, run.considered, run.attempts, run.last_error, clock())


def _persist(run: _Request, candidate: Candidate, reason: str, *, dry_run: bool) -> Generator[Step, Outcome, Served | None]:
    """Ask one candidate, and again where the rules let it be asked again; ``None`` when the next one is to be asked."""
    retries = 0
    while True:
        served = yield from _attempt(run, candidate, reason, dry_run=dry_run)
        if served is not None:
            return served
        error = run.last_error
        assert error is not None
        if not RULES[error.failure].rotate and not _listed(error, run.pool):
            raise verdicts.as_it_is(error, run.attempts)
        delay = run.retry_delay(error, candidate, retries)
        if delay is None:
            run.leave(candidate, error)
            return None
        retries += 1
        run.waited = delay
        if delay:
            yield Wait(delay)
        run.pool.book.advance(run.clock())


def _queued(run: _Request, seconds: float) -> Generator[Step, Outcome]:
    """Let some time pass in the queue of every account that is full."""
    crowded = run.pool.crowded(run.considered.able & ~run.considered.tried)
    for account in crowded:
        account.waiting += 1
    try:
        run.waited += seconds
        yield Wait(seconds)
    finally:
        for account in crowded:
            account.waiting -= 1
    run.pool.book.advance(run.clock())


def _listed(error: ProviderError, pool: Pool) -> bool:
    """Whether the configuration counts this status as the model's fault rather than the caller's."""
    codes = pool.policy.circuit.error_codes
    return codes is not None and error.status in codes


def _attempt(run: _Request, candidate: Candidate, reason: str, *, dry_run: bool) -> Generator[Step, Outcome, Served | None]:
    pool, call, clock = run.pool, run.call, run.clock
    attempt = Attempt(len(run.attempts) + 1, candidate.provider_id, candidate.model_id, reason, run.waited * 1000)
    now = clock()
    limits = (candidate.account.limits or pool.policy.limits).within(max(run.ends - now, 0.001))
    if dry_run:
        yield Send(call, candidate, limits, attempt)
        return None
    run.waited = 0.0
    run.attempts.append(attempt)
    lease = pool.book.begin(candidate, now)
    pool.total_requests += 1
    _notify(pool, "picked", candidate, run.selection)
    try:
        outcome = yield Send(call, candidate, limits, attempt, pool.policy.stream)
        if isinstance(outcome, Answer):
            outcome = check_answer(call.operation, outcome)
    except BaseException:
        attempt.outcome = "cancelled"
        attempt.ms = (clock() - now) * 1000
        pool.book.release(lease)
        raise
    done = clock()
    if isinstance(outcome, ProviderError):
        outcome.provider_id, outcome.model_id = candidate.provider_id, candidate.model_id
        attempt.fail(outcome, done - now)
        run.last_error = outcome
        pool.book.failed(lease, outcome, done, pool.policy.circuit)
        if RULES[outcome.failure].scope is not Scope.NONE:
            _notify(pool, "failed", candidate, run.selection, outcome)
        return None
    assert outcome is not None
    attempt.ms = (done - now) * 1000
    attempt.billed = "yes"
    served = Served(pool, candidate, outcome, run.attempts, reason, run.considered, lease, run.selection)
    if isinstance(outcome, Opened):
        attempt.outcome = "streaming"
        attempt.adapted = outcome.stream.adapted
    else:
        attempt.outcome = "answered"
        attempt.adapted = outcome.adapted
        settle(served, usage=usage_of(outcome.body), now=done, seconds=done - now)
    return served


def settle(served: Served, *, usage: dict[str, Any] | None, now: float, seconds: float) -> None:
    """Credit a served request to who served it: at once for a plain answer, at its end for a stream."""
    attempt = served.attempts[-1]
    attempt.outcome = "answered"
    attempt.usage = usage
    served.pool.book.succeeded(served.lease, now)
    outcome = {
        "seconds": seconds,
        "first_content_seconds": (attempt.ms or 0.0) / 1000,
        "usage": usage,
        "headers": served.outcome.headers if isinstance(served.outcome, Answer) else served.outcome.stream.headers,
    }
    _notify(served.pool, "succeeded", served.candidate, served.request, outcome)


def interrupt(served: Served, error: ProviderError, *, now: float) -> None:
    """Charge a stream that broke after content to who served it."""
    attempt = served.attempts[-1]
    attempt.outcome, attempt.failure, attempt.error = "interrupted", error.failure.value, type(error).__name__
    served.pool.book.failed(served.lease, error, now, served.pool.policy.circuit)
    if RULES[error.failure].scope is not Scope.NONE:
        _notify(served.pool, "failed", served.candidate, served.request, error)


def abandon(served: Served) -> None:
    """Note that the caller left a stream before its end; that says nothing about anybody's health."""
    if served.pool.book.release(served.lease):
        served.attempts[-1].outcome = "cancelled"


def check_answer(operation: Operation, answer: Answer) -> Answer | ProviderError:
    """Return the answer, or the failure that an empty one is."""
    if operation.reply is ReplyKind.BYTES:
        return answer if answer.body else verdicts.no_answer("an empty body")
    if not isinstance(answer.body, dict):
        return verdicts.no_answer("not a JSON object")
    for key in operation.required:
        if not answer.body.get(key):
            return verdicts.no_answer(f"{key!r} is empty or missing")
    return answer


def usage_of(body: Any) -> dict[str, Any] | None:
    """Return the usage a vendor reported, ``None`` when it did not."""
    usage = body.get("usage") if isinstance(body, dict) else None
    return usage if isinstance(usage, dict) else None


def _notify(pool: Pool, notice: str, *facts: Any) -> None:
    """Tell the strategy, when it wants to know; one that raises is a broken plugin."""
    told = getattr(pool.strategy, notice, None)
    if told is None:
        return
    try:
        told(*facts)
    except Exception as error:
        raise verdicts.broken_strategy(pool, error) from error
