"""Steps that the flow yields, outcomes that the driver sends back, and the result of a flow."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

from attrs import define, field, frozen

from modelmesh._engine.foundation.attempts import Attempt
from modelmesh._engine.health.admission_queue import Ticket
from modelmesh._engine.health.lease import LeaseGuard
from modelmesh._engine.routing.attempt_lease import AttemptLease
from modelmesh._engine.routing.candidates import Candidate
from modelmesh._engine.routing.pool import Pool
from modelmesh._engine.routing.pool_policy import StreamPolicy
from modelmesh._engine.routing.selection_sets import SelectionSets
from modelmesh._engine.routing.stream_progress import StreamProgress
from modelmesh.contracts.call import Call, Limits
from modelmesh.contracts.provider import Answer
from modelmesh.contracts.strategy import SelectionRequest
from modelmesh.errors import ProviderError


@define(eq=False)
class Send:
    """Step: send the request to this candidate.

    Attributes:
        call: The request.
        candidate: The target.
        limits: Deadlines.
        attempt: The record to fill.
        stream: How long a stream is buffered before it is passed on.
    """

    call: Call
    candidate: Candidate
    limits: Limits
    attempt: Attempt
    stream: StreamPolicy = field(factory=StreamPolicy)


@frozen
class Wait:
    """Step: wait.

    Attributes:
        seconds: Duration.
        ticket: The request waits in a queue; the driver may end the wait when the ticket is notified.
    """

    seconds: float
    ticket: Ticket | None = None


@define(eq=False)
class Opened:
    """Outcome: a stream with content.

    Attributes:
        stream: The open stream.
        events: Its iterator, positioned after ``buffered``.
        buffered: Items already read from it.
        progress: State of the answer so far.
        closed: Whether another thread closed it while it was read.
    """

    stream: Any
    events: Any
    buffered: list[Any]
    progress: StreamProgress
    closed: bool = False


@frozen
class PublishDeltas:
    """Step: publish amounts to the shared counters of all processes.

    The driver removes each amount that it sends, so the rest was not sent when the step fails. The outcome is
    :class:`Totals`, or ``None`` without shared counters.

    Attributes:
        amounts: By name of the counter.
    """

    amounts: dict[str, int]


@frozen
class Totals:
    """Outcome: totals of all processes.

    Attributes:
        by_name: By name of the counter.
        later: Amounts in them that were published for later requests.
    """

    by_name: Mapping[str, int]
    later: Mapping[str, int] = field(factory=dict)


Outcome = Totals | Answer | Opened | ProviderError | None
Step = Send | Wait | PublishDeltas


@define(eq=False)
class Served:
    """Result of a flow: an answer, or a stream that began.

    Attributes:
        pool: The pool.
        candidate: The candidate that answered.
        outcome: The answer or the open stream.
        attempts: All attempts, the successful one last.
        reason: Why the candidate was selected.
        sent: The call that the candidate received: the caller's own, or its translation to a chat completion.
        sets: The sets that it was selected from, for ``explain()``.
        lease: Records the attempt's outcome in the health tracker when a stream ends.
        request: The request as the strategy sees it.
        guard: Returns the lease when the stream is lost before its end.
    """

    pool: Pool
    candidate: Candidate
    outcome: Answer | Opened
    attempts: list[Attempt]
    reason: str
    sent: Call
    sets: SelectionSets
    lease: AttemptLease
    request: SelectionRequest
    guard: LeaseGuard


Flow = Generator[Step, Outcome, Served]
