"""Usage totals: exact sums, and unknown values that stay unknown."""

from __future__ import annotations

from datetime import UTC, datetime
from threading import Event, Thread
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelmesh import create
from modelmesh._engine.foundation.units import NANO
from modelmesh._engine.limits.cost import cost_nano_usd
from modelmesh._engine.limits.window import Period, Window
from modelmesh._engine.telemetry import usage as usage_module
from modelmesh._engine.telemetry.usage import UsageTracker
from modelmesh._engine.telemetry.usage_entry import UsageEntry
from modelmesh.contracts.models import ModelInfo, ModelPricing

BOTH = ModelPricing(input_per_1k_tokens=0.0025, output_per_1k_tokens=0.01)
USED = {"prompt_tokens": 1000, "completion_tokens": 500}


@pytest.mark.parametrize(
    ("pricing", "usage", "usd"),
    [
        (BOTH, USED, 0.0075),
        (ModelPricing(0.0025, 0.01, per_request=0.5), USED, 0.5075),
        (ModelPricing(per_request=0.5), USED, 0.5),
        (ModelPricing(per_request=0.5), None, 0.5),
        (ModelPricing(0.0, 0.0), USED, 0.0),
        (BOTH, {"prompt_tokens": 0, "completion_tokens": 0}, 0.0),
        (None, USED, None),
        (ModelPricing(), USED, None),
        (ModelPricing(input_per_1k_tokens=0.0025), USED, None),
        (BOTH, None, None),
        (BOTH, {}, None),
        (BOTH, {"prompt_tokens": 5}, None),
        (BOTH, {"prompt_tokens": None, "completion_tokens": 5}, None),
        (BOTH, {"prompt_tokens": "5", "completion_tokens": 5}, None),
    ],
)
def test_cost_of_one_answer(pricing: Any, usage: Any, usd: float | None) -> None:
    assert cost_nano_usd(pricing, usage) == (None if usd is None else round(usd * NANO))


@given(st.lists(st.integers(0, 10**15), max_size=50))
def test_usage_entry_sums_are_exact_in_any_order(amounts: list[int]) -> None:
    forth, back = UsageEntry(), UsageEntry()
    for amount in amounts:
        forth.add(None, amount)
    for amount in reversed(amounts):
        back.add(None, amount)
    assert forth == back
    assert forth.total_cost == sum(amounts) / NANO
    assert forth.total_requests == len(amounts)


def test_usage_tracker_totals_by_model_and_provider() -> None:
    tracker = UsageTracker()
    tracker.add("m", "a", USED, 5)
    tracker.add("m", "b", USED, 7)
    tracker.add("n", "b", None, None)
    assert (tracker.total_requests, tracker.total_tokens, tracker.total.unpriced_requests) == (3, 3000, 0)
    assert tracker.total.unknown_usage_requests == 1, "its price may be known, but its tokens are not"
    assert tracker.total_cost == 12 / NANO
    assert {name: (one.total_requests, one.total_tokens) for name, one in tracker.by_model.items()} == {
        "m": (2, 3000),
        "n": (1, 0),
    }
    assert {name: one.total_requests for name, one in tracker.by_provider.items()} == {"a": 1, "b": 2}
    assert tracker.by_provider["b"].unknown_usage_requests == 1
    assert tracker.summary().startswith("total: 3 requests, 3000 tokens, $0.000000 and 1 request")
    assert len(tracker.summary().splitlines()) == 3
    assert "3 requests" in repr(tracker)
    assert tracker.budget_status is None
    tracker.reset()
    assert (tracker.total_requests, tracker.by_model, tracker.by_provider, tracker.total_cost) == (0, {}, {}, 0.0)


def test_usage_summary_while_other_threads_count() -> None:
    """A summary shows one moment: a model that is added meanwhile has no line."""
    tracker, ended = UsageTracker(), Event()

    class Name(str):
        __slots__ = ()

        def __format__(self, spec: str) -> str:
            Thread(target=count).start()
            ended.wait(0.2)
            return str(self)

    def count() -> None:
        tracker.add("another", "p", USED, 1)
        ended.set()

    tracker.add(Name("m"), "p", USED, 1)
    tracker.add("n", "p", USED, 1)
    assert len(tracker.summary().splitlines()) == 3
    assert ended.wait(10)
    assert len(tracker.summary().splitlines()) == 4


