"""What a request does next: a generator that yields steps and is sent their outcomes.

It does no I/O, reads no clock and draws no number but through what it is handed, so the synchronous and the
asynchronous driver cannot differ, a virtual clock can run a day of it in a millisecond, and a dry run is the same
code stopped at its first step.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import Any

from attrs import define, field, frozen

from modelmesh.contracts.call import Call, Limits
from modelmesh.contracts.provider import Answer
from modelmesh.contracts.strategy import SelectionRequest
from modelmesh.errors import ProviderError, RoutingError
from modelmesh.routing import verdicts
from modelmesh.routing.answers import check_answer, usage_of
from modelmesh.routing.attempts import Attempt
from modelmesh.routing.candidates import Candidate
from modelmesh.routing.circuits import Lease
from modelmesh.routing.classes import RULES, FailureClass, Scope
from modelmesh.routing.ledger import Refusal
from modelmesh.routing.policy import StreamPolicy
from modelmesh.routing.pool import Pool
from modelmesh.routing.prices import NANO, cost_nano_usd
from modelmesh.routing.progress import Progress
from modelmesh.routing.rotation import Considered, Rotation


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


@frozen
class Post:
    """Step: count these amounts, by name of the count, where other processes and later runs see them.

    Whoever sends them takes them out; what is left in it when the step fails was not sent. The outcome is
    :class:`Totals`, or nothing where there are none to be had.
    """

    amounts: dict[str, int]


@frozen
class Totals:
    """Outcome: what all processes together have counted, by name of the count."""

    by_name: Mapping[str, int]


Outcome = Totals | Answer | Opened | ProviderError | None
Step = Send | Wait | Post


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


Flow = Generator[Step, Outcome, Served]


def serve(
    call: Call, pool: Pool, *, clock: Callable[[], float], rng: Any, dry_run: bool = False, attempts: list[Attempt] | None = None
) -> Flow:
    """Serve one request.

    Args:
        call: The request.
        pool: Who may serve it.
        clock: Gives monotonic time, seconds.
        rng: Has ``random()``.
        dry_run: Stop short of changing anything; the flow is dropped at its first step.
        attempts: Takes the record; whoever drops the flow in the middle finds there what was begun.

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
    if pool.judge is not None and pool.judge.error is not None:
        error, pool.judge.error = pool.judge.error, pool.judge.error if dry_run else None
        raise error
    selection = SelectionRequest(call, pool.name, started, rng, call.options.session_id)
    total = pool.policy.limits.total if call.options.timeout is None else call.options.timeout
    record = [] if attempts is None else attempts
    run = Rotation(call, pool, clock, rng, selection, Considered(pool.able(call), pool.available), started + total, record)
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
        candidate, reason = choice
        refusal = pool.ledger.refusal(pool, candidate, call, clock())
        if refusal is not None:
            _refused(run, candidate, refusal, dry_run=dry_run)
            continue
        served = yield from _persist(run, candidate, reason, dry_run=dry_run)
        if served is not None:
            return served
        pool.rotation_events += 1
    raise verdicts.nobody(pool, call, run.considered, run.attempts, run.last_error, clock(), run.refusals)


def _refused(run: Rotation, candidate: Candidate, refusal: Refusal, *, dry_run: bool = False) -> None:
    """Go on without a candidate whose limits the request does not fit.

    Raises:
        BudgetExceededError: The limit ends the request.
    """
    if not dry_run:
        run.pool.ledger.refused(refusal, run.clock())
    run.refuse(candidate, refusal)
    if refusal.ends(run.pool.policy):
        raise verdicts.over_budget(run.pool, candidate, refusal, run.attempts)


def _persist(run: Rotation, candidate: Candidate, reason: str, *, dry_run: bool) -> Generator[Step, Outcome, Served | None]:
    """Ask one candidate, and again where the rules let it be asked again; ``None`` when the next one is to be asked."""
    retries = 0
    while True:
        served = yield from _attempt(run, candidate, reason, dry_run=dry_run)
        if served is not None or run.is_refused(candidate):
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
        refusal = run.pool.ledger.refusal(run.pool, candidate, run.call, run.clock())
        if refusal is not None:
            _refused(run, candidate, refusal)
            return None


def _queued(run: Rotation, seconds: float) -> Generator[Step, Outcome]:
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


