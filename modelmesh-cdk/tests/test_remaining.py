"""Remaining capacity of a model, and timers of the members of a pool."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from modelmesh._engine.foundation.clock import Clock
from modelmesh._engine.foundation.suspension_reasons import SuspensionReason
from modelmesh._engine.health.health_registry import HealthRegistry
from modelmesh._engine.health.provider_health import ProviderHealth
from modelmesh._engine.limits.counter import Limit, LimitCounter, Metric
from modelmesh._engine.limits.reservations import Reservations
from modelmesh._engine.limits.window import Period, Window
from modelmesh._engine.routing.candidates import Candidate
from modelmesh._engine.routing.pool import Pool
from modelmesh.contracts.models import ModelInfo
from modelmesh.contracts.rate_limits import RateLimit
from modelmesh_cdk.strategy import (
    STALE_AFTER_S,
    MemberTimers,
    Remaining,
    mask_of,
    positions_in,
    remaining,
    remaining_of_members,
)

EPOCH = 1_790_000_000.0


def model() -> Candidate:
    account = ProviderHealth(provider_id="p", connector_id="test.p.v1", names=("p",))
    return Candidate("m", "m", ModelInfo("m"), None, account)  # type: ignore[arg-type]


def capacity(candidate: Candidate, now: float, *own: LimitCounter, shared: Sequence[LimitCounter] = ()) -> tuple[Remaining, ...]:
    health = HealthRegistry(draw=lambda: 0.5)
    limits = Reservations(health, Clock(epoch=EPOCH))
    limits.attach(candidate.health, own)
    limits.attach(candidate.account, shared)
    pool = Pool("pool", "", [candidate], None, health, reservations=limits)  # type: ignore[arg-type]
    return remaining(candidate, pool, now)


def told(kind: str = "requests", *, limit: int = 100, remaining: int = 20, reset: float | None = 10.0) -> list[RateLimit]:
    return [RateLimit(kind, limit, remaining, reset)]


def counter(metric: Metric = Metric.REQUESTS, limit: int = 10, period: Period = Period.DAY, **more: Any) -> LimitCounter:
    return LimitCounter(Limit("model:m", metric, limit, Window(period), SuspensionReason.QUOTA_EXHAUSTED, **more))


def test_remaining_without_answer_or_limit_is_empty() -> None:
    assert capacity(model(), 5.0) == ()


def test_remaining_after_reported_reset_is_the_limit() -> None:
    one = model()
    one.update_statistics(None, told(), 5.0)
    assert capacity(one, 14.9) == (Remaining("requests", 100, 20, 15.0),)
    assert capacity(one, 15.0) == (Remaining("requests", 100, 100),)


def test_remaining_without_reset_time_becomes_stale() -> None:
    one = model()
    one.update_statistics(None, told(reset=None), 5.0)
    assert capacity(one, 5.0 + STALE_AFTER_S - 0.1) == (Remaining("requests", 100, 20, 5.0 + STALE_AFTER_S),)
    assert capacity(one, 5.0 + STALE_AFTER_S) == ()


def test_remaining_prefers_report_to_own_count() -> None:
    one, own, shared = model(), counter(limit=10), counter(Metric.TOKENS, limit=500)
    own.used, own.reserved, shared.used = 3, 1, 400
    found = capacity(one, 0.0, own, shared=[shared])
    assert [(row.kind, row.left, row.limit) for row in found] == [("requests", 6, 10), ("tokens", 100, 500)]
    one.update_statistics(None, told(), 0.0)
    assert [(row.kind, row.left) for row in capacity(one, 0.0, own, shared=[shared])] == [("requests", 20), ("tokens", 100)]


def test_remaining_ignores_budgets_and_unenforced_limits() -> None:
    one = model()
    unused = [counter(Metric.COST), counter(period=Period.REQUEST), counter(enforce=False)]
    assert capacity(one, 0.0, *unused) == ()


def test_remaining_of_counted_limit_changes_at_its_reset() -> None:
    one, own = model(), counter(limit=10)
    assert capacity(one, 0.0, own)[0].changes_at == math.inf  # it is full: time does not change that
    own.add(4, EPOCH)
    [level] = capacity(one, 0.0, own)
    assert 0 < level.changes_at <= 86_400
    [later] = capacity(one, level.changes_at + 1, own)
    assert later.left == 10


def test_remaining_of_sliding_window_changes_once_a_second() -> None:
    one, own = model(), counter(limit=10, period=Period.MINUTE)
    own.add(4, EPOCH)
    assert capacity(one, 59.99, own)[0].changes_at >= 60.98
    assert capacity(one, 61.0, own)[0].left == 10


def test_remaining_ratio_is_between_zero_and_one() -> None:
    assert [Remaining("requests", limit, left).ratio for limit, left in ((100, 20), (100, 200), (0, 0), (3, 0))] == [
        0.2,
        1.0,
        0.0,
        0.0,
    ]


@given(
    st.lists(
        st.tuples(st.sampled_from(("set", "due")), st.integers(0, 4), st.sampled_from((1.0, 2.0, 3.0, 5.0, 8.0, math.inf))),
        max_size=200,
    )
)
def test_timers_due_once_in_order(steps: list[tuple[str, int, float]]) -> None:
    timers, expected = MemberTimers(), {}
    for what, place, when in steps:
        if what == "set":
            timers.set(place, when)
            expected[place] = when
            if math.isinf(when):
                del expected[place]
        elif not math.isinf(when):
            rings = list(timers.due(when))
            assert [at for _, at in rings] == sorted(at for _, at in rings)
            assert dict(rings) == {one: at for one, at in expected.items() if at <= when}
            expected = {one: at for one, at in expected.items() if at > when}
        assert len(timers) == len(expected)


def test_timers_set_repeatedly_use_constant_memory() -> None:
    timers = MemberTimers()
    for number in range(5000):
        timers.set(number % 3, float(number))
        assert len(timers._heap) <= 2 * 3 + 64
    assert [place for place, _ in timers.due(5000.0)] == [(5000 - later) % 3 for later in (3, 2, 1)]


# -- all members of a pool -------------------------------------------------------------------------------------------------

counters_of_a_target = st.lists(
    st.builds(
        lambda metric, limit, period, used, reserved: (metric, limit, period, min(used, limit), min(reserved, limit)),
        st.sampled_from([Metric.REQUESTS, Metric.TOKENS, Metric.COST]),
        st.integers(0, 3),
        st.sampled_from([Period.MINUTE, Period.DAY, Period.TOTAL, Period.REQUEST]),
        st.sampled_from([0, 0, 0, 1, 2]),
        st.sampled_from([0, 0, 0, 1]),
    ),
    max_size=2,
)


def built(rows: list[tuple[Metric, int, Period, int, int]]) -> list[LimitCounter]:
    found = []
    for metric, limit, period, used, reserved in rows:
        one = counter(metric, limit, period)
        one.advance_window(EPOCH)
        if used:
            one.add(used, EPOCH)
        one.reserved = reserved
        found.append(one)
    return found


@given(
    accounts=st.lists(counters_of_a_target, min_size=1, max_size=3),
    models=st.lists(st.tuples(st.integers(0, 2), counters_of_a_target, st.booleans()), max_size=8),
    now=st.sampled_from([0.0, 30.0, 61.0]),
)
def test_remaining_of_members_equals_remaining_of_each(accounts: list[Any], models: list[Any], now: float) -> None:
    health = HealthRegistry(draw=lambda: 0.5)
    limits = Reservations(health, Clock(epoch=EPOCH))
    owners = [ProviderHealth(provider_id=f"p{at}", connector_id="test.p.v1", names=()) for at in range(len(accounts))]
    for owner, rows in zip(owners, accounts, strict=True):
        limits.attach(owner, built(rows))
    members = []
    for at, (account, rows, answers) in enumerate(models):
        one = Candidate(f"m{at}", "m", ModelInfo(f"m{at}"), None, owners[account % len(owners)])  # type: ignore[arg-type]
        if rows:
            limits.attach(one.health, built(rows))
        if answers:
            one.update_statistics(None, told(limit=7, remaining=at % 7), 5.0)
        members.append(one)
    pool = Pool("pool", "", members, None, health, reservations=limits)  # type: ignore[arg-type]
    together = [(position, found) for positions, found in remaining_of_members(pool, now) for position in positions]
    assert len(dict(together)) == len(together)
    assert dict(together) == {at: found for at, one in enumerate(members) if (found := remaining(one, pool, now))}


@given(st.sets(st.integers(0, 300)))
def test_positions_and_masks_are_inverse(positions: set[int]) -> None:
    mask = mask_of(sorted(positions))
    assert mask == sum(1 << at for at in positions)
    assert list(positions_in(mask)) == sorted(positions)
