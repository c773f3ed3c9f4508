"""Persisted state: restarts, several processes, failing stores and damaged data."""

from __future__ import annotations

import asyncio
import json
import math
import os
import select
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from threading import Event
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelmesh import ModelMesh
from modelmesh._engine.builtin.memory import MemoryStorage
from modelmesh._engine.state import DamagedStateError, NewerStateError, SystemState
from modelmesh.contracts import FailureClass
from modelmesh.contracts.models import ModelInfo, ModelPricing
from modelmesh.contracts.provider import Answer
from modelmesh.contracts.storage import StorageEntry
from modelmesh.errors import BudgetExceededError, ModelMeshError, NoActiveModelError, RateLimitError, StorageError
from modelmesh.testing import VirtualClock

CHAT = "generation.text-generation.chat-completion"
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp()
KEY = "modelmesh/state"


class Vendor:
    id = "test.vendor.v1"

    def __init__(self, model: str) -> None:
        self.model = model
        self.reads = 0
        self.delay: float | None = None

    def models(self) -> list[ModelInfo]:
        return [ModelInfo(self.model, capabilities=(CHAT,), pricing=ModelPricing(10.0, 10.0))]

    def send(self, call: Any, model: str, limits: Any) -> Answer:
        self.reads += 1
        if self.delay is not None:
            raise RateLimitError("slow down", failure=FailureClass.THROTTLE, status=429, upstream_delay_s=self.delay)
        choice = {"index": 0, "message": {"role": "assistant", "content": model}, "finish_reason": "stop"}
        usage = {"prompt_tokens": 0, "completion_tokens": 10, "total_tokens": 10}
        return Answer({"id": "test", "object": "chat.completion", "created": 1, "choices": [choice], "usage": usage})

    async def asend(self, call: Any, model: str, limits: Any) -> Answer:
        return self.send(call, model, limits)


class Failing(MemoryStorage):
    """Memory store that can fail."""

    id = "test.failing.v1"
    down = False

    def _check(self) -> None:
        if self.down:
            raise StorageError("no space left on device", connector_id=self.id)

    def load(self, key: str) -> StorageEntry | None:
        self._check()
        return super().load(key)

    def save(self, key: str, entry: StorageEntry) -> None:
        self._check()
        super().save(key, entry)

    def increment(self, key: str, amount: int = 1, expires_s: float | None = None) -> int:
        self._check()
        return super().increment(key, amount, expires_s)


class Sink:
    id = "test.sink.v1"

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.recovered = Event()

    def emit(self, event: Any) -> None:
        self.events.append(event)
        if event.event_type == "storage_recovered":
            self.recovered.set()

    def log(self, entry: Any) -> None: ...

    def flush(self, stats: Any) -> None: ...

    def trace(self, entry: Any) -> None: ...

    def storage(self) -> list[str]:
        return [event.event_type for event in self.events if event.event_type.startswith("storage_")]


class Run:
    """One run of a program, with a store that outlives it."""

    def __init__(self, store: Any, policy: str = "sync-on-boundary", *, later: float = 0.0, **provider: Any) -> None:
        self.clock, self.sink, self.vendors = VirtualClock(), Sink(), {key: Vendor(key) for key in "ab"}
        self.mesh = ModelMesh(clock=self.clock, sleep=self.clock.sleep, wall=lambda: NOON + later)
        self.mesh.initialize(
            {
                "providers": {key: {"instance": vendor, **provider} for key, vendor in self.vendors.items()},
                "pools": {"chat": {"capability": "chat-completion", "on_budget_exceeded": "rotate"}},
                "storage": {"instance": store, "sync_policy": policy},
                "observability": {"instance": self.sink},
            }
        )

    def ask(self, **payload: Any) -> str:
        answer = self.mesh.client.chat.completions.create(model="chat", messages=[], **payload)
        return str(answer.choices[0].message.content)

    def crash(self) -> None:
        """Stop saving, as a crash does."""
        assert self.mesh.state is not None
        self.mesh.state.thread.stop()


