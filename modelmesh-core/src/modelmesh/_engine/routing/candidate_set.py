"""Sets of candidates of one pool, as bit masks.

A set is one integer with a bit for each member of the pool, so the capable and available members that were not tried yet are two
``&``, for ten members as for ten thousand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

from modelmesh._engine.routing.candidates import Candidate
from modelmesh.contracts.candidates import PoolView

if TYPE_CHECKING:
    from modelmesh.contracts.candidates import Order


_WORD = (1 << 64) - 1


class CandidatePool(PoolView, Protocol):
    """Pool of a set of candidates."""

    @property
    def members(self) -> tuple[Candidate, ...]:
        """All members, in pool order."""


class Candidates:
    """Some members of a pool, in pool order."""

    __slots__ = ("_mask", "_pool")

    def __init__(self, pool: CandidatePool, mask: int) -> None:
        self._pool = pool
        self._mask = mask

    def __len__(self) -> int:
        return self._mask.bit_count()

    def __bool__(self) -> bool:
        return self._mask != 0

    def __iter__(self) -> Iterator[Candidate]:
        members, rest = self._pool.members, self._mask
        while rest:
            low = rest & -rest
            yield members[low.bit_length() - 1]
            rest ^= low

    def __contains__(self, candidate: object) -> bool:
        position = self._pool.position(candidate)
        return position is not None and bool(self._mask >> position & 1)

    def first(self) -> Candidate | None:
        """Return the first in pool order, ``None`` when empty."""
        return self._pool.members[_lowest(self._mask)] if self._mask else None

    def after(self, candidate: object | None) -> Candidate | None:
        """Return the one that follows a member in pool order, cyclically. It is the member itself when no other is in the set."""
        position = self._pool.position(candidate) if candidate is not None else None
        if position is not None:
            later = self._mask >> (position + 1)
            if later:
                return self._pool.members[position + 1 + _lowest(later)]
        return self.first()

    def pick(self, number: int) -> Candidate:
        """Return the one with a number, counted from 0, in logarithmic time.

        Raises:
            IndexError: The set is smaller.
        """
        mask = self._mask
        if not 0 <= number < mask.bit_count():
            message = f"{number} of {mask.bit_count()} candidates"
            raise IndexError(message)
        low, width = 0, mask.bit_length()
        while width > 1:
            half = width // 2
            below = (mask & ((1 << half) - 1)).bit_count()
            if number < below:
                mask &= (1 << half) - 1
                width = half
            else:
                number -= below
                mask >>= half
                low, width = low + half, width - half
        return self._pool.members[low]

    def of_provider(self, name: str) -> Candidates:
        """Return those of one provider, by key, connector ID or provider name."""
        return Candidates(self._pool, self._mask & self._pool.mask_of_provider(name))

    def named(self, model: str) -> Candidates:
        """Return those with a model ID, written with or without its provider."""
        return Candidates(self._pool, self._mask & self._pool.mask_of_model(model))

    def first_of(self, order: Order) -> Candidate | None:
        """Return the one that an order prefers, ``None`` when the order contains none of them."""
        position = order.first(self._mask)
        return None if position is None else self._pool.members[position]

    @property
    def pool(self) -> CandidatePool:
        """The pool."""
        return self._pool

    def best(self, score: Callable[[Candidate], Any]) -> Candidate | None:
        """Return the one with the highest score, the earlier one on a tie. Evaluates every member."""
        return max(self, key=score, default=None)

    def __repr__(self) -> str:
        shown = ", ".join(str(candidate) for candidate, _ in zip(self, range(5), strict=False))
        return f"<Candidates {len(self)} of {len(self._pool.members)}: {shown}>"


def _lowest(mask: int) -> int:
    """Return the lowest position of a mask that is not empty. Mostly one word decides, whatever the size of the pool."""
    low = mask & _WORD or mask
    return (low & -low).bit_length() - 1
