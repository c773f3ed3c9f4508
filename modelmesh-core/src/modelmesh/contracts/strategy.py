"""Interface of strategies: selection among the available candidates of a pool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from attrs import frozen

if TYPE_CHECKING:
    from modelmesh.contracts.call import Call
    from modelmesh.contracts.candidates import Candidate, Candidates


@frozen
class SelectionRequest:
    """The request as a strategy sees it.

    Attributes:
        call: The request.
        pool: Name of the pool.
        now: Monotonic seconds.
        rng: Random source with a method ``random()``. The same seed gives the same selections.
        session_id: ID of the conversation, ``None`` when the caller states none.
    """

    call: Call
    pool: str
    now: float
    rng: Any
    session_id: str | None = None


@frozen
class SelectionResult:
    """A selection.

    Attributes:
        candidate: One of the candidates that were offered.
        score: Score by the strategy's own measure. Higher is better.
        reason: One line of text for ``explain()`` and logs.
    """

    candidate: Candidate
    score: float = 0.0
    reason: str = ""


@runtime_checkable
class Strategy(Protocol):
    """Selects among the candidates of one pool. Each pool has an instance of its own.

    The mesh calls a strategy under its lock, so the methods do no I/O and never wait. ``select`` changes nothing, because a dry
    run calls it as well. A strategy may define further methods, which the mesh calls where they exist:

    - ``score(candidate, request) -> float``: returns the score of a candidate, for ``explain()``
    - ``picked(candidate, request)``: an attempt at the candidate begins
    - ``succeeded(candidate, request, outcome)``: the candidate answered. ``outcome`` has the keys ``seconds``,
      ``first_content_seconds``, ``usage`` and ``headers``
    - ``failed(candidate, request, error)``: the candidate failed, and the failure concerns its health

    A strategy with choices that several processes share, such as the models of conversations, defines two methods.
    A reload of the proxy's configuration hands the choices over by the same methods:

    - ``take_shared(now) -> Mapping[str, tuple[str, float]]``: returns each choice that changed since the last call, at the first
      call every choice, by its name: the name of a candidate, and the seconds until the choice expires
    - ``apply_shared(chosen, now)``: receives the choices of all processes in the same form, with the candidates in place of
      their names

    A class that is built from the settings of its pool may name another strategy, which it receives as the setting ``fallback``.
    ``default_fallback`` is an ID that ``fallback_strategy`` in the configuration replaces. ``fixed_fallback`` is an ID of a
    strategy that itself falls back to the configured one.
    """

    id: str

    def select(self, candidates: Candidates, request: SelectionRequest) -> SelectionResult | Candidate:
        """Select one of the candidates.

        Args:
            candidates: The capable and available candidates that were not tried yet, in pool order. There is at least one.
            request: The request.
        """
        ...
