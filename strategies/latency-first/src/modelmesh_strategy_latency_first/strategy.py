"""By the time to the first content."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import islice
from typing import Any, ClassVar

from attrs import frozen

from modelmesh.contracts import Candidate, Candidates, SelectionRequest, SelectionResult
from modelmesh.errors import ConfigurationError, ProviderTimeoutError
from modelmesh_cdk import BaseStrategy
from modelmesh_strategy_latency_first.waits import Waits

LOOK_AGAIN = 1 / 16
"""Share of requests that find out how others are now."""

LEADERS = 2
"""Of the quickest models known, so many are compared."""

DRAWS = 6
"""So often a member of the pool is drawn, in the hope that it is a candidate."""

SEARCHED = 16
"""Among so many of the quickest they are looked for; the others may be off or unable."""


@frozen
class Prospect:
    """What a request may expect of a candidate.

    Attributes:
        too_slow: Whether it takes longer than ``max_latency_ms``.
        cost: Seconds to the first content, times how busy it is.
        candidate: The candidate.
        seconds: To the first content.
        known: Whether that was observed; otherwise it is the median of those that were.
    """

    too_slow: bool
    cost: float
    candidate: Candidate
    seconds: float
    known: bool


class LatencyFirst(BaseStrategy):
    """The model that is expected to show content soonest.

    What is observed is the time to the first content of a stream, or to the whole of a plain answer; the two are kept
    apart. A longer time than expected counts in full at once, a shorter one by and by (a peak-sensitive moving average
    that decays in 10 s). It is multiplied by how busy the model and its account are, and divided by the share of its load
    that a model may have after a recovery. Compared are two candidates drawn at random and the two quickest that are
    known; a model that was never observed takes as long as the median of those that were.

    One request in sixteen compares two candidates drawn at random alone, each by what is left of its average after the
    time that nobody looked; so a model that was slow, or was never asked, is asked again.
    """

    id: ClassVar[str] = "modelmesh.latency-first.v1"
    options: ClassVar[Collection[str]] = ("max_latency_ms",)

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        """Take the settings.

        Args:
            config: ``max_latency_ms``: a model that takes longer goes last. It is not put in standby.

        Raises:
            ConfigurationError: ``max_latency_ms`` is no positive number.
        """
        super().__init__(config)
        most = self.config.get("max_latency_ms")
        if most is not None and (isinstance(most, bool) or not isinstance(most, int | float) or not most > 0):
            message = (
                f"{self.id}: selection.max_latency_ms is {most!r}, and has to be a number of milliseconds above 0, "
                "or left out. Check again with: modelmesh check"
            )
            raise ConfigurationError(message)
        self._most = None if most is None else most / 1000
        self._waits = {False: Waits(), True: Waits()}

    def select(self, candidates: Candidates, request: SelectionRequest) -> SelectionResult:
        """Return the quickest of a few."""
        number = len(candidates)
        if number == 1:
            only = self._prospect(candidates.pick(0), request)
            return SelectionResult(only.candidate, -only.cost, f"the only one; {_said(only)}")
        again = request.rng.random() < LOOK_AGAIN
        compared = _two(candidates, number, request.rng)
        if not again:
            compared += islice((c for c in islice(self._of(request).shortest(), SEARCHED) if c in candidates), LEADERS)
        place = candidates.pool.position
        prospects = [self._prospect(one, request, faded=again) for one in dict.fromkeys(compared)]
        best = min(prospects, key=lambda one: (one.too_slow, one.cost, again and one.known, place(one.candidate)))
        if again:
            best = self._prospect(best.candidate, request)
            return SelectionResult(best.candidate, -best.cost, f"looking how others are now; {_said(best)}")
        return SelectionResult(best.candidate, -best.cost, f"quickest of {len(prospects)} compared; {_said(best)}")

    def score(self, candidate: Candidate, request: SelectionRequest) -> float:
        """Minus the seconds to its first content, times how busy it is; for one never observed the median counts."""
        return -self._prospect(candidate, request).cost

    def succeeded(self, candidate: Candidate, request: SelectionRequest, outcome: Mapping[str, Any]) -> None:
        """Learn how long it took."""
        seconds = outcome.get("first_content_seconds")
        if isinstance(seconds, int | float) and seconds >= 0 and candidate.memberships:
            self._of(request).observe(candidate, float(seconds), request.now + seconds)

    def failed(self, candidate: Candidate, request: SelectionRequest, error: Exception) -> None:
        """Learn that it took at least as long as somebody waited for it."""
        if isinstance(error, ProviderTimeoutError) and error.timeout_seconds and candidate.memberships:
            self._of(request).observe(candidate, error.timeout_seconds, request.now + error.timeout_seconds)

    def _of(self, request: SelectionRequest) -> Waits:
        return self._waits[request.call.stream]

    def _prospect(self, candidate: Candidate, request: SelectionRequest, *, faded: bool = False) -> Prospect:
        """Return what to expect.

        Args:
            candidate: Of whom.
            request: When, and of what kind.
            faded: Let what nobody has looked at for a while fade; of what was never looked at nothing is left.
        """
        waits = self._of(request)
        known = waits.of(candidate)
        seconds = waits.median if known is None else known.seconds
        counts = seconds
        if faded:
            counts = known.faded(request.now) if known else seconds if candidate.in_flight else 0.0
        busy = 1 + (candidate.in_flight + candidate.provider_in_flight) / 2  # their models may share what an account has
        share = candidate.slow_start_weight(request.now)
        too_slow = self._most is not None and counts > self._most
        return Prospect(too_slow, counts * busy / share, candidate, seconds, known is not None)


def _two(candidates: Candidates, number: int, rng: Any) -> list[Candidate]:
    """Return two of the candidates by chance, any two as likely as any other."""
    members, found = candidates.pool.members, []
    for _ in range(DRAWS):  # where most members are candidates this is quicker than counting out the n-th
        one = members[int(rng.random() * len(members))]
        if one in candidates and one not in found:
            found.append(one)
            if len(found) == 2:  # noqa: PLR2004
                return found
    first = int(rng.random() * number)
    other = int(rng.random() * (number - 1))
    return [candidates.pick(first), candidates.pick(other + (other >= first))]


def _said(prospect: Prospect) -> str:
    if not prospect.known:
        return "never asked before"
    busy = prospect.candidate.in_flight
    return f"{prospect.seconds * 1000:.0f} ms to first content" + (f", {busy} in flight" if busy else "")
