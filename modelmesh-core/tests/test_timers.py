"""Timers of the health registry: their order, and the time of the earliest one."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from modelmesh._engine.foundation.suspension_reasons import SuspensionReason
from modelmesh._engine.health.circuit_breaker import CircuitBreaker
from modelmesh._engine.health.timers import BreakerTimer, HealthTimers, SuspensionTimer, TimerQueue


@given(times=st.lists(st.integers(0, 5)), now=st.integers(0, 5))
def test_timer_queue_pops_due_timers_in_order(times: list[int], now: int) -> None:
    queue: TimerQueue[tuple[int, int]] = TimerQueue()
    for number, when in enumerate(times):
        queue.push(when, (when, number))
    due = list(queue.pop_due(now))
    assert due == sorted((when, number) for number, when in enumerate(times) if when <= now)
    assert queue.next_at == min((when for when in times if when > now), default=math.inf)


def test_timers_next_at_is_the_earliest_of_all_queues() -> None:
    timers, breaker = HealthTimers(), CircuitBreaker()
    assert timers.next_at == math.inf
    timers.push(timers.breakers, 9.0, BreakerTimer(breaker, 1, 0))
    timers.push(timers.suspensions, 4.0, SuspensionTimer(breaker, SuspensionReason.POLICY, 4.0))
    assert timers.next_at == 4.0
    assert [one.until for one in timers.suspensions.pop_due(5.0)] == [4.0]
    timers.refresh()
    assert timers.next_at == 9.0
