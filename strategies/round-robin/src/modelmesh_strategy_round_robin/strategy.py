"""Each model in its turn."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from modelmesh.contracts import Candidate, Candidates, SelectionRequest, SelectionResult
from modelmesh_cdk import BaseStrategy


class RoundRobin(BaseStrategy):
    """Goes round the pool in its order, one model a request.

    A model in standby is passed over; when it comes back it takes its place in the order again.
    """

    id: ClassVar[str] = "modelmesh.round-robin.v1"
    options: ClassVar[Collection[str]] = ()

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        super().__init__(config)
        self._last: Candidate | None = None

    def select(self, candidates: Candidates, request: SelectionRequest) -> SelectionResult:
        """Return the next after the last one that was asked."""
        following = candidates.after(self._last)
        assert following is not None  # candidates are never empty
        return SelectionResult(following, 0.0, "its turn")

    def picked(self, candidate: Candidate, request: SelectionRequest) -> None:
        """Go on from here."""
        self._last = candidate
