"""What each model of a pool has cost so far: of those that cost a request the same, the one that has cost least goes first.

Few equals are looked at one by one. For more of them a tree of masks is grown over the bits of what they have cost, so
a step down the tree is one ``&``.
"""

from __future__ import annotations

DEPTH = 48
"""Bits of a sum in nano-dollars."""

MOST = (1 << DEPTH) - 1
"""From here on, 281,474 USD, all sums are alike."""

FEW = 32
"""So many equals are looked at one by one."""


class Spent:
    """Sums of members of one pool, by their places."""

    def __init__(self) -> None:
        self._nano: dict[int, int] = {}
        self._asked = 0  # those that have cost anything
        self._tree: dict[int, int] | None = None

    def add(self, place: int, nano_usd: int) -> None:
        """Count what an answer cost."""
        if nano_usd <= 0:
            return
        before = self._nano.get(place)
        self._nano[place] = total = min((before or 0) + nano_usd, MOST)
        self._asked |= 1 << place
        if self._tree is not None:
            if before is not None:
                for node in _path(before):
                    self._tree[node] &= ~(1 << place)
                    if not self._tree[node]:
                        del self._tree[node]
            self._enter(self._tree, place, total)

    @staticmethod
    def _enter(tree: dict[int, int], place: int, nano_usd: int) -> None:
        for node in _path(nano_usd):
            tree[node] = tree.get(node, 0) | 1 << place

    def least(self, equals: int) -> int:
        """Return the one of a set that has cost least, the first in pool order of those that have cost the same.

        Args:
            equals: Their places, a mask; there is at least one.
        """
        fresh = equals & ~self._asked
        if fresh:
            return _first(fresh)
        if equals.bit_count() > FEW:
            return _first(self._cheapest(equals))
        places = []
        while equals:
            places.append(_first(equals))
            equals &= equals - 1
        return min(places, key=self._nano.__getitem__)

    def _cheapest(self, equals: int) -> int:
        if self._tree is None:
            self._tree = {}
            for place, nano_usd in self._nano.items():
                self._enter(self._tree, place, nano_usd)
        node = 1
        for _ in range(DEPTH):
            node *= 2
            if not self._tree.get(node, 0) & equals:
                node += 1
        return self._tree[node] & equals


def _first(mask: int) -> int:
    return (mask & -mask).bit_length() - 1


def _path(nano_usd: int) -> list[int]:
    """Return the nodes a sum is counted in, from its leaf to the root; node ``n`` has the children ``2n`` and ``2n+1``."""
    leaf = (1 << DEPTH) + nano_usd
    return [leaf >> height for height in range(DEPTH + 1)]
