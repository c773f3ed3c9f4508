"""Limit counters: exact sums of a window, also after a restart."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from modelmesh._engine.foundation.suspension_reasons import SuspensionReason
from modelmesh._engine.limits.counter import Limit, LimitCounter, Metric
from modelmesh._engine.limits.window import Period, Window

DAY = 86400.0
START = 1_763_683_200.0  # a midnight, UTC


def counter(period: Period, limit: int = 100) -> LimitCounter:
    return LimitCounter(Limit("model:a/b", Metric.REQUESTS, limit, Window(period), SuspensionReason.QUOTA_EXHAUSTED))


@given(st.lists(st.tuples(st.floats(0, 200), st.integers(0, 5)), max_size=60))
@example([(0.5, 1)] * 400)  # at a steady rate, each in the slot of the one before
def test_sliding_counter_forgets_nothing_early(steps: list[tuple[float, int]]) -> None:
    one, now, counted = counter(Period.MINUTE), START, []
    for seconds, amount in steps:
        now += seconds
        one.advance_window(now)
        one.add(amount, now)
        counted.append((now, amount))
        within = sum(amount for when, amount in counted if when > now - 60)
        grain = sum(amount for when, amount in counted if when > now - 62)
        assert within <= one.used <= grain


@given(st.sampled_from([Period.DAY, Period.MONTH, Period.MINUTE, Period.TOTAL]), st.integers(0, 99), st.floats(0, 40 * DAY))
def test_counter_restore_keeps_state(period: Period, used: int, later: float) -> None:
    one = counter(period)
    one.advance_window(START)
    one.add(used, START)
    other = counter(period)
    other.restore(json.loads(json.dumps(one.saved())), START + later)
    one.advance_window(START + later)
    other.advance_window(START + later)
    assert other.used == one.used


@pytest.mark.parametrize(("later", "is_alerted"), [(60.0, True), (DAY, False)])
def test_counter_restore_keeps_alert(later: float, *, is_alerted: bool) -> None:
    one, other = counter(Period.DAY), counter(Period.DAY)
    one.advance_window(START + 10)
    one.add(90, START + 10)
    one.alerted = True
    other.restore(json.loads(json.dumps(one.saved())), START + 10 + later)
    assert other.alerted is is_alerted


def test_counter_restore_after_clock_set_back_keeps_used() -> None:
    one, other = counter(Period.DAY), counter(Period.DAY)
    one.advance_window(START + 10)
    one.add(60, START + 10)
    other.restore(one.saved(), START - DAY / 2)
    assert other.used == 60


def test_counter_restore_drops_expired_window() -> None:
    one, other = counter(Period.DAY), counter(Period.DAY)
    one.advance_window(START + 10)
    one.add(60, START + 10)
    other.restore(one.saved(), START + DAY)
    assert (other.used, other.remaining) == (0, 100)


def test_counter_fully_reserved_resets_after_span() -> None:
    one = counter(Period.MINUTE)
    one.advance_window(START)
    assert one.resets_at(START) == START
    one.reserved = 100
    assert one.resets_at(START) == START + 60, "it is used now at the earliest"


@pytest.mark.parametrize(("used", "amount", "fits"), [(99, 1, True), (99, 2, False), (100, 0, True), (100, 1, False)])
def test_counter_fits(used: int, amount: int, fits: bool) -> None:
    one = counter(Period.DAY)
    one.advance_window(START)
    one.add(used, START)
    assert one.fits(amount) is fits
    assert one.exhausted is (used == 100)
