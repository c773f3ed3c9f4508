"""Ranking of the members of a pool by the remaining share of their rate limits.

Shares are stored in steps of a thousandth. A binary tree of masks over the steps finds the best member of any set in a fixed
number of steps, each of them one ``&``. Members with equal shares follow pool order.
"""

from __future__ import annotations

from collections.abc import Sequence

from modelmesh_cdk.strategy import mask_of

DEPTH = 10
STEPS = 1 << DEPTH


def to_steps(share: float) -> int:
    """Convert a share of a limit, 0 to 1, to whole steps."""
    return min(int(share * STEPS), STEPS - 1)


class Standings:
    """Remaining share of each member's limit, ``None`` for an unknown limit.

    Attributes:
        shares: Shares by position.
        unknown: Mask of the members without a known limit.
        over: Mask of the members at or above the threshold.
        empty: Mask of the members without anything left.
    """

    def __init__(self, size: int, threshold: float) -> None:
        """Start with unknown limits.

        Args:
            size: Size of the pool.
            threshold: Used share of a limit from which on other members are preferred.
        """
        self._least = 1.0 - threshold + 1e-9  # 1 - 0.8 is slightly less than 0.2
        self.shares: list[float | None] = [None] * size
        self.unknown = (1 << size) - 1
        self.over = 0
        self.empty = 0
        self._nodes: dict[int, int] = {}

    def grow(self, size: int) -> range:
        """Add new members with unknown limits, and return their positions."""
        before = len(self.shares)
        new = range(before, max(size, before))
        for position in new:
            self.shares.append(None)
            self.unknown |= 1 << position
        return new

    def set(self, position: int, share: float | None) -> None:
        """Set the remaining share of a member's limit."""
        before, bit = self.shares[position], 1 << position
        if share == before:
            return
        self.shares[position] = share
        for node in _path(before):
            left = self._nodes[node] & ~bit
            if left:
                self._nodes[node] = left
            else:
                del self._nodes[node]
        for node in _path(share):
            self._nodes[node] = self._nodes.get(node, 0) | bit
        self.unknown = self.unknown | bit if share is None else self.unknown & ~bit
        self.over = self.over | bit if share is not None and share <= self._least else self.over & ~bit
        self.empty = self.empty | bit if share == 0 else self.empty & ~bit

    def set_all(self, positions: Sequence[int], share: float) -> None:
        """Set the same share of members whose limits are unknown so far."""
        mask = mask_of(positions)
        for position in positions:
            self.shares[position] = share
        for node in _path(share):
            self._nodes[node] = self._nodes.get(node, 0) | mask
        self.unknown &= ~mask
        if share <= self._least:
            self.over |= mask
        if share == 0:
            self.empty |= mask

    def best(self, mask: int) -> int | None:
        """Return the member of a set with the largest share, ``None`` when every share is unknown."""
        nodes = self._nodes
        if not nodes.get(1, 0) & mask:
            return None
        node = 1
        for _ in range(DEPTH):
            node = 2 * node + 1
            if not nodes.get(node, 0) & mask:
                node -= 1
        standing = nodes[node] & mask
        return (standing & -standing).bit_length() - 1


def _path(share: float | None) -> list[int]:
    """Return the nodes that contain a share, from its leaf to the root. Node ``n`` has the children ``2n`` and ``2n+1``."""
    if share is None:
        return []
    leaf = STEPS + to_steps(share)
    return [leaf >> height for height in range(DEPTH + 1)]
