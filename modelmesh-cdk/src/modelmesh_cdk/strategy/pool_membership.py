"""Positions of candidates in a pool, and masks of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from modelmesh.contracts.candidates import Candidate, PoolView
from modelmesh.contracts.strategy import SelectionRequest


def membership(candidate: Candidate, request: SelectionRequest) -> tuple[PoolView, int] | None:
    """Return the pool of a request and the candidate's position in it, ``None`` when the pool does not contain it."""
    return next(((pool, position) for pool, position in candidate.memberships if pool.name == request.pool), None)


def mask_of(positions: Sequence[int]) -> int:
    """Return the mask of some positions, in a time that does not grow with the size of the mask for each of them."""
    octets = bytearray(max(positions, default=0) // 8 + 1)
    for position in positions:
        octets[position >> 3] |= 1 << (position & 7)
    return int.from_bytes(octets, "little")


def positions_in(mask: int) -> Iterator[int]:
    """Yield the positions of a mask in ascending order, in a time that does not grow with its size for each of them."""
    bits = f"{mask:b}"[::-1]
    position = bits.find("1")
    while position >= 0:
        yield position
        position = bits.find("1", position + 1)
