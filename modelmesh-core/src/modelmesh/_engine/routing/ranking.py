"""An order of a pool's members that is not the pool's own, and whose first of any set of them is found in log n steps.

The order is cut into blocks; over the blocks stands a tree of masks. Sets are masks (``candidates.py``), so a step down
the tree is one ``&``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

BLOCK = 32
"""Members of a leaf, which are looked at one by one."""


class Order(Protocol):
    """Any order of preference that knows its first of a set."""

    def first(self, mask: int) -> int | None:
        """Return the most preferred place of a set, ``None`` when none of them is in the order."""
        ...


class Ranking:
    """Places of a pool in an order of preference."""

    def __init__(self, places: Sequence[int]) -> None:
        """Take the order.

        Args:
            places: Places in the pool, the preferred one first; each at most once.
        """
        self._blocks = [tuple(places[at : at + BLOCK]) for at in range(0, len(places), BLOCK)] or [()]
        width = 1
        while width < len(self._blocks):
            width *= 2
        self._width = width
        self._masks = [0] * (2 * width)
        for at, block in enumerate(self._blocks):
            for place in block:
                self._masks[width + at] |= 1 << place
        for node in range(width - 1, 0, -1):
            self._masks[node] = self._masks[2 * node] | self._masks[2 * node + 1]

    def first(self, mask: int) -> int | None:
        """Return the most preferred place of a set, ``None`` when none of them is ranked."""
        if not self._masks[1] & mask:
            return None
        node = 1
        while node < self._width:
            node *= 2
            if not self._masks[node] & mask:
                node += 1
        return next(place for place in self._blocks[node - self._width] if mask >> place & 1)
