"""Selection by a configured order of models and providers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from modelmesh.contracts import Candidate, Candidates, SelectionRequest, SelectionResult, Strategy
from modelmesh.errors import NoActiveModelError
from modelmesh_cdk.strategy import BaseStrategy, membership

MODEL_SCORE, PROVIDER_SCORE = 1000.0, 500.0


class PrioritySelection(BaseStrategy):
    """Selects the first available model of ``model_priority``, else of ``provider_priority``, else by the fallback.

    The order applies to each request, so a preferred model is selected again as soon as it recovers. ``provider_priority`` also
    decides between providers that offer the same model. With ``fallback_strategy: error``, a request that no listed model can
    serve fails.
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
            NoActiveModelError: No candidate is listed, and ``fallback_strategy`` is ``error``.
        """
        for place, name in enumerate(self._models):
            named = candidates.named(name)
            if named:
                score = self._listed_score(MODEL_SCORE, self._models, place)
                return SelectionResult(self._at_preferred_provider(named), score, _rank(place, "model_priority"))
        for place, name in enumerate(self._providers):
            found = candidates.of_provider(name).first()
            if found is not None:
                score = self._listed_score(PROVIDER_SCORE, self._providers, place)
                return SelectionResult(found, score, _rank(place, "provider_priority"))
        return self._by_fallback(candidates, request)

    def _at_preferred_provider(self, named: Candidates) -> Candidate:
        choices = (named.of_provider(name).first() for name in self._providers)
        chosen = next((choice for choice in choices if choice is not None), None) or named.first()
        assert chosen is not None
        return chosen

    def _by_fallback(self, candidates: Candidates, request: SelectionRequest) -> SelectionResult:
        if self._fallback is None:
            if self.config.get("fallback_strategy") == "error":
                message = (
                    f"no listed model of pool {request.pool!r} can serve this request now, and its "
                    "fallback_strategy is 'error'. List more, or name another fallback_strategy."
                )
                raise NoActiveModelError(message, pool_name=request.pool)
            first = candidates.first()
            assert first is not None  # a strategy receives at least one candidate
            return SelectionResult(first, 0.0, "not listed, first in pool order")
        chosen = self._fallback.select(candidates, request)
        candidate, reason = (chosen.candidate, chosen.reason) if isinstance(chosen, SelectionResult) else (chosen, "")
        return SelectionResult(candidate, 0.0, f"no listed model is available; {self._fallback.id}: {reason}")

    def score(self, candidate: Candidate, request: SelectionRequest) -> float:
        """Return 1,000 and more for a listed model, 500 and more for one of a listed provider, else 0."""
        seat = membership(candidate, request)
        if seat is None:
            return 0.0
        pool, position = seat
        for place, name in enumerate(self._models):
            if pool.mask_of_model(name) >> position & 1:
                return self._listed_score(MODEL_SCORE, self._models, place)
        for place, name in enumerate(self._providers):
            if pool.mask_of_provider(name) >> position & 1:
                return self._listed_score(PROVIDER_SCORE, self._providers, place)
        return 0.0

    @staticmethod
    def _listed_score(base: float, names: tuple[str, ...], place: int) -> float:
        return base + len(names) - place

    # The fallback is notified about candidates that are not listed, because it selects among those.

    def picked(self, candidate: Candidate, request: SelectionRequest) -> None:
        """Notify the fallback about its selection."""
        self._notify_fallback("picked", candidate, request)

    def succeeded(self, candidate: Candidate, request: SelectionRequest, outcome: Mapping[str, Any]) -> None:
        """Notify the fallback about its selection."""
        self._notify_fallback("succeeded", candidate, request, outcome)

    def failed(self, candidate: Candidate, request: SelectionRequest, error: Exception) -> None:
        """Notify the fallback about its selection."""
        self._notify_fallback("failed", candidate, request, error)

    def _notify_fallback(self, notice: str, candidate: Candidate, request: SelectionRequest, *facts: Any) -> None:
        notified = getattr(self._fallback, notice, None)  # optional methods of a strategy
        if notified is not None and not self.score(candidate, request):
            notified(candidate, request, *facts)


def _rank(place: int, of: str) -> str:
    return f"number {place + 1} of {of}"
