"""Selection of the models in turn."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from modelmesh.contracts import Candidate, Candidates, SelectionRequest, SelectionResult
from modelmesh_cdk import BaseStrategy


class RoundRobin(BaseStrategy):
    """Selects the models in pool order, the next one for each attempt.

    A model in standby is skipped. After its recovery it has its place in the order again.
    """

    id: ClassVar[str] = "modelmesh.round-robin.v1"
    options: ClassVar[Collection[str]] = ()

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        super().__init__(config)
        self._last: Candidate | None = None

    def select(self, candidates: Candidates, request: SelectionRequest) -> SelectionResult:
        """Return the candidate after the latest one."""
        following = candidates.after(self._last)
        assert following is not None  # a strategy receives at least one candidate
        return SelectionResult(following, 0.0, "its turn")

    def picked(self, candidate: Candidate, request: SelectionRequest) -> None:
        """Record the latest candidate."""
        self._last = candidate
