"""By an order of preference."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from modelmesh.contracts import Candidate, Candidates, SelectionRequest, SelectionResult, Strategy
from modelmesh.errors import NoActiveModelError
from modelmesh_cdk.strategy import BaseStrategy, membership

MODEL_SCORE, PROVIDER_SCORE = 1000.0, 500.0


class PrioritySelection(BaseStrategy):
    """The first active model of ``model_priority``, else of ``provider_priority``, else what the fallback chooses.

    Each request looks anew, so a preferred model that has recovered goes first again at once. A model that several
    providers have goes to the one that ``provider_priority`` prefers. With ``fallback_strategy: error`` a request that
    no listed model can take is refused.
    """

    id: ClassVar[str] = "modelmesh.priority-selection.v1"
    options: ClassVar[Collection[str]] = ("model_priority", "provider_priority", "fallback_strategy")
    default_fallback: ClassVar[str] = "modelmesh.round-robin.v1"

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        super().__init__(config)
        self._models = tuple(self.config.get("model_priority") or ())
        self._providers = tuple(self.config.get("provider_priority") or ())
        self._fallback: Strategy | None = self.config.get("fallback")

    def select(self, candidates: Candidates, request: SelectionRequest) -> SelectionResult:
        """Return the most preferred candidate.

        Raises:
            NoActiveModelError: None is listed, and ``fallback_strategy`` is ``error``.
        """
        for place, name in enumerate(self._models):
            named = candidates.named(name)
            if named:
                worth = self._worth(MODEL_SCORE, self._models, place)
                return SelectionResult(self._of_best_provider(named), worth, _said(place, "model_priority"))
        for place, name in enumerate(self._providers):
            found = candidates.of_provider(name).first()
            if found is not None:
                worth = self._worth(PROVIDER_SCORE, self._providers, place)
                return SelectionResult(found, worth, _said(place, "provider_priority"))
        return self._otherwise(candidates, request)

    def _of_best_provider(self, named: Candidates) -> Candidate:
        choices = (named.of_provider(name).first() for name in self._providers)
        chosen = next((choice for choice in choices if choice is not None), None) or named.first()
        assert chosen is not None
        return chosen

    def _otherwise(self, candidates: Candidates, request: SelectionRequest) -> SelectionResult:
        if self._fallback is None:
            if self.config.get("fallback_strategy") == "error":
                message = (
                    f"no model of pool {request.pool!r} that its priorities list can serve this request now, and its "
                    "fallback_strategy is 'error'. List more, or name another fallback_strategy."
                )
                raise NoActiveModelError(message, pool_name=request.pool)
            first = candidates.first()
            assert first is not None  # candidates are never empty
            return SelectionResult(first, 0.0, "listed nowhere; first in pool order")
        chosen = self._fallback.select(candidates, request)
        candidate, reason = (chosen.candidate, chosen.reason) if isinstance(chosen, SelectionResult) else (chosen, "")
        return SelectionResult(candidate, 0.0, f"none of the priorities is ready; {self._fallback.id}: {reason}")

    def score(self, candidate: Candidate, request: SelectionRequest) -> float:
        """1,000 and more for a listed model, 500 and more for one of a listed provider, else 0."""
        seat = membership(candidate, request)
        if seat is None:
            return 0.0
        pool, position = seat
        for place, name in enumerate(self._models):
            if pool.mask_of_model(name) >> position & 1:
                return self._worth(MODEL_SCORE, self._models, place)
        for place, name in enumerate(self._providers):
            if pool.mask_of_provider(name) >> position & 1:
                return self._worth(PROVIDER_SCORE, self._providers, place)
        return 0.0

    @staticmethod
    def _worth(base: float, names: tuple[str, ...], place: int) -> float:
        return base + len(names) - place

    # The fallback hears of the candidates that are listed nowhere: those are the ones it is asked about.

    def picked(self, candidate: Candidate, request: SelectionRequest) -> None:
        """Let the fallback count those it chose."""
        self._tell_fallback("picked", candidate, request)

    def succeeded(self, candidate: Candidate, request: SelectionRequest, outcome: Mapping[str, Any]) -> None:
        """Let the fallback learn from those it chose."""
        self._tell_fallback("succeeded", candidate, request, outcome)

    def failed(self, candidate: Candidate, request: SelectionRequest, error: Exception) -> None:
        """Let the fallback learn from those it chose."""
        self._tell_fallback("failed", candidate, request, error)

    def _tell_fallback(self, notice: str, candidate: Candidate, request: SelectionRequest, *facts: Any) -> None:
        told = getattr(self._fallback, notice, None)  # a strategy need not hear of everything
        if told is not None and not self.score(candidate, request):
            told(candidate, request, *facts)


def _said(place: int, of: str) -> str:
    return f"number {place + 1} of {of}"
