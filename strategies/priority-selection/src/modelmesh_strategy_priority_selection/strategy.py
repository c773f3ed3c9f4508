"""By an order of preference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from modelmesh.contracts.strategy import SelectionRequest, SelectionResult, Strategy
from modelmesh.errors import NoActiveModelError
from modelmesh.routing.candidates import Candidate, Candidates
from modelmesh_cdk import BaseStrategy


class PrioritySelection(BaseStrategy):
    """The first active model of ``model_priority``, else of ``provider_priority``, else what the fallback chooses.

    Each request looks anew, so a preferred model that has recovered goes first again at once. With
    ``fallback_strategy: error`` a request that no listed model can take is refused.
    """

    id: ClassVar[str] = "modelmesh.priority-selection.v1"
    default_fallback: ClassVar[str] = "modelmesh.round-robin.v1"

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        super().__init__(config)
        self._models = tuple(self.config.get("model_priority") or ())
        self._providers = tuple(self.config.get("provider_priority") or ())
        self._fallback: Strategy | None = self.config.get("fallback")

    def select(self, candidates: Candidates, request: SelectionRequest) -> SelectionResult:
        """Return the most preferred candidate."""
        for place, name in enumerate(self._models):
            found = candidates.named(name).first()
            if found is not None:
                return SelectionResult(found, 1000.0 + len(self._models) - place, f"number {place + 1} of model_priority")
        for place, name in enumerate(self._providers):
            found = candidates.of_provider(name).first()
            if found is not None:
                return SelectionResult(found, 500.0 + len(self._providers) - place, f"number {place + 1} of provider_priority")
        return self._otherwise(candidates, request)

    def _otherwise(self, candidates: Candidates, request: SelectionRequest) -> SelectionResult:
        if self._fallback is None:
            if self.config.get("fallback_strategy") == "error":
                message = (
                    f"no model of pool {request.pool!r} that its priorities list can serve this request now, and its "
                    "fallback_strategy is 'error'. List more, or name another fallback_strategy."
                )
                raise NoActiveModelError(message, pool_name=request.pool)
            first = candidates.first()
            assert first is not None  # noqa: S101 - candidates are never empty
            return SelectionResult(first, 0.0, "listed nowhere; first in pool order")
        chosen = self._fallback.select(candidates, request)
        candidate, reason = (chosen.candidate, chosen.reason) if isinstance(chosen, SelectionResult) else (chosen, "")
        return SelectionResult(candidate, 0.0, f"none of the priorities is ready; {self._fallback.id}: {reason}")

    def score(self, candidate: Candidate, request: SelectionRequest) -> float:
        """1,000 and more for a listed model, 500 and more for one of a listed provider, else 0."""
        for place, name in enumerate(self._models):
            if name in (candidate.model_id, f"{candidate.provider_id}.{candidate.model_id}"):
                return 1000.0 + len(self._models) - place
        for place, name in enumerate(self._providers):
            if name in candidate.account.names:
                return 500.0 + len(self._providers) - place
        return 0.0

    def picked(self, candidate: Candidate, request: SelectionRequest) -> None:
        """Let the fallback count those it chose."""
        if self._fallback is not None and not self.score(candidate, request):
            self._fallback.picked(candidate, request)