@pytest.fixture
def runs() -> Iterator[list[Run]]:
    made: list[Run] = []
    yield made
    for run in made:
        run.mesh.shutdown()


DAILY = {"quota": {"requests_per_day": 3}}


def test_restart_continues_counts(runs: list[Run]) -> None:
    store = MemoryStorage()
    first = Run(store, **DAILY)
    assert [first.ask() for _ in range(4)] == ["a", "a", "a", "b"]
    cost = first.mesh.usage.daily_cost
    first.mesh.shutdown()
    second = Run(store, later=60, **DAILY)
    runs.append(second)
    assert [second.ask() for _ in range(2)] == ["b", "b"]
    with pytest.raises(NoActiveModelError, match="3 requests a day"):
        second.ask()
    assert second.mesh.usage.daily_cost == pytest.approx(cost * 6 / 4)
    assert second.mesh.usage.by_model["a"].total_requests == 3
    second.mesh.shutdown()
    third = Run(store, later=86400, **DAILY)
    runs.append(third)
    assert third.ask() == "a", "a new day"
    assert (third.mesh.usage.total_requests, third.mesh.usage.daily_cost) == (7, pytest.approx(0.1))


@pytest.mark.parametrize("counters", [True, False])
def test_crash_loses_no_sent_request(counters: bool, runs: list[Run]) -> None:
    store: Any = MemoryStorage()
    if not counters:
        store = type(
            "Plain", (), {name: getattr(store, name) for name in ("id", "load", "save", "list", "delete", "stat", "exists")}
        )()
    first = Run(store, "immediate", **DAILY)
    assert [first.ask() for _ in range(4)] == ["a", "a", "a", "b"]
    first.crash()
    second = Run(store, "immediate", later=60, **DAILY)
    runs.append(second)
    assert [second.ask() for _ in range(2)] == ["b", "b"]
    with pytest.raises(NoActiveModelError):
        second.ask()


def test_retry_after_survives_a_restart(runs: list[Run]) -> None:
    store = MemoryStorage()
    first = Run(store)
    first.vendors["a"].delay = 600.0
    assert first.ask() == "b"
    first.mesh.shutdown()
    second = Run(store, later=300)
    runs.append(second)
    assert second.ask() == "b"
    left = second.mesh.explain("chat").candidates[0].reason
    assert "rate limited" in left
    second.clock.advance(400)
    second.mesh.list_pools()[0].strategy._current = None
    assert second.ask() in "ab"
    assert second.mesh.explain("chat").candidates[0].status == "active"


def test_manual_standby_survives_a_restart(runs: list[Run]) -> None:
    store = MemoryStorage()
    first = Run(store)
    assert first.mesh.rotate("chat") == "b"
    first.mesh.shutdown()
    second = Run(store)
    runs.append(second)
    assert second.ask() == "b"
    assert second.mesh.list_pools()[0].rotation_events == 1


def test_budget_is_shared_by_two_processes(runs: list[Run]) -> None:
    store = MemoryStorage()
    budget = {"budget": {"daily_limit": 0.35}}
    one, two = (Run(store, "immediate", **budget) for _ in range(2))
    runs += [one, two]
    answers = [run.ask(max_tokens=9) for run in (one, two) * 3]
    assert answers == ["a", "a", "a", "b", "b", "b"]
    with pytest.raises(BudgetExceededError):
        one.ask(max_tokens=9)
    with pytest.raises(BudgetExceededError):
        two.ask(max_tokens=9)
    for run in runs:
        run.mesh.shutdown()
    counts = {key: store.increment(key, 0) for key in store._counters}
    assert sorted(counts.values()) == [300_000_000, 300_000_000]


def test_store_outage_fails_no_request_and_loses_no_count(runs: list[Run]) -> None:
    store = Failing()
    run = Run(store, "immediate", budget={"daily_limit": 5.0})
    run.ask()
    store.down = True
    assert [run.ask() for _ in range(5)] == ["a"] * 5
    status = run.mesh.state.get_sync_status()  # type: ignore[union-attr]
    assert "no space left" in (status.error or "")
    assert status.pending_changes
    store.down = False
    run.clock.advance(2)
    run.ask()
    run.mesh.shutdown()
    assert [store.increment(key, 0) for key in store._counters] == [700_000_000]
    assert run.sink.storage() == ["storage_failed", "storage_recovered"], "once each, not once per request"


