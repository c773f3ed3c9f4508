"""Position of a candidate in the pool of a request."""

from __future__ import annotations

from modelmesh.contracts.candidates import Candidate, PoolView
from modelmesh.contracts.strategy import SelectionRequest


def membership(candidate: Candidate, request: SelectionRequest) -> tuple[PoolView, int] | None:
    """Return the pool of a request and the candidate's position in it, ``None`` when the pool does not contain it."""
    return next(((pool, position) for pool, position in candidate.memberships if pool.name == request.pool), None)