@pytest.mark.parametrize("tokens", [-5, True, "5", pytest.param(10**400, id="endless"), 1.5, None])
def test_usage_tracker_ignores_invalid_token_numbers(tokens: Any) -> None:
    used = {"prompt_tokens": 100, "completion_tokens": tokens}
    tracker = UsageTracker()
    tracker.add("m", "a", used, cost_nano_usd(BOTH, used))
    assert (tracker.total_tokens, tracker.total_cost, tracker.total.unpriced_requests) == (100, 0.0, 1)


@pytest.mark.parametrize(
    ("before", "after", "month"),
    [
        ("2026-11-21T23:59:59.999", "2026-11-22T00:00:00", 3),
        ("2026-11-30T23:59:59", "2026-12-01T00:00:00", 1),
        ("2026-12-31T23:59:59", "2027-01-01T00:00:00", 1),
        ("2028-02-28T12:00:00", "2028-02-29T12:00:00", 3),
        ("2026-03-28T23:30:00", "2026-03-29T02:30:00", 3),
    ],
)
def test_usage_periods_begin_at_midnight_utc(before: str, after: str, month: int) -> None:
    now = [datetime.fromisoformat(before).replace(tzinfo=UTC).timestamp()]
    tracker = UsageTracker(lambda: now[0])
    tracker.add("m", "a", USED, 2 * NANO)
    assert (tracker.daily_cost, tracker.monthly_cost) == (2, 2)
    now[0] = datetime.fromisoformat(after).replace(tzinfo=UTC).timestamp()
    assert tracker.daily_cost == 0
    tracker.add("m", "a", USED, NANO)
    assert (tracker.daily_cost, tracker.monthly_cost, tracker.total_cost) == (1, month, 3)
    assert (tracker.today.total_requests, tracker.this_month.total_requests, tracker.total.total_requests) == (
        1,
        1 + (month == 3),
        2,
    )


def test_usage_of_a_day_derives_its_date_once(monkeypatch: pytest.MonkeyPatch) -> None:
    derived: list[Period] = []
    start = Window.start
    monkeypatch.setattr(Window, "start", lambda window, when: derived.append(window.period) or start(window, when))
    now = [datetime(2026, 11, 21, 10, tzinfo=UTC).timestamp()]
    tracker = UsageTracker(lambda: now[0])
    for _ in range(100):
        now[0] += 60
        tracker.add("m", "a", USED, 2)
    assert derived == [Period.DAY, Period.MONTH]
    assert (tracker.today.total_requests, tracker.this_month.total_requests) == (100, 100)
    now[0] += 86400
    tracker.add("m", "a", USED, 2)
    assert derived == [Period.DAY, Period.MONTH, Period.DAY]
    assert (tracker.today.total_requests, tracker.this_month.total_requests) == (1, 101)


@pytest.mark.parametrize(
    ("set_back_to", "expected"),
    [
        ("2026-11-21T00:00:00", (2, 2)),
        ("2026-11-20T23:59:59", (1, 2)),
        ("2026-10-31T23:59:59", (1, 1)),
    ],
)
def test_usage_follows_a_clock_that_is_set_back(set_back_to: str, expected: tuple[int, int]) -> None:
    now = [datetime(2026, 11, 21, 10, tzinfo=UTC).timestamp()]
    tracker = UsageTracker(lambda: now[0])
    tracker.add("m", "a", USED, 2)
    now[0] = datetime.fromisoformat(set_back_to).replace(tzinfo=UTC).timestamp()
    tracker.add("m", "a", USED, 2)
    assert (tracker.today.total_requests, tracker.this_month.total_requests) == expected
    assert tracker.total_requests == 2