def test_save_releases_a_lock_left_by_a_failed_release(runs: list[Run]) -> None:
    class Sticky(Failing):
        def save(self, key: str, entry: StorageEntry) -> None:
            super().save(key, entry)
            self.down = sticks

        def release(self, lock: Any) -> bool:
            self._check()
            return super().release(lock)

    store, sticks = Sticky(), True
    run = Run(store)
    runs.append(run)
    state = run.mesh.state
    assert state is not None
    assert not state.save()
    store.down = sticks = False
    assert state.save(), "immediately, not after the lock has expired"
    assert not store.is_locked(KEY)


def test_store_down_at_start_is_merged_when_it_returns(runs: list[Run]) -> None:
    store = Failing()
    first = Run(store, **DAILY)
    first.ask()
    first.ask()
    first.mesh.shutdown()
    store.down = True
    second = Run(store, **DAILY)
    assert second.ask() == "a"
    store.down = False
    second.mesh.shutdown()
    third = Run(store, **DAILY)
    runs.append(third)
    usage = third.mesh.usage
    counted = (usage.total, usage.today, usage.by_model["a"], usage.by_provider["a"])
    assert [one.total_requests for one in counted] == [3] * 4, "counts of the outage are added"
    assert [third.ask() for _ in range(2)] == ["b", "b"], "a has used 3 of 3 requests"


def test_state_that_cannot_be_loaded_is_not_overwritten(runs: list[Run]) -> None:
    class CannotRead(MemoryStorage):
        blind = False

        def load(self, key: str) -> StorageEntry | None:
            if self.blind:
                raise StorageError("it cannot be read", connector_id=self.id)
            return super().load(key)

    store = CannotRead()
    first = Run(store, **DAILY)
    first.ask()
    first.ask()
    first.mesh.shutdown()
    store.blind = True
    second = Run(store, **DAILY)
    assert second.ask() == "a"
    assert second.mesh.state is not None
    assert not second.mesh.state.save()
    assert second.sink.storage() == ["storage_failed"]
    second.mesh.shutdown()
    store.blind = False
    third = Run(store, **DAILY)
    runs.append(third)
    assert [third.ask() for _ in range(2)] == ["a", "b"], "the first run used 2 of 3 requests of a"


def test_repair_by_the_store_is_published(runs: list[Run]) -> None:
    class Repairing(MemoryStorage):
        on_damage: Any = None

        def load(self, key: str) -> StorageEntry | None:
            self.on_damage("the file is damaged", "it is kept as state.corrupt-1")
            return super().load(key)

    run = Run(Repairing())
    runs.append(run)
    (event,) = [event for event in run.sink.events if event.event_type == "storage_failed"]
    facts = {"reason": "the file is damaged", "kept": "it is kept as state.corrupt-1", "storage": MemoryStorage.id}
    assert event.metadata == facts


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "corrupt"),
        (b"\xff\xfe", "corrupt"),
        (b'{"format": 1, "timest', "corrupt"),
        (b"[]", "corrupt"),
        (b'{"format": 1}', "corrupt"),
        (b'{"format": "one"}', "corrupt"),
        (b"[" * 100_000, "corrupt"),
        (b'{"format": 99, "anything": true}', "newer"),
        (SystemState(1.0, meters={"provider:a:requests:day": "many"}).to_bytes(), "corrupt"),
        (SystemState(1.0, models={"a/a": {"reason": "no such"}}).to_bytes(), "corrupt"),
        (SystemState(1.0, pools={"chat": []}).to_bytes(), "corrupt"),
        (SystemState(1.0).to_bytes().replace(b'"pools":{}', b'"pools":{"\\ud800":{}}'), "corrupt"),
        (SystemState(1.0).to_bytes().replace(b"1.0", b"1" + b"0" * 400), "corrupt"),
        (SystemState(1.0, meters={"provider:a:requests:day": {"used": math.inf}}).to_bytes(), "corrupt"),
        (SystemState(1.0, meters={"provider:a:requests:day": {"used": 10**400}}).to_bytes(), "corrupt"),
        (SystemState(1.0, models={"a/a": {"reason": "throttle", "until": math.nan}}).to_bytes(), "corrupt"),
        (SystemState(1.0, usage={"periods": {"day": {"began": 1e300, "total": {}}}}).to_bytes(), "corrupt"),
    ],
)
def test_unreadable_state_moves_to_quarantine(data: bytes, word: str, runs: list[Run]) -> None:
    store = MemoryStorage()
    store.save(KEY, StorageEntry(KEY, data))
    run = Run(store, **DAILY)
    assert run.ask() == "a"
    run.mesh.shutdown()
    aside = store.load(f"{KEY}.{word}-1")
    assert aside is not None
    assert run.sink.storage() == ["storage_failed"]
    kept = store.load(KEY)
    assert kept is not None
    assert json.loads(kept.data)["meters"]["provider:a:requests:day"]["used"] == 1


