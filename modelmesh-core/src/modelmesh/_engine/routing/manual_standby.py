"""Members of a pool that were put in standby by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelmesh._engine.routing.pool_index import PoolIndex

if TYPE_CHECKING:
    from modelmesh._engine.routing.candidates import Candidate


class ManualStandby:
    """The members of one pool that are in standby by hand.

    Attributes:
        mask: Every such member.
        rotated: Those that ``rotate()`` put there. They are the last resort before a request fails.
    """

    def __init__(self, index: PoolIndex) -> None:
        self._index = index
        self.mask = 0
        self.rotated = 0

    def add(self, candidate: Candidate, *, rotated: bool = False) -> None:
        """Put a member in standby."""
        bit = self._index.bit(candidate)
        self.mask |= bit
        if rotated:
            self.rotated |= bit

    def remove(self, candidate: Candidate) -> None:
        """End the standby of a member."""
        self.mask &= ~self._index.bit(candidate)
        self.rotated &= self.mask

    def __contains__(self, candidate: Candidate) -> bool:
        return bool(self.mask & self._index.bit(candidate))

    def has_rotated(self, candidate: Candidate) -> bool:
        """Return whether ``rotate()`` put a member in standby."""
        return bool(self.rotated & self._index.bit(candidate))
