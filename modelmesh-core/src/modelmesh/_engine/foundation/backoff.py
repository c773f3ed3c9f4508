"""Exponential backoff with jitter, and the longest delay that a vendor can cause. All times are seconds."""

from __future__ import annotations

from collections.abc import Callable

MAX_SERVER_DELAY_S = 86_400.0
"""Longest cooldown that a header of a vendor can cause."""


def full_jitter(attempt: int, first: float, longest: float, draw: Callable[[], float]) -> float:
    """Return a random wait below an exponentially growing bound. ``attempt`` counts from 0."""
    return draw() * min(longest, first * 2.0 ** min(attempt, 40))


def equal_jitter(attempt: int, first: float, longest: float, draw: Callable[[], float]) -> float:
    """Return a random wait between half of an exponentially growing bound and the bound. ``attempt`` counts from 0."""
    bound = min(longest, first * 2.0 ** min(attempt, 40))
    return bound / 2 + draw() * bound / 2
