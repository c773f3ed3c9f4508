"""Total cost of each model of a pool, which decides among models with equal costs of a request.

A small set is compared one by one. For larger ones, a binary tree of masks over the bits of the totals makes each step down the
tree one ``&``.
"""

from __future__ import annotations

DEPTH = 48
"""Bits of a total in nano-dollars."""

MAX_NANO_USD = (1 << DEPTH) - 1
"""Largest total that is distinguished: 281,474 USD."""

MAX_LINEAR = 32
"""Size of a set up to which its totals are compared one by one."""


class Spent:
    """Totals of the members of one pool, by position."""

    def __init__(self) -> None:
        self._nano: dict[int, int] = {}
        self._nonzero = 0  # members with a total above 0
        self._tree: dict[int, int] | None = None

    def add(self, position: int, nano_usd: int) -> None:
        """Add the cost of an answer."""
        if nano_usd <= 0:
            return
        before = self._nano.get(position)
        self._nano[position] = total = min((before or 0) + nano_usd, MAX_NANO_USD)
        self._nonzero |= 1 << position
        if self._tree is not None:
            if before is not None:
                for node in _path(before):
                    self._tree[node] &= ~(1 << position)
                    if not self._tree[node]:
                        del self._tree[node]
            self._enter(self._tree, position, total)

    @staticmethod
    def _enter(tree: dict[int, int], position: int, nano_usd: int) -> None:
        for node in _path(nano_usd):
            tree[node] = tree.get(node, 0) | 1 << position

    def least(self, equals: int) -> int:
        """Return the position with the least total of a set, the first in pool order for equal totals.

        Args:
            equals: Mask of the set, not empty.
        """
        fresh = equals & ~self._nonzero
        if fresh:
            return _first(fresh)
        if equals.bit_count() > MAX_LINEAR:
            return _first(self._least_of_many(equals))
        positions = []
        while equals:
            positions.append(_first(equals))
            equals &= equals - 1
        return min(positions, key=self._nano.__getitem__)

    def _least_of_many(self, equals: int) -> int:
        if self._tree is None:
            self._tree = {}
            for position, nano_usd in self._nano.items():
                self._enter(self._tree, position, nano_usd)
        node = 1
        for _ in range(DEPTH):
            node *= 2
            if not self._tree.get(node, 0) & equals:
                node += 1
        return self._tree[node] & equals


def _first(mask: int) -> int:
    return (mask & -mask).bit_length() - 1


def _path(nano_usd: int) -> list[int]:
    """Return the nodes that contain a total, from its leaf to the root. Node ``n`` has the children ``2n`` and ``2n+1``."""
    leaf = (1 << DEPTH) + nano_usd
    return [leaf >> height for height in range(DEPTH + 1)]