def test_restored_usage_belongs_to_its_day_only() -> None:
    now = [datetime(2026, 11, 21, 10, tzinfo=UTC).timestamp()]
    earlier = UsageTracker(lambda: now[0])
    earlier.add("m", "a", USED, 2)
    for hours, expected in ((1, (2, 2)), (24, (1, 2)), (24 * 10, (1, 1))):
        later = UsageTracker(lambda hours=hours: now[0] + hours * 3600)
        later.restore(earlier.saved())
        later.add("m", "a", USED, 2)
        assert (later.today.total_requests, later.this_month.total_requests) == expected
        assert later.saved()["periods"]["day"]["began"] == Window(Period.DAY).start(now[0] + hours * 3600)


def test_usage_counts_a_request_that_is_recorded_while_an_entry_is_created(monkeypatch: pytest.MonkeyPatch) -> None:
    tracker = UsageTracker()
    pending = [True]

    class Interrupted(UsageEntry):  # as garbage collection of a stream, which may happen at any allocation
        def __init__(self) -> None:
            super().__init__()
            if pending and pending.pop():
                tracker.add("m", "a", USED, 1)

    monkeypatch.setattr(usage_module, "UsageEntry", Interrupted)
    tracker.add("m", "a", USED, 1)
    assert not pending
    assert tracker.by_model["m"].total_requests == tracker.today.total_requests == tracker.total_requests == 2


def test_usage_tables_are_copies() -> None:
    tracker = UsageTracker()
    tracker.add("m", "a", USED, 5)
    tracker.by_model.clear()
    tracker.by_provider["z"] = UsageEntry()
    assert list(tracker.by_model) == ["m"]
    assert list(tracker.by_provider) == ["a"]


def test_usage_tracker_is_exact_with_threads() -> None:
    tracker = UsageTracker()

    def work() -> None:
        for _ in range(500):
            tracker.add("m", "a", {"prompt_tokens": 1, "completion_tokens": 2}, 3)

    threads = [Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tracker.total_requests, tracker.total_tokens, tracker.total_cost) == (4000, 12_000, 12_000 / NANO)


def test_usage_of_a_client(scripted: Any) -> None:
    priced, free = ModelInfo("m", pricing=BOTH), ModelInfo("n")
    raw = {
        "providers": {"a": {"instance": scripted(priced, free)}},
        "pools": {"chat": {"models": ["m"]}, "other": {"models": ["n"]}},
    }
    with create(config=raw) as client:
        reply = client.chat.completions.create(model="chat", messages=[])
        assert reply.attempts[-1].cost == pytest.approx(5 / 1000 * 0.0025 + 2 / 1000 * 0.01)
        assert client.chat.completions.create(model="other", messages=[]).attempts[-1].cost is None
        assert (client.usage.total_requests, client.usage.total_tokens, client.usage.total.unpriced_requests) == (2, 14, 1)
        assert client.usage.total_cost == pytest.approx(reply.attempts[-1].cost)
        assert client.usage.by_model["n"].total_cost == 0.0


def test_usage_entry_keeps_its_keys_in_stored_state() -> None:
    entry = UsageEntry(total_requests=2, prompt_tokens=3, completion_tokens=4, unknown_cost_attempts=1, nano_usd=5)
    keys = [
        "total_requests",
        "prompt_tokens",
        "completion_tokens",
        "estimated_requests",
        "estimated_tokens",
        "unknown_usage_requests",
    ]
    assert list(entry.saved()) == [*keys, "unpriced_requests", "unsettled_attempts", "nano_usd"]
    assert UsageEntry.restored(entry.saved()) == entry


def test_tracker_shortcuts_equal_the_total() -> None:
    usage = UsageTracker()
    usage.add("m", "p", {"prompt_tokens": 3, "completion_tokens": 2}, None)
    usage.add("m", "p", {"prompt_tokens": 1, "completion_tokens": 1}, 5, estimated=True)
    usage.add("m", "p", None, None)
    usage.add_unknown_cost("m", "p")
    names = ("total_requests", "total_tokens", "estimated_requests", "estimated_tokens", "unknown_usage_requests",
             "unpriced_requests", "unknown_cost_attempts")  # fmt: skip
    assert [getattr(usage, name) for name in names] == [getattr(usage.total, name) for name in names] == [3, 7, 1, 2, 1, 1, 1]