@given(st.binary(max_size=200))
def test_system_state_rejects_any_other_bytes(data: bytes) -> None:
    with pytest.raises((DamagedStateError, NewerStateError)):
        SystemState.from_bytes(data)


def test_in_memory_policy_writes_nothing(runs: list[Run]) -> None:
    store = MemoryStorage()
    run = Run(store, "in-memory")
    run.ask()
    run.mesh.shutdown()
    assert store.list() == []


def test_periodic_policy_saves_after_the_interval() -> None:
    saved = Event()

    class Watching(MemoryStorage):
        def save(self, key: str, entry: StorageEntry) -> None:
            super().save(key, entry)
            saved.set()

    store = Watching()
    mesh = ModelMesh()
    mesh.initialize(
        {
            "providers": {"a": {"instance": Vendor("a")}},
            "pools": {"chat": {"capability": "chat-completion"}},
            "storage": {"instance": store, "persistence": {"sync_policy": "periodic", "sync_interval": "20ms"}},
        }
    )
    with mesh:
        mesh.client.chat.completions.create(model="chat", messages=[])
        assert saved.wait(10)


def test_state_lock_is_released(runs: list[Run]) -> None:
    store = MemoryStorage()
    run = Run(store)
    runs.append(run)
    state = run.mesh.state
    assert state is not None
    handle = state.acquire_lock()
    status = state.get_sync_status()
    assert (status.locked, status.lock_owner) == (True, handle.lock_id)
    with pytest.raises(TimeoutError):
        store.acquire(KEY, 0)
    assert state.release_lock(handle)
    assert not state.get_sync_status().locked


def test_acquire_lock_without_store_locks_is_an_error() -> None:
    plain: Any = type(
        "Plain", (), {n: getattr(MemoryStorage(), n) for n in ("id", "load", "save", "list", "delete", "stat", "exists")}
    )()
    run = Run(plain)
    assert run.mesh.state is not None
    with pytest.raises(ModelMeshError, match="has no locks"):
        run.mesh.state.acquire_lock()
    run.mesh.shutdown()


class Minimal:
    """Store without optional parts that can fail."""

    id = "test.minimal.v1"

    def __init__(self) -> None:
        self.kept: dict[str, StorageEntry] = {}
        self.down: tuple[str, ...] = ()
        self.saves = 0

    def _check(self, method: str) -> None:
        if method in self.down:
            raise OSError("no answer")

    def load(self, key: str) -> StorageEntry | None:
        self._check("load")
        return self.kept.get(key)

    def save(self, key: str, entry: StorageEntry) -> None:
        self.saves += 1
        self._check("save")
        self.kept[key] = entry

    def list(self, prefix: str | None = None) -> list[str]:
        return sorted(key for key in self.kept if key.startswith(prefix or ""))

    def delete(self, key: str) -> bool:
        return self.kept.pop(key, None) is not None

    def stat(self, key: str) -> None: ...

    def exists(self, key: str) -> bool:
        return key in self.kept


