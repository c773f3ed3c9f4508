"""Selection of the model with the shortest expected time to the first content."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import islice
from typing import Any, ClassVar

from attrs import frozen

from modelmesh.contracts import Candidate, Candidates, SelectionRequest, SelectionResult
from modelmesh.errors import ConfigurationError, ProviderTimeoutError
from modelmesh_cdk import BaseStrategy
from modelmesh_strategy_latency_first.latencies import Latencies

EXPLORATION_SHARE = 1 / 16
"""Share of requests that explore models other than the fastest."""

MAX_LEADERS = 2
"""Number of the fastest known models that are compared."""

MAX_DRAWS = 6
"""Random draws of a pool member before candidates are counted instead."""

MAX_SEARCHED = 16
"""Number of the fastest known models that are searched for candidates. The others may be unavailable."""


@frozen
class Estimate:
    """Expected latency of a candidate.

    Attributes:
        too_slow: Whether it exceeds ``max_latency_ms``.
        cost: Latency in seconds, weighted by the requests in flight and by the slow start.
        candidate: The candidate.
        seconds: Latency without weights.
        known: Whether the latency was observed. Otherwise it is the median of the observed models.
    """

    too_slow: bool
    cost: float
    candidate: Candidate
    seconds: float
    known: bool


class LatencyFirst(BaseStrategy):
    """Selects the model with the shortest expected time to the first content.

    The strategy observes the time to the first content of a stream, or to the whole of a plain answer, in separate averages. The
    averages are peak-sensitive: a longer observation counts in full at once, a shorter one gradually, with a time constant of
    10 s. An average is multiplied by a factor for the requests in flight, and divided by the slow start weight after a recovery.
    Each selection compares two candidates drawn at random and the two fastest known ones. A model without observations has the
    median latency.

    One request in sixteen explores: it compares only two random candidates, by averages that decay without observations. A model
    that was slow, or that was never tried, therefore receives requests again.
    """

    id: ClassVar[str] = "modelmesh.latency-first.v1"
    options: ClassVar[Collection[str]] = ("max_latency_ms",)

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        """Take the settings.

        Args:
            config: ``max_latency_ms``: a slower model is selected last. It does not go to standby.

        Raises:
            ConfigurationError: ``max_latency_ms`` is not a positive number.
        """
        super().__init__(config)
        most = self.config.get("max_latency_ms")
        if most is not None and (isinstance(most, bool) or not isinstance(most, int | float) or not most > 0):
            message = (
                f"{self.id}: selection.max_latency_ms is {most!r}, which is not a positive number of milliseconds. "
                "Correct it or leave it out. Check again with: modelmesh check"
            )
            raise ConfigurationError(message)
        self._most = None if most is None else most / 1000
        self._latencies = {False: Latencies(), True: Latencies()}

    def select(self, candidates: Candidates, request: SelectionRequest) -> SelectionResult:
        """Return the fastest of a few candidates."""
        number = len(candidates)
        if number == 1:
            only = self._estimate(candidates.pick(0), request)
            return SelectionResult(only.candidate, -only.cost, f"sole candidate; {_describe(only)}")
        explores = request.rng.random() < EXPLORATION_SHARE
        compared = _draw_two(candidates, number, request.rng)
        if not explores:
            compared += islice((c for c in islice(self._of(request).shortest(), MAX_SEARCHED) if c in candidates), MAX_LEADERS)
        place = candidates.pool.position
        estimates = [self._estimate(one, request, decayed=explores) for one in dict.fromkeys(compared)]
        best = min(estimates, key=lambda one: (one.too_slow, one.cost, explores and one.known, place(one.candidate)))
        if explores:
            best = self._estimate(best.candidate, request)
            return SelectionResult(best.candidate, -best.cost, f"exploration; {_describe(best)}")
        return SelectionResult(best.candidate, -best.cost, f"fastest of {len(estimates)} compared; {_describe(best)}")

    def score(self, candidate: Candidate, request: SelectionRequest) -> float:
        """Return the negative weighted latency in seconds."""
        return -self._estimate(candidate, request).cost

    def succeeded(self, candidate: Candidate, request: SelectionRequest, outcome: Mapping[str, Any]) -> None:
        """Observe the time to the first content."""
        seconds = outcome.get("first_content_seconds")
        if isinstance(seconds, int | float) and seconds >= 0 and candidate.memberships:
            self._of(request).observe(candidate, float(seconds), request.now + seconds)

    def failed(self, candidate: Candidate, request: SelectionRequest, error: Exception) -> None:
        """Observe a timeout as a latency of at least its length."""
        if isinstance(error, ProviderTimeoutError) and error.timeout_seconds and candidate.memberships:
            self._of(request).observe(candidate, error.timeout_seconds, request.now + error.timeout_seconds)

    def _of(self, request: SelectionRequest) -> Latencies:
        return self._latencies[request.call.stream]

    def _estimate(self, candidate: Candidate, request: SelectionRequest, *, decayed: bool = False) -> Estimate:
        """Return the expected latency of a candidate.

        Args:
            candidate: The candidate.
            request: The request, for its time and kind.
            decayed: Use the decayed average, which is 0 for an idle model without observations.
        """
        latencies = self._of(request)
        known = latencies.of(candidate)
        seconds = latencies.median if known is None else known.seconds
        counts = seconds
        if decayed:
            counts = known.decayed(request.now) if known else seconds if candidate.in_flight else 0.0
        busy = 1 + (candidate.in_flight + candidate.provider_in_flight) / 2  # the models of an account may share its capacity
        share = candidate.slow_start_weight(request.now)
        too_slow = self._most is not None and counts > self._most
        return Estimate(too_slow, counts * busy / share, candidate, seconds, known is not None)


def _draw_two(candidates: Candidates, number: int, rng: Any) -> list[Candidate]:
    """Return two random candidates, each pair with the same probability."""
    members, found = candidates.pool.members, []
    complete = number == len(members)  # a lookup among ten thousand members takes as long as a draw
    for _ in range(MAX_DRAWS):  # faster than picking the n-th candidate where most members are candidates
        one = members[int(rng.random() * len(members))]
        if (complete or one in candidates) and one not in found:
            found.append(one)
            if len(found) == 2:  # noqa: PLR2004
                return found
    first = int(rng.random() * number)
    other = int(rng.random() * (number - 1))
    return [candidates.pick(first), candidates.pick(other + (other >= first))]


def _describe(estimate: Estimate) -> str:
    if not estimate.known:
        return "not tried before"
    busy = estimate.candidate.in_flight
    return f"{estimate.seconds * 1000:.0f} ms to first content" + (f", {busy} in flight" if busy else "")
