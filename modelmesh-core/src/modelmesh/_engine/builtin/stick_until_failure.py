"""Default strategy: one model until it fails, then the next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh.contracts.candidates import Candidate, Candidates, CandidateStatus
from modelmesh.contracts.strategy import SelectionRequest, SelectionResult


class StickUntilFailure:
    """Selects the current model of the pool until it fails.

    After a failure, the model that served the request becomes the current one. A recovered model does not become current
    again by itself. A request that the current model cannot serve uses another model without a change of the current one.
    """

    id = "modelmesh.stick-until-failure.v1"

    @classmethod
    def known_settings(cls) -> frozenset[str]:
        """Return the settings that this strategy reads: none."""
        return frozenset()

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        self._current: Candidate | None = None  # None means the first model in pool order, until it fails
        self._lost = False

    def select(self, candidates: Candidates, request: SelectionRequest) -> SelectionResult:
        """Return the current model, else the first candidate in pool order."""
        current = self._current
        if current is not None and current in candidates:
            return SelectionResult(current, 1.0, "the current model, which has not failed")
        first = candidates.first()
        assert first is not None
        reason = "first eligible model in pool order"
        return SelectionResult(first, 0.0, reason if current is None else f"{reason}, as the current one is not eligible")

    def score(self, candidate: Candidate, request: SelectionRequest) -> float:
        """Return 1 for the current model, 0 for others."""
        return float(candidate is self._current)

    def succeeded(self, candidate: Candidate, request: SelectionRequest, outcome: Mapping[str, Any]) -> None:
        """Make the model current that served a request after a failure."""
        if self._lost or (self._current is not None and self._current.status is not CandidateStatus.ACTIVE):
            self._current, self._lost = candidate, False

    def failed(self, candidate: Candidate, request: SelectionRequest, error: Exception) -> None:
        """Give up the current model after its failure."""
        if self._current is None or candidate is self._current:
            self._current, self._lost = None, True
