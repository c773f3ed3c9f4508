"""What is left of the limits of a model: the vendor's word first, else our own count, full again after a reset."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from modelmesh._engine.health.circuit_breaker import ProviderHealth, SuspensionReason
from modelmesh._engine.limits.counter import Limit, LimitCounter, Metric
from modelmesh._engine.limits.window import Period, Window
from modelmesh._engine.routing.candidates import Candidate
from modelmesh._engine.routing.levels import BELIEVED_S, Alarms, Level, levels
from modelmesh.contracts.models import ModelInfo
from modelmesh.contracts.rate_limits import RateLimit

EPOCH = 1_790_000_000.0


def model() -> Candidate:
    account = ProviderHealth(provider_id="p", connector_id="test.p.v1", names=("p",))
    return Candidate("m", "m", ModelInfo("m"), None, account)  # type: ignore[arg-type]


def told(kind: str = "requests", *, limit: int = 100, remaining: int = 20, reset: float | None = 10.0) -> list[RateLimit]:
    return [RateLimit(kind, limit, remaining, reset)]


def counter(metric: Metric = Metric.REQUESTS, limit: int = 10, period: Period = Period.DAY, **more: Any) -> LimitCounter:
    return LimitCounter(Limit("model:m", metric, limit, Window(period), SuspensionReason.QUOTA_EXHAUSTED, **more))


def test_nothing_is_known_before_the_first_answer() -> None:
    assert levels(model(), 5.0, epoch=EPOCH) == ()


def test_the_vendors_word_counts_until_its_reset_and_then_the_limit_is_full() -> None:
    one = model()
    one.learn(None, told(), 5.0)
    assert levels(one, 14.9, epoch=EPOCH) == (Level("requests", 100, 20, 15.0),)
    assert levels(one, 15.0, epoch=EPOCH) == (Level("requests", 100, 100),)


def test_without_a_reset_time_it_is_believed_for_a_while_and_then_unknown() -> None:
    one = model()
    one.learn(None, told(reset=None), 5.0)
    assert levels(one, 5.0 + BELIEVED_S - 0.1, epoch=EPOCH) == (Level("requests", 100, 20, 5.0 + BELIEVED_S),)
    assert levels(one, 5.0 + BELIEVED_S, epoch=EPOCH) == ()


def test_our_own_count_speaks_where_the_vendor_does_not() -> None:
    one, own, shared = model(), counter(limit=10), counter(Metric.TOKENS, limit=500)
    one.health.counters.append(own)
    one.account.counters.append(shared)
    own.used, own.reserved, shared.used = 3, 1, 400
    found = levels(one, 0.0, epoch=EPOCH)
    assert [(row.kind, row.left, row.limit) for row in found] == [("requests", 6, 10), ("tokens", 100, 500)]
    one.learn(None, told(), 0.0)
    assert [(row.kind, row.left) for row in levels(one, 0.0, epoch=EPOCH)] == [("requests", 20), ("tokens", 100)]


def test_money_and_what_is_only_counted_are_no_rate_limits() -> None:
    one = model()
    one.health.counters += [counter(Metric.COST), counter(period=Period.REQUEST), counter(enforce=False)]
    assert levels(one, 0.0, epoch=EPOCH) == ()


def test_a_count_says_when_its_window_begins_anew() -> None:
    one, own = model(), counter(limit=10)
    one.health.counters.append(own)
    assert levels(one, 0.0, epoch=EPOCH)[0].changes_at == math.inf  # it is full: time does not change that
    own.add(4, EPOCH)
    [level] = levels(one, 0.0, epoch=EPOCH)
    assert 0 < level.changes_at <= 86_400
    [later] = levels(one, level.changes_at + 1, epoch=EPOCH)
    assert later.left == 10


def test_a_sliding_count_is_looked_at_no_more_than_once_a_second() -> None:
    one, own = model(), counter(limit=10, period=Period.MINUTE)
    one.health.counters.append(own)
    own.add(4, EPOCH)
    assert levels(one, 59.99, epoch=EPOCH)[0].changes_at >= 60.98
    assert levels(one, 61.0, epoch=EPOCH)[0].left == 10


def test_the_share_of_a_limit() -> None:
    assert [Level("requests", limit, left).ratio for limit, left in ((100, 20), (100, 200), (0, 0), (3, 0))] == [
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
def test_alarms_ring_once_in_order_and_keep_no_more_than_there_are_places(steps: list[tuple[str, int, float]]) -> None:
    alarms, expected = Alarms(), {}
    for what, place, when in steps:
        if what == "set":
            alarms.set(place, when)
            expected[place] = when
            if math.isinf(when):
                del expected[place]
        elif not math.isinf(when):
            rings = list(alarms.due(when))
            assert [at for _, at in rings] == sorted(at for _, at in rings)
            assert dict(rings) == {one: at for one, at in expected.items() if at <= when}
            expected = {one: at for one, at in expected.items() if at > when}
        assert len(alarms) == len(expected)


def test_an_alarm_that_is_set_again_and_again_takes_no_more_room() -> None:
    alarms = Alarms()
    for number in range(5000):
        alarms.set(number % 3, float(number))
        assert len(alarms._heap) <= 2 * 3 + 64
    assert [place for place, _ in alarms.due(5000.0)] == [(5000 - later) % 3 for later in (3, 2, 1)]