def test_requests_do_not_wait_for_a_failed_store_again(runs: list[Run]) -> None:
    store = Minimal()
    run = Run(store, "immediate", **DAILY)
    runs.append(run)
    state = run.mesh.state
    assert state is not None
    state.thread.stop()  # without the thread, every write happens within a request
    run.ask()
    before, store.down = store.saves, ("save",)
    assert [run.ask() for _ in range(5)] == ["a", "a", "b", "b", "b"]
    assert store.saves == before + 1
    store.down = ()
    assert state.sync()
    assert run.sink.storage() == ["storage_failed", "storage_recovered"]
    written = store.saves
    with pytest.raises(NoActiveModelError):
        run.ask()
    assert store.saves == written
    counters = json.loads(store.kept[KEY].data)["meters"]
    assert {name: row["used"] for name, row in counters.items()} == {f"provider:{key}:requests:day": 3 for key in "ab"}


@pytest.mark.parametrize(
    ("data", "word"),
    [(b"half of it", "corrupt"), (b'{"format": 99}', "newer"), (SystemState(1.0, pools={"chat": []}).to_bytes(), "corrupt")],
)
def test_failed_quarantine_does_not_overwrite_the_state(data: bytes, word: str, runs: list[Run]) -> None:
    store = Minimal()
    store.kept[KEY], store.down = StorageEntry(KEY, data), ("save",)
    run = Run(store, **DAILY)
    runs.append(run)
    assert run.ask() == "a"
    state = run.mesh.state
    assert state is not None
    assert not state.save()
    assert run.sink.storage() == ["storage_failed"]
    assert store.kept[KEY].data == data
    store.down = ()
    assert state.save()
    assert store.kept[f"{KEY}.{word}-1"].data == data
    assert json.loads(store.kept[KEY].data)["meters"]["provider:a:requests:day"]["used"] == 1


def test_manual_standby_is_a_pending_change(runs: list[Run]) -> None:
    run = Run(Minimal(), "immediate")
    runs.append(run)
    state = run.mesh.state
    assert state is not None
    state.thread.stop()
    run.mesh.rotate("chat")
    assert state.get_sync_status().pending_changes == 1


def test_failing_close_does_not_affect_other_parts(caplog: pytest.LogCaptureFixture, runs: list[Run]) -> None:
    def broken() -> None:
        raise OSError("it is gone")

    for asynchronous in (False, True):
        store, closed = Minimal(), list[str]()
        run = Run(store)
        store.close = run.vendors["a"].close = broken  # type: ignore[attr-defined]
        run.vendors["b"].close = lambda closed=closed: closed.append("vendor")  # type: ignore[attr-defined]
        run.sink.close = lambda closed=closed: closed.append("sink")  # type: ignore[attr-defined]
        run.ask()
        if asynchronous:
            asyncio.run(run.mesh.ashutdown())
        else:
            run.mesh.shutdown()
        assert closed == ["vendor", "sink"]
        assert list(store.kept) == [KEY]
    assert "could not close the provider a: OSError: it is gone" in caplog.text


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("policy", ["periodic", "immediate"])
def test_forked_child_saves_its_own_state(policy: str) -> None:
    class Reporting(Minimal):
        def save(self, key: str, entry: StorageEntry) -> None:
            super().save(key, entry)
            os.write(ours, b"%d" % (os.getpid() != parent))

    parent, (theirs, ours) = os.getpid(), os.pipe()
    mesh = ModelMesh()
    mesh.initialize(
        {
            "providers": {"a": {"instance": Vendor("a")}},
            "pools": {"chat": {"capability": "chat-completion"}},
            "storage": {"instance": Reporting(), "sync_policy": policy, "sync_interval": "10ms"},
        }
    )
    with mesh:
        child = os.fork()
        if not child:
            mesh.client.chat.completions.create(model="chat", messages=[])
            signal.alarm(20)
            signal.pause()
        try:
            assert select.select([theirs], [], [], 20)[0], "nothing was saved"
            assert os.read(theirs, 1) == b"1"
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
    os.close(ours)
    os.close(theirs)
