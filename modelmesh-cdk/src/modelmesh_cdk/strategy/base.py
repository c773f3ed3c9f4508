"""Base class of strategies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from modelmesh._engine.plugins import attribution
from modelmesh.contracts.candidates import Candidate, Candidates
from modelmesh.contracts.strategy import SelectionRequest, SelectionResult
from modelmesh_cdk.declared_options import DeclaresOptions


class StrategyConfig(dict[str, Any]):
    """Settings of a strategy as a mapping. ``options`` is the mapping itself, as in other kinds of connectors."""

    @property
    def options(self) -> dict[str, Any]:
        """The same mapping."""
        return self


class BaseStrategy(DeclaresOptions):
    """Selects the candidate with the highest score, the earlier one on a tie.

    Override :meth:`score` for a strategy with a score, or :meth:`select` for any other. Both must change nothing. A strategy
    updates its state in :meth:`picked`, :meth:`succeeded` and :meth:`failed`. None of the methods may do I/O, because they run
    under the mesh's lock.

    Attributes:
        id: Connector ID, equal to the name of the entry point.
        config: Settings of the pool for strategies, such as ``model_priority`` and ``provider_priority``. ``config.options`` is
            the same mapping, for a strategy that reads its settings as other connectors do.
    """

    id: ClassVar[str] = "modelmesh.base-strategy.v1"

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        self.config = StrategyConfig(config or {})

    def select(self, candidates: Candidates, request: SelectionRequest) -> SelectionResult | Candidate:
        """Return one of the candidates."""
        try:
            best = candidates.best(lambda candidate: self.score(candidate, request))
        except TypeError:
            self._check_scores(candidates, request)
            raise
        assert best is not None
        score: Any = self.score(best, request)
        if not isinstance(score, int | float):
            self._check_scores(candidates, request)  # max() does not compare a single candidate
        return SelectionResult(best, score, f"highest score, {score:g}")

    def _check_scores(self, candidates: Candidates, request: SelectionRequest) -> None:
        for candidate in candidates:
            score: Any = self.score(candidate, request)
            if not isinstance(score, int | float):
                place = attribution.locate_method(self, "score")
                message = f"score() returned {type(score).__name__} (at {place}); it must return a number"
                raise TypeError(message)

    def score(self, candidate: Candidate, request: SelectionRequest) -> float:
        """Return the score of a candidate. Higher is better."""
        return 0.0

    def picked(self, candidate: Candidate, request: SelectionRequest) -> None:
        """Handle the start of an attempt at a candidate."""

    def succeeded(self, candidate: Candidate, request: SelectionRequest, outcome: Mapping[str, Any]) -> None:
        """Handle an answer of a candidate."""

    def failed(self, candidate: Candidate, request: SelectionRequest, error: Exception) -> None:
        """Handle a failure that concerns the health of a candidate."""
