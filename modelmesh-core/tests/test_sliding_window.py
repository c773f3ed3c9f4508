"""Sliding windows: the sum of each bucket, and the total of the window."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from modelmesh._engine.limits.sliding_window import SlidingLog

SPAN = 60.0
START = 1_763_683_200.0  # start of a bucket

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(0, 5)),
        st.tuples(st.just("wait"), st.floats(0, 50)),
        st.tuples(st.sampled_from(["settle", "settle before"]), st.integers(0, 12)),
    ),
    max_size=40,
)


def within(log: SlidingLog, begins: float, ends: float) -> int:
    return int(sum(amount for at, amount in log.saved() if begins <= at < ends))


@given(steps=STEPS)
@example(steps=[("wait", 59.9), ("add", 1), ("wait", 0.2), ("add", 1)])  # in one slot and two buckets
@example(steps=[("add", 3), ("wait", 30.0), ("add", 3), ("wait", 45.0), ("settle before", 1)])  # subtracted on both sides
@example(steps=[("add", 3), ("wait", 70.0), ("add", 3), ("settle before", 1)])
def test_buckets_sum_to_counted_amounts(steps: list[tuple[str, float]]) -> None:
    log, now = SlidingLog(SPAN), START
    counted: dict[float, int] = {}
    for step, number in steps:
        now += number if step == "wait" else 0.0
        log.expire(now)
        ends = log.bucket_end(now) - (SPAN if step == "settle before" else 0.0)
        if step == "add":
            log.add(int(number), now)
            counted[ends] = counted.get(ends, 0) + int(number)
        elif step != "wait":
            log.set_bucket_total(ends, int(number), now)
            log.expire(now)
            counted[ends] = int(number)
        ends = log.bucket_end(now)
        for end in (ends - SPAN, ends):
            assert within(log, end - SPAN, end) == counted.get(end, 0)
        assert log.total == within(log, now - SPAN + 1e-6, ends)
        times = [at for at, _ in log.saved()]
        assert times == sorted(times)
    other = SlidingLog(SPAN)
    other.restore(json.loads(json.dumps(log.saved())), now)
    assert (other.total, other.saved()) == (log.total, log.saved())


def test_expired_amounts_are_removed() -> None:
    log = SlidingLog(SPAN)
    for second in range(10_000):
        log.add(1, START + second)
        log.expire(START + second)
    assert log.total == 60
    assert len(log.saved()) <= 122


@pytest.mark.parametrize("at", [float("nan"), float("-inf"), 0.0, START - 2 * SPAN - 1])
def test_restore_skips_expired_rows(at: float) -> None:
    log = SlidingLog(SPAN)
    log.restore([[at, 5], [START - 1, 2], [START + 900, 1]], START)
    assert (log.total, log.oldest) == (3, START - 1)
    log.expire(START + SPAN)
    assert log.total == 0


def test_bucket_end_is_the_same_for_all_processes() -> None:
    assert {SlidingLog(SPAN).bucket_end(START + second) for second in (0.0, 0.1, 59.999)} == {START + 60}
    assert SlidingLog(SPAN).bucket_end(START + 60) == START + 120
