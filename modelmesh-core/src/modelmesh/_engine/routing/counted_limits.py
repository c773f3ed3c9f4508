"""Configured limits of a candidate in the form that strategies read."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from modelmesh._engine.limits.window import Period
from modelmesh.contracts.candidates import CountedLimit

if TYPE_CHECKING:
    from modelmesh._engine.foundation.clock import Clock
    from modelmesh._engine.limits.counter import LimitCounter

KINDS = ("requests", "tokens")

SLIDING_STEP_S = 1.0
"""Shortest time between two changes of a sliding window that is reported."""


def counted_limits(counters: Iterable[LimitCounter], now: float, clock: Clock) -> Iterator[CountedLimit]:
    """Yield the enforced limits of requests and tokens among some counters.

    Args:
        counters: Counters of a model and of its provider account.
        now: Monotonic seconds.
        clock: Converts to Unix time.
    """
    when = clock.unix(now)
    for counter in counters:
        limit = counter.limit
        if limit.metric.value in KINDS and limit.enforce and limit.window.period is not Period.REQUEST:
            if not (counter.used or counter.reserved):
                yield CountedLimit(limit.metric.value, limit.amount, limit.amount, math.inf)
                continue
            counter.advance_window(when)
            yield CountedLimit(limit.metric.value, limit.amount, counter.remaining, clock.monotonic(_resets_at(counter, when)))


def _resets_at(counter: LimitCounter, when: float) -> float:
    if counter.remaining >= counter.limit.amount:
        return math.inf
    return max(counter.resets_at(when), when + SLIDING_STEP_S)
