"""Stay with the current model until it fails, then go on to the next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh.contracts.candidates import Candidate, Candidates, CandidateStatus
from modelmesh.contracts.strategy import SelectionRequest, SelectionResult


class StickUntilFailure:
    """Keeps to one model of the pool while it answers.

    When it fails, the model that answers in its place is the one to keep to; a recovered model does not take over
    again. A request that the current model cannot serve goes to another without changing which is current.
    """

    id = "modelmesh.stick-until-failure.v1"

    @classmethod
    def known_settings(cls) -> frozenset[str]:
        """Return the settings that this strategy reads: none."""
        return frozenset()

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        self._current: Candidate | None = None  # None: the first in pool order, until that fails
        self._lost = False

    def select(self, candidates: Candidates, request: SelectionRequest) -> SelectionResult:
        """Return the current model, else the first in pool order."""
        current = self._current
        if current is not None and current in candidates:
            return SelectionResult(current, 1.0, "the current model, which has not failed")
        first = candidates.first()
        assert first is not None
        reason = "first able and ready model in pool order"
        return SelectionResult(first, 0.0, reason if current is None else f"{reason}; the current one is not able or ready")

    def score(self, candidate: Candidate, request: SelectionRequest) -> float:
        """1 for the current model, 0 for others."""
        return float(candidate is self._current)

    def succeeded(self, candidate: Candidate, request: SelectionRequest, outcome: Mapping[str, Any]) -> None:
        """Keep to who answered in place of one that failed."""
        if self._lost or (self._current is not None and self._current.status is not CandidateStatus.ACTIVE):
            self._current, self._lost = candidate, False

    def failed(self, candidate: Candidate, request: SelectionRequest, error: Exception) -> None:
        """Leave the current model when it fails."""
        if self._current is None or candidate is self._current:
            self._current, self._lost = None, True
