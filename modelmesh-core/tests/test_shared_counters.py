"""Counts shared by processes: each amount is published once, and releases are visible to others."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelmesh import ModelMesh
from modelmesh._engine.builtin.memory import MemoryStorage
from modelmesh._engine.routing.flow import serve
from modelmesh._engine.routing.steps import PublishDeltas, Send, Totals, Wait
from modelmesh._engine.state import SharedCounters
from modelmesh._engine.state.store_health import StoreHealth
from modelmesh.contracts import CHAT
from modelmesh.contracts.call import Call
from modelmesh.contracts.models import ModelInfo, ModelPricing
from modelmesh.contracts.provider import Answer
from modelmesh.errors import BudgetExceededError, RoutingError, StorageError
from modelmesh.testing import VirtualClock

CAPABILITY = "generation.text-generation.chat-completion"
EVENING = datetime(2026, 11, 21, 23, 59, tzinfo=UTC).timestamp()
CENT = 10_000_000


class Vendor:
    id = "test.vendor.v1"

    def models(self) -> list[ModelInfo]:
        return [ModelInfo("model", capabilities=(CAPABILITY,), pricing=ModelPricing(1.0, 1.0))]

    def send(self, call: Any, model: str, limits: Any) -> Answer:
        choice = {"index": 0, "message": {"role": "assistant", "content": model}, "finish_reason": "stop"}
        usage = {"prompt_tokens": 0, "completion_tokens": 10, "total_tokens": 10}
        return Answer({"id": "test", "object": "chat.completion", "created": 1, "choices": [choice], "usage": usage})

    async def asend(self, call: Any, model: str, limits: Any) -> Answer:
        return self.send(call, model, limits)


class Process:
    """A mesh that represents a process. Only the test accesses its store."""

    def __init__(self, store: Any, limit: float = 0.1, *, at: float = EVENING, pools: Any = None, **sections: Any) -> None:
        self.clock = VirtualClock()
        self.mesh = ModelMesh(clock=self.clock, sleep=self.clock.sleep, wall=lambda: at)
        self.mesh.initialize(
            {
                "providers": {"vendor": {"instance": Vendor(), **(sections or {"budget": {"daily_limit": limit}})}},
                "pools": pools or {"chat": {"capability": "chat-completion"}},
                "storage": {"instance": store, "sync_policy": "immediate"},
            }
        )
        assert self.mesh.state is not None
        self.mesh.state.thread.stop()  # the thread does no further work
        self.state, self.reservations = self.mesh.state, self.mesh._core.reservations

    def flow(self) -> Any:
        call = Call(CHAT, "chat", {"messages": [], "max_tokens": 10})
        return serve(call, self.mesh.list_pools()[0], clock=self.clock, rng=Random(0))

    def request(self) -> str:
        answer = self.mesh.client.chat.completions.create(model="chat", messages=[], max_tokens=10)
        return str(answer.choices[0].message.content)

    def begin(self) -> Any | None:
        """Begin a request and return it, ``None`` when the limit refuses it."""
        flow = self.flow()
        try:
            step = next(flow)
            if isinstance(step, PublishDeltas):
                step = flow.send(self.state.publish(step.amounts))
        except RoutingError:
            return None
        assert isinstance(step, Send)
        return flow

    def finish(self, flow: Any) -> None:
        with pytest.raises(StopIteration):
            flow.send(Vendor().send(None, "model", None))
        self.state.sync()

    @property
    def counter(self) -> Any:
        (counter,) = self.reservations.counters(self.mesh.list_pools()).values()
        return counter


def count(store: MemoryStorage) -> dict[str, int]:
    return {key.rpartition("@")[0].rpartition("/")[2]: value for key, (value, _) in store._counters.items()}


def test_threads_publish_their_own_reservations() -> None:
    process = Process(MemoryStorage(), limit=0.015)
    one, other = process.flow(), process.flow()
    first, second = next(one), None
    assert isinstance(first, PublishDeltas)
    (name,) = first.amounts
    assert first.amounts == {name: CENT}
    process.reservations.counters(process.mesh.list_pools())[
        "provider:vendor:cost:day"
    ].reserved = 0  # otherwise the check refuses it
    second = next(other)
    assert isinstance(second, PublishDeltas)
    assert second.amounts == {name: CENT}, "the first publication does not include it"
    assert isinstance(one.send(Totals({name: CENT})), Send)
    step = other.send(Totals({name: 2 * CENT}))
    assert isinstance(step, Wait), "the reservation of the first is not available"
    with pytest.raises(BudgetExceededError, match="a day are spent"):
        while True:
            process.clock.advance(getattr(step, "seconds", 0.0))
            step = other.send(Totals({name: 2 * CENT}) if isinstance(step, PublishDeltas) else None)


@pytest.mark.parametrize("taken", [False, True])
def test_request_cut_before_publishing_leaves_nothing(taken: bool) -> None:
    process = Process(MemoryStorage())
    flow = process.flow()
    step = next(flow)
    published: dict[str, int] = {}
    while taken and step.amounts:
        published.update([step.amounts.popitem()])
    flow.close()
    back = process.reservations.shared.take()
    assert {name: published.get(name, 0) + amount for name, amount in back.items()} == dict.fromkeys(back, 0)
    assert sum(back.values()) == -sum(published.values())


def test_reservation_before_midnight_is_released_there() -> None:
    process = Process(MemoryStorage())
    flow = process.flow()
    step = next(flow)
    (yesterday,) = step.amounts
    assert isinstance(flow.send(Totals(dict(step.amounts))), Send)
    process.clock.advance(120)
    with pytest.raises(StopIteration):
        flow.send(Vendor().send(None, "model", None))
    back = process.reservations.shared.take()
    (today,) = set(back) - {yesterday}
    assert back == {yesterday: -CENT, today: CENT}


def test_released_amounts_of_others_are_seen() -> None:
    store = MemoryStorage()
    process = Process(store)
    assert process.request() == "model"
    (key,) = store._counters
    store.increment(key, 9 * CENT)  # another process reserves the rest
    for _ in range(2):
        with pytest.raises(BudgetExceededError):
            process.request()
    process.state.sync()
    with pytest.raises(BudgetExceededError):
        process.request()
    store.increment(key, -9 * CENT)  # and releases all of it
    process.state.sync()
    assert process.request() == "model"
    process.state.sync()
    assert count(store) == {"provider:vendor:cost:day": 2 * CENT}


def test_released_amounts_of_others_are_seen_with_rest() -> None:
    store = MemoryStorage()
    process = Process(store)
    process.request()
    (key,) = store._counters
    store.increment(key, 75 * CENT // 10)  # another process reserves most of it
    process.request()
    with pytest.raises(BudgetExceededError):  # half of the needed amount remains
        process.request()
    store.increment(key, -7 * CENT)
    process.state.sync()
    assert process.request() == "model"


def test_totals_missed_by_threads_are_corrected() -> None:
    process = Process(MemoryStorage(), limit=9.0)
    one, other = process.flow(), process.begin()
    totals = process.state.publish(next(one).amounts)
    with pytest.raises(StopIteration):  # it costs more than expected, while the other request waits for the store
        other.send(Answer({**Vendor().send(None, "", None).body, "usage": {"prompt_tokens": 0, "completion_tokens": 50}}))
    assert isinstance(one.send(totals), Send)
    process.finish(one)
    process.state.sync()
    assert (process.counter.used, sum(count(process.state.storage).values())) == (6 * CENT, 6 * CENT)


def test_forked_child_drops_deltas_of_parent() -> None:
    store = MemoryStorage()
    process = Process(store, limit=9.0)
    process.request()
    process.reservations.shared.pending = {"waiting": 7}
    process.mesh._after_fork()
    assert process.reservations.shared.take() == {}


# -- sliding windows ------------------------------------------------------------------------------------------------------

MINUTE = {"quota": {"requests_per_minute": 3}}


def together(*clocks: Any, seconds: float) -> None:
    for clock in clocks:
        clock.advance(seconds)


def test_minute_limit_is_shared() -> None:
    store = MemoryStorage()
    one, other = Process(store, **MINUTE), Process(store, **MINUTE)
    assert [one.request(), other.request(), one.request()] == ["model"] * 3
    for process in (one, other):
        process.state.sync()
        with pytest.raises(RoutingError, match="3 requests a minute"):
            process.request()
    together(one.clock, other.clock, seconds=59)
    with pytest.raises(RoutingError):
        other.request()
    together(one.clock, other.clock, seconds=1)
    assert other.request() == "model"


def test_last_request_of_minute_is_granted_once() -> None:
    store = MemoryStorage()
    one, other = Process(store, **MINUTE), Process(store, **MINUTE)
    one.request()
    other.request()
    assert [process.begin() is not None for process in (one, other)] == [True, False]
    other.state.sync()
    assert count(store)["provider:vendor:requests:minute"] == 3, "the late reservation is released"


def test_late_process_reads_minute_totals() -> None:
    store = MemoryStorage()
    first = Process(store, **MINUTE)
    for _ in range(3):
        first.request()
    first.state.sync()
    later = Process(store, **MINUTE)
    assert (later.counter.used, later.begin()) == (3, None)


def test_amounts_of_others_count_as_late_as_possible() -> None:
    store = MemoryStorage()
    one, other = Process(store, **MINUTE), Process(store, **MINUTE)
    together(one.clock, other.clock, seconds=50)
    for _ in range(3):
        one.request()
    one.state.sync()
    together(one.clock, other.clock, seconds=20)  # in the next bucket
    assert other.begin() is None
    together(one.clock, other.clock, seconds=49)
    assert other.begin() is None
    together(one.clock, other.clock, seconds=1)
    assert other.begin() is not None


def test_restart_counts_nothing_twice() -> None:
    store = MemoryStorage()
    first = Process(store, quota={"request_limit": 3, "reset_schedule": "rolling"})
    first.request()
    first.clock.advance(3 * 3600.0)  # past midnight, so that other buckets are summed
    first.request()
    first.state.sync()
    again = Process(store, at=EVENING + 3 * 3600.0, quota={"request_limit": 3, "reset_schedule": "rolling"})
    assert again.counter.used == 2
    again.clock.advance(3 * 3600.0)
    flow = again.begin()
    assert flow is not None
    again.finish(flow)
    assert (again.counter.used, again.begin()) == (3, None)


STEPS = st.lists(
    st.tuples(st.sampled_from(["begin", "begin", "finish", "wait", "sync"]), st.integers(0, 2), st.floats(0, 40)), max_size=50
)


@settings(max_examples=60, deadline=None)
@given(steps=STEPS)
def test_processes_never_exceed_minute_limit(steps: list[tuple[str, int, float]]) -> None:
    store, now = MemoryStorage(), 0.0
    processes = [Process(store, **MINUTE) for _ in range(3)]
    under_way: list[tuple[Process, Any]] = []
    begun: list[float] = []
    ended: list[float] = []
    for step, place, seconds in steps:
        process = processes[place]
        if step == "begin":
            flow = process.begin()
            if flow is not None:
                under_way.append((process, flow))
                begun.append(now)
            else:  # amounts of others count no later than they were seen
                process.state.sync()
                assert len(under_way) + sum(now - 120 <= at for at in ended) >= 3
            assert sum(now - 60 < at for at in begun) <= 3
        elif step == "finish" and under_way:
            owner, flow = under_way.pop(place % len(under_way))
            owner.finish(flow)
            ended.append(now)
        elif step == "wait":
            together(*(process.clock for process in processes), seconds=seconds)
            now += seconds
        else:
            process.state.sync()
    for owner, flow in under_way:
        owner.finish(flow)
    together(*(process.clock for process in processes), seconds=121)
    for process in processes:
        flow = process.begin()
        assert flow is not None, "expired amounts do not block a request"
        process.finish(flow)
        together(*(process.clock for process in processes), seconds=61)
    assert all(process.counter._published == {} and process.counter.reserved == 0 for process in processes)


def test_restart_keeps_expired_amounts_of_bucket() -> None:
    store, hours = MemoryStorage(), 3600.0
    rolling = {"quota": {"request_limit": 1, "reset_schedule": "rolling"}}
    first = Process(store, at=EVENING - 23 * hours, **rolling)
    first.request()
    first.clock.advance(24 * hours)
    first.state.sync()
    again = Process(store, at=EVENING + 1 * hours, **rolling)
    assert again.counter.used == 0, "the sum of yesterday's bucket was not used at its end"
    assert again.request() == "model"


@pytest.mark.parametrize("back", [{"on_quota_reset": False}, {"quota_reset_schedule": "daily_utc"}], ids=["in all", "a day"])
def test_manual_recovery_is_shared(back: dict[str, Any]) -> None:
    store = MemoryStorage()
    pool = {"chat": {"capability": "chat-completion", "deactivation": {"request_limit": 2}, "recovery": back}}
    one, other = Process(store, pools=pool, limit=9.0), Process(store, pools=pool, limit=9.0)
    for process in (one, other):
        process.request()
        process.state.sync()
    for process in (one, other):
        with pytest.raises(RoutingError):
            process.request()
    (chat,) = one.mesh.list_pools()
    chat.recover(chat.members[0])
    assert one.request() == "model"
    one.state.sync()
    other.state.sync()
    assert other.request() == "model"
    with pytest.raises(RoutingError):
        one.request()


def test_manual_recovery_of_minute_is_shared() -> None:
    store = MemoryStorage()
    one, other = Process(store, **MINUTE), Process(store, **MINUTE)
    one.request()
    together(one.clock, other.clock, seconds=50)
    one.request()
    other.request()
    together(one.clock, other.clock, seconds=5)
    one.state.sync()
    assert (one.begin(), other.begin()) == (None, None)
    one.reservations.reset(one.mesh.list_models()[0].account)
    one.state.sync()
    other.state.sync()
    assert (one.counter.used, other.counter.used, sum(count(store).values())) == (0, 0, 0)
    assert other.request() == "model"


def test_fully_reserved_limit_suspends_once() -> None:
    process = Process(MemoryStorage(), **MINUTE)
    flows = [process.begin() for _ in range(3)]
    account = process.mesh.list_pools()[0].members[0].account
    for _ in range(3):
        process.clock.advance(1.0)
        assert process.begin() is None
    assert (account.standby_events, account.quota_resets) == (1, 0)
    for flow in flows:
        process.finish(flow)


def test_minute_buckets_expire_soon() -> None:
    store = MemoryStorage()
    process = Process(store, quota={"requests_per_minute": 3, "requests_per_day": 9})
    began = time.monotonic()
    process.request()
    lasts = {key.rpartition("@")[0].rpartition(":")[2]: until - began for key, (_, until) in store._counters.items() if until}
    assert lasts["minute"] < 60 + 60 + 300 + 60 < 86400 < lasts["day"]


def test_memory_store_drops_expired_counts() -> None:
    store = MemoryStorage()
    store.increment("a", 1, 0.0)
    store.increment("b", 1, 600.0)
    assert list(store._counters) == ["b"]


class Moody:
    """Counter store that can fail."""

    def __init__(self) -> None:
        self.sums: dict[str, int] = {}
        self.raises: BaseException | None = None
        self.exchanges = 0

    def increment(self, key: str, amount: int = 1, expires_s: float | None = None) -> int:
        self.exchanges += 1
        if self.raises is not None:
            raise self.raises
        self.sums[key] = self.sums.get(key, 0) + amount
        return self.sums[key]


class AtOnce(Moody):
    def increment_many(self, additions: Mapping[str, tuple[int, float | None]]) -> dict[str, int]:
        self.exchanges -= len(additions) - 1
        return {key: self.increment(key, amount) for key, (amount, _) in additions.items()}


class RecordedHealth(StoreHealth):
    """Collects every failure. The store's own health publishes only the first."""

    def __init__(self, failures: list[Exception] | None = None) -> None:
        super().__init__("test.moody.v1", lambda _event, _facts: None)
        self.failures = failures if failures is not None else []

    def record_failure(self, error: Exception) -> None:
        self.failures.append(error)


