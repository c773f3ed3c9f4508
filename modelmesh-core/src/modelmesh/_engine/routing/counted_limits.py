"""Configured limits of a candidate in the form that strategies read."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from modelmesh._engine.limits.window import Period
from modelmesh.contracts.candidates import CountedLimit

if TYPE_CHECKING:
    from modelmesh._engine.limits.counter import LimitCounter
    from modelmesh._engine.limits.reservations import Reservations
    from modelmesh._engine.routing.candidates import Candidate

KINDS = ("requests", "tokens")

SLIDING_STEP_S = 1.0
"""Shortest time between two changes of a sliding window that is reported."""


def counted_limits(candidate: Candidate, now: float, reservations: Reservations) -> Iterator[CountedLimit]:
    """Yield the enforced limits of requests and tokens of a model and of its provider account.

    Args:
        candidate: The model.
        now: Monotonic seconds.
        reservations: Limits of the mesh.
    """
    clock = reservations.clock
    when = clock.unix(now)
    for counter in (*reservations.counters_of(candidate.health), *reservations.counters_of(candidate.account)):
        quota = counter.limit
        if quota.metric.value in KINDS and quota.enforce and quota.window.period is not Period.REQUEST:
            counter.advance_window(when)
            yield CountedLimit(quota.metric.value, quota.amount, counter.remaining, clock.monotonic(_resets_at(counter, when)))


def _resets_at(counter: LimitCounter, when: float) -> float:
    if counter.remaining >= counter.limit.amount:
        return math.inf
    return max(counter.resets_at(when), when + SLIDING_STEP_S)