def _attempt(run: Rotation, candidate: Candidate, reason: str, *, dry_run: bool) -> Generator[Step, Outcome, Served | None]:
    pool, call, clock = run.pool, run.call, run.clock
    attempt = Attempt(len(run.attempts) + 1, candidate.provider_id, candidate.model_id, reason, run.waited * 1000)
    now = clock()
    limits = candidate.account.limits_over(pool.policy.limits).within(max(run.ends - now, 0.001))
    if dry_run:
        yield Send(call, candidate, limits, attempt)
        return None
    lease = pool.book.begin(candidate, now)
    lease.booking = pool.ledger.reserve(pool, candidate, call, now)
    if lease.booking is not None and pool.ledger.posted is not None:
        refusal = yield from _posted(run, lease)
        if refusal is not None:
            _refused(run, candidate, refusal)
            return None
    run.waited = 0.0
    run.attempts.append(attempt)
    pool.total_requests += 1
    _notify(pool, "picked", candidate, run.selection)
    try:
        outcome = yield Send(call, candidate, limits, attempt, pool.policy.stream)
        if isinstance(outcome, Answer):
            outcome = check_answer(call, outcome)
    except BaseException:
        attempt.outcome = "cancelled"
        attempt.ms = (clock() - now) * 1000
        _failed(pool, lease, "unknown", clock())
        pool.book.release(lease)
        raise
    done = clock()
    if isinstance(outcome, ProviderError):
        outcome.provider_id, outcome.model_id = candidate.provider_id, candidate.model_id
        attempt.fail(outcome, done - now)
        run.last_error = outcome
        if isinstance(outcome.usage, Mapping) and outcome.billed != "no":
            _charged(pool, lease, attempt, candidate, outcome.usage, done)
        _failed(pool, lease, outcome.billed, done, sent=outcome.failure is not FailureClass.NOT_SENT)
        pool.book.failed(lease, outcome, done, pool.policy.circuit)
        if RULES[outcome.failure].scope is not Scope.NONE:
            _notify(pool, "failed", candidate, run.selection, outcome)
            _judged(pool, candidate, done, error=outcome)
        return None
    assert isinstance(outcome, Answer | Opened)
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


def _posted(run: Rotation, lease: Lease) -> Generator[Step, Outcome, Refusal | None]:
    """Have the reservation counted where other processes see it; one that comes too late there is given back."""
    pool, booking = run.pool, lease.booking
    assert booking is not None
    amounts = pool.ledger.post(booking)
    try:
        outcome = yield Post(amounts)
    except BaseException:
        pool.ledger.put_back(amounts)
        _failed(pool, lease, "no", run.clock(), sent=False)
        pool.book.release(lease)
        raise
    refusal = pool.ledger.adopt(booking, outcome.by_name, run.clock()) if isinstance(outcome, Totals) else None
    if refusal is not None:
        _failed(pool, lease, "no", run.clock(), sent=False)
        pool.book.release(lease)
    return refusal


def _charged(pool: Pool, lease: Lease, attempt: Attempt, candidate: Candidate, usage: Mapping[str, Any], now: float) -> None:
    """Count what an attempt without an answer took by its vendor's own word."""
    attempt.usage = dict(usage)
    cost = cost_nano_usd(candidate.info.pricing, usage, pool.ledger.epoch + now)
    attempt.cost = None if cost is None else cost / NANO
    pool.ledger.settle(lease.booking, candidate, usage, now)
    lease.booking = None


def _failed(pool: Pool, lease: Lease, billed: str, now: float, *, sent: bool = True) -> None:
    pool.ledger.fail(lease.booking, sent=sent, billed=billed, now=now)


def settle(served: Served, *, usage: dict[str, Any] | None, now: float, seconds: float) -> None:
    """Credit a served request to who served it: at once for a plain answer, at its end for a stream."""
    attempt = served.attempts[-1]
    attempt.outcome = "answered"
    attempt.usage = usage
    headers = served.outcome.headers if isinstance(served.outcome, Answer) else served.outcome.stream.headers
    served.pool.ledger.settle(served.lease.booking, served.candidate, usage, now)
    served.candidate.learn(usage, headers, now)
    served.pool.book.succeeded(served.lease, now)
    outcome = {
        "seconds": seconds,
        "first_content_seconds": (attempt.ms or 0.0) / 1000,
        "usage": usage,
        "headers": headers,
    }
    _notify(served.pool, "succeeded", served.candidate, served.request, outcome)
    _judged(served.pool, served.candidate, now, usage=usage, seconds=seconds)


def interrupt(served: Served, error: ProviderError, *, now: float) -> None:
    """Charge a stream that broke after content to who served it."""
    attempt = served.attempts[-1]
    attempt.outcome, attempt.failure, attempt.error = "interrupted", error.failure.value, type(error).__name__
    attempt.place = getattr(error, "place", None)
    _partly(served, now)
    served.pool.book.failed(served.lease, error, now, served.pool.policy.circuit)
    if RULES[error.failure].scope is not Scope.NONE:
        _notify(served.pool, "failed", served.candidate, served.request, error)
        _judged(served.pool, served.candidate, now, error=error)


def abandon(served: Served, now: float) -> None:
    """Note that the caller left a stream before its end; that says nothing about anybody's health."""
    _partly(served, now)
    if served.pool.book.release(served.lease):
        served.attempts[-1].outcome = "cancelled"


def _partly(served: Served, now: float) -> None:
    """Count a stream that did not come to its end: by its usage if that was said, else by its estimate."""
    usage = served.outcome.progress.usage if isinstance(served.outcome, Opened) else None
    served.pool.ledger.settle(served.lease.booking, served.candidate, usage, now)


def _judged(pool: Pool, candidate: Candidate, now: float, **facts: Any) -> None:
    """Ask the policies of every pool that has the model whether it goes to standby."""
    for judge in candidate.judges:
        judge.after(candidate, pool.book, now, **facts)


def _notify(pool: Pool, notice: str, *facts: Any) -> None:
    """Tell the strategy, when it wants to know; one that raises is a broken plugin."""
    told = getattr(pool.strategy, notice, None)
    if told is None:
        return
    try:
        told(*facts)
    except Exception as error:
        raise verdicts.broken_strategy(pool, error) from error
