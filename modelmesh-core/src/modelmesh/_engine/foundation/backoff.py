"""Waits of our own choosing, and the longest wait that a vendor can cause. All times in seconds."""

from __future__ import annotations

from collections.abc import Callable

MAX_SERVER_DELAY_S = 86_400.0
"""Longest cooldown that a header can cause."""


def full_jitter(attempt: int, first: float, longest: float, draw: Callable[[], float]) -> float:
    """Wait anything between nothing and an exponentially growing bound; ``attempt`` counts from 0."""
    return draw() * min(longest, first * 2.0 ** min(attempt, 40))


def equal_jitter(attempt: int, first: float, longest: float, draw: Callable[[], float]) -> float:
    """Wait between half of an exponentially growing bound and all of it; ``attempt`` counts from 0."""
    bound = min(longest, first * 2.0 ** min(attempt, 40))
    return bound / 2 + draw() * bound / 2
