"""What a strategy implements: which of the active models goes first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from attrs import frozen

if TYPE_CHECKING:
    from modelmesh.contracts.call import Call
    from modelmesh.contracts.candidates import Candidate, Candidates


@frozen
class SelectionRequest:
    """What a strategy may know of the request.

    Attributes:
        call: The request itself.
        pool: Name of the pool.
        now: Monotonic time, seconds.
        rng: Draws numbers in [0, 1); the same seed gives the same choices.
        session_id: The conversation, when the caller named one.
    """

    call: Call
    pool: str
    now: float
    rng: Any
    session_id: str | None = None


@frozen
class SelectionResult:
    """A choice.

    Attributes:
        candidate: One of the candidates that were offered.
        score: How good it is by the strategy's own measure; higher is better.
        reason: One line a person understands.
    """

    candidate: Candidate
    score: float = 0.0
    reason: str = ""


@runtime_checkable
class Strategy(Protocol):
    """Orders the candidates of one pool; each pool has an instance of its own.

    Called under the mesh's lock: no I/O, no waiting. ``select`` changes nothing, so that a dry run can ask it. Beside
    it a strategy may have any of these, which are called when they are there:

    - ``score(candidate, request) -> float``: how good a candidate is by its own measure, for ``explain()``
    - ``picked(candidate, request)``: an attempt at this candidate begins
    - ``succeeded(candidate, request, outcome)``: it answered; ``outcome`` has ``seconds``, ``first_content_seconds``,
      ``usage`` and ``headers``
    - ``failed(candidate, request, error)``: it failed in a way that says something about its health

    A class that is built with its pool's settings finds another strategy under ``fallback`` when it names one:
    ``default_fallback`` is an ID that ``fallback_strategy`` in the configuration replaces, ``fixed_fallback`` one that
    falls back to that in its turn.
    """

    id: str

    def select(self, candidates: Candidates, request: SelectionRequest) -> SelectionResult | Candidate:
        """Choose one of the candidates; there is at least one.

        Args:
            candidates: Those that are able and healthy now, in pool order, without those already tried.
            request: What is asked.
        """
        ...
