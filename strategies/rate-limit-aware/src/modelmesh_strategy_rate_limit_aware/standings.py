"""The members of a pool by what is left of their rate limits, and the best of any set of them in a fixed number of steps.

Shares are kept in steps of a thousandth. Over the steps stands a tree of masks, so a step
down the tree is one ``&``; members that stand equal go in pool order.
"""

from __future__ import annotations

DEPTH = 10
STEPS = 1 << DEPTH


def in_steps(share: float) -> int:
    """Return a share of a limit, 0 to 1, in whole steps."""
    return min(int(share * STEPS), STEPS - 1)


class Standings:
    """What is left of each member's limit: a share, or ``None`` when nothing is known."""

    def __init__(self, size: int, threshold: float) -> None:
        """Start with nothing known.

        Args:
            size: Of the pool.
            threshold: Share of a limit that is used, from which on a member is better passed over.
        """
        self._least = 1.0 - threshold + 1e-9  # 1 - 0.8 is a little less than 0.2
        self.shares: list[float | None] = [None] * size
        self.unknown = (1 << size) - 1
        self.over = 0  # at or above the threshold
        self.empty = 0
        self._nodes: dict[int, int] = {}

    def grow(self, size: int) -> range:
        """Take in members that have come since, of which nothing is known; return their places."""
        before = len(self.shares)
        new = range(before, max(size, before))
        for place in new:
            self.shares.append(None)
            self.unknown |= 1 << place
        return new

    def set(self, place: int, share: float | None) -> None:
        """Say what is left of a member's limit."""
        before, bit = self.shares[place], 1 << place
        if share == before:
            return
        self.shares[place] = share
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

    def best(self, mask: int) -> int | None:
        """Return the member of a set with the most left, ``None`` when nothing is known of any of them."""
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
    """Return the nodes a share is counted in, from its leaf to the root; node ``n`` has the children ``2n`` and ``2n+1``."""
    if share is None:
        return []
    leaf = STEPS + in_steps(share)
    return [leaf >> height for height in range(DEPTH + 1)]