@pytest.mark.parametrize("store", [Moody(), AtOnce()], ids=["one by one", "at once"])
def test_requests_skip_a_failed_store(store: Moody) -> None:
    failures: list[Exception] = []
    counts = SharedCounters(store, "test/", lambda: EVENING, RecordedHealth(failures))
    assert counts.publish({"a@": 1, "b@": 2}) == Totals({"a@": 1, "b@": 2})
    store.raises = StorageError("down", connector_id="test.moody.v1")
    assert counts.publish({"a@": 10}) is None
    exchanges = store.exchanges
    assert [counts.publish({"b@": 5}) for _ in range(3)] == [None] * 3
    assert (store.exchanges, len(failures), counts.pending) == (exchanges, 1, 2)
    assert counts.publish({}, retry=True) is None
    store.raises = None
    assert counts.publish({"a@": 1}) is None, "requests skip the store until a retry"
    assert counts.publish({}, retry=True) == Totals({"a@": 12, "b@": 17})
    assert counts.publish({"a@": 1}) == Totals({"a@": 13})


def test_failed_store_gets_no_expired_buckets() -> None:
    now, store = EVENING, AtOnce()
    counts = SharedCounters(store, "test/", lambda: now, RecordedHealth())
    store.raises = StorageError("down", connector_id="test.moody.v1")
    for minute in range(1440):
        now = EVENING + 60.0 * minute
        counts.publish({f"a:requests:minute@{int(now + 60)}": 1, f"a:requests:day@{int(EVENING + 60)}": 1})
        counts.publish({}, retry=True)
        assert counts.pending <= 10
    store.raises = None
    assert counts.publish({}, retry=True) is not None
    assert store.sums[f"test/a:requests:day@{int(EVENING + 60)}"] == 1440
    assert store.sums[f"test/a:requests:minute@{int(now + 60)}"] == 1


def test_interrupt_loses_no_count() -> None:
    store = Moody()
    counts = SharedCounters(store, "test/", lambda: EVENING, RecordedHealth())
    store.raises = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        counts.publish({"a@": 3})
    store.raises = None
    assert counts.publish({}, retry=True) == Totals({"a@": 3})


def test_atomic_store_needs_one_exchange_per_request() -> None:
    store = AtOnce()
    counts = SharedCounters(store, "test/", lambda: EVENING, RecordedHealth())
    counts.publish({"a@": 1, "b@": 1, "c@": 1})
    assert store.exchanges == 1
