"""What a strategy is made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from modelmesh._engine.plugins import attribution
from modelmesh.contracts.candidates import Candidate, Candidates
from modelmesh.contracts.strategy import SelectionRequest, SelectionResult
from modelmesh_cdk.declared_options import DeclaresOptions


class StrategyConfig(dict[str, Any]):
    """What the configuration states for a strategy, as a map; ``options`` is the map itself, as in other kinds of connector."""

    @property
    def options(self) -> dict[str, Any]:
        """The same map."""
        return self


class BaseStrategy(DeclaresOptions):
    """Chooses the candidate with the highest score, the earlier one on a tie.

    Override :meth:`score` for a strategy that is a measure, or :meth:`select` for one that is not. Both must change
    nothing; what a strategy remembers it learns from :meth:`picked`, :meth:`succeeded` and :meth:`failed`. None of
    them may do I/O: they run inside the router.

    Attributes:
        id: Connector ID, the same as the entry point's name.
        config: What the pool's configuration states for strategies: ``model_priority``, ``provider_priority`` …, as a map.
            ``config.options`` is the same map, for a strategy that reads its settings as other connectors do.
    """

    id: ClassVar[str] = "modelmesh.base-strategy.v1"

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        self.config = StrategyConfig(config or {})

    def select(self, candidates: Candidates, request: SelectionRequest) -> SelectionResult | Candidate:
        """Return one of the candidates; there is at least one."""
        try:
            best = candidates.best(lambda candidate: self.score(candidate, request))
        except TypeError:
            self._check_scores(candidates, request)
            raise
        assert best is not None
        score: Any = self.score(best, request)
        if not isinstance(score, int | float):
            self._check_scores(candidates, request)  # a single candidate is compared with nobody
        return SelectionResult(best, score, f"highest score, {score:g}")

    def _check_scores(self, candidates: Candidates, request: SelectionRequest) -> None:
        for candidate in candidates:
            score: Any = self.score(candidate, request)
            if not isinstance(score, int | float):
                place = attribution.locate_method(self, "score")
                message = f"score() returned {type(score).__name__} (at {place}); it must return a number"
                raise TypeError(message)

    def score(self, candidate: Candidate, request: SelectionRequest) -> float:
        """Return how good a candidate is; higher is better."""
        return 0.0

    def picked(self, candidate: Candidate, request: SelectionRequest) -> None:
        """Hear that an attempt at this candidate begins."""

    def succeeded(self, candidate: Candidate, request: SelectionRequest, outcome: Mapping[str, Any]) -> None:
        """Hear that it answered."""

    def failed(self, candidate: Candidate, request: SelectionRequest, error: Exception) -> None:
        """Hear that it failed in a way that says something about its health."""
