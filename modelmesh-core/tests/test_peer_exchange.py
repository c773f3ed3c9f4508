"""Exchange of circuit breakers and sessions between meshes on one store."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from modelmesh import ModelMesh
from modelmesh._engine.builtin.memory import MemoryStorage
from modelmesh._engine.foundation.failures import FailureClass
from modelmesh._engine.health.circuit_breaker import BreakerState
from modelmesh._engine.state.shared_rows import SharedRows
from modelmesh.contracts.models import ModelInfo
from modelmesh.contracts.provider import Answer
from modelmesh.contracts.storage import StorageEntry
from modelmesh.errors import StorageConflictError, StorageError
from modelmesh.testing import VirtualClock

CHAT = "generation.text-generation.chat-completion"
HEALTH = "modelmesh/state/health/0"


class Vendor:
    id = "test.vendor.v1"

    def models(self) -> list[ModelInfo]:
        return [ModelInfo("model", capabilities=(CHAT,)), ModelInfo("other", capabilities=(CHAT,))]

    def send(self, call: Any, model: str, limits: Any) -> Answer:
        raise NotImplementedError

    async def asend(self, call: Any, model: str, limits: Any) -> Answer:
        raise NotImplementedError


class Process:
    """A mesh that represents a process. Its exchange runs when the test calls it."""

    def __init__(self, store: Any) -> None:
        self.clock = VirtualClock()
        self.mesh = ModelMesh(clock=self.clock, sleep=self.clock.sleep, wall=lambda: 1_800_000_000.0)
        self.mesh.initialize(
            {
                "providers": {"vendor": {"instance": Vendor()}},
                "pools": {"chat": {"capability": "chat-completion"}},
                "storage": {"instance": store, "sync_policy": "immediate"},
            }
        )
        assert self.mesh.state is not None
        self.state = self.mesh.state
        assert self.state.peers is not None
        self.state.peers.thread.join()
        self.state.thread.join()
        self.exchange = self.state.peers.exchange
        self.breaker = self.mesh.list_models()[0].health

    def open(self, seconds: float) -> None:
        with self.mesh._core.lock:
            now = self.clock()
            self.mesh._core.health._transitions.open(self.breaker, FailureClass.SERVER, now, now + seconds)

    def close(self) -> None:
        with self.mesh._core.lock:
            self.mesh._core.health._transitions.close(self.breaker, self.clock())

    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.mesh._core.advance()


@pytest.fixture
def store() -> MemoryStorage:
    return MemoryStorage()


@pytest.fixture
def processes(store: MemoryStorage) -> Iterator[tuple[Process, Process]]:
    one, two = Process(store), Process(store)
    yield one, two
    one.mesh.shutdown()
    two.mesh.shutdown()


def exchange(*processes: Process) -> None:
    for process in processes:
        process.exchange()


def test_breaker_opens_for_the_rest_of_its_time_and_becomes_half_open(processes: tuple[Process, Process]) -> None:
    one, two = processes
    one.open(60)
    for process in processes:
        process.advance(10)
    exchange(one, two)
    assert two.breaker.state is BreakerState.OPEN
    assert two.breaker.reason is FailureClass.SERVER
    assert two.breaker.until - two.clock() == pytest.approx(50)
    two.advance(51)
    assert two.breaker.state is BreakerState.HALF_OPEN
    exchange(two, one, two)
    assert two.breaker.state is BreakerState.HALF_OPEN, "what it learned from the other is not learned twice"


def test_first_result_after_the_cooldown_reaches_the_other(processes: tuple[Process, Process]) -> None:
    one, two = processes
    one.open(10)
    exchange(one, two)
    for process in processes:
        process.advance(11)
    two.close()
    exchange(two, one)
    assert one.breaker.state is BreakerState.CLOSED
    two.advance(1)
    two.open(30)
    exchange(two, one)
    assert one.breaker.state is BreakerState.OPEN, "it opens again"


def test_longer_local_cooldown_is_not_shortened(processes: tuple[Process, Process]) -> None:
    one, two = processes
    two.open(100)
    one.open(10)
    one.exchange()
    two.advance(1)
    exchange(two, one)
    assert [process.breaker.until for process in processes] == [pytest.approx(1100), pytest.approx(1100)]


def test_standby_by_hand_begins_and_ends_in_every_process(processes: tuple[Process, Process], store: MemoryStorage) -> None:
    one, two = processes
    one.mesh.rotate("chat")
    exchange(one, two)
    assert [str(model) for model in two.mesh.list_pools()[0].get_active_models()] == ["vendor/other"]
    two.advance(1)
    two.mesh.recover("chat")
    exchange(two, one)
    assert len(one.mesh.list_pools()[0].get_active_models()) == 2
    one.advance(2)
    one.mesh.rotate("chat")
    one.exchange()
    late = Process(store)
    assert len(late.mesh.list_pools()[0].get_active_models()) == 1
    late.mesh.recover("chat")
    late.advance(3)
    exchange(late, one)
    assert len(one.mesh.list_pools()[0].get_active_models()) == 2
    late.mesh.shutdown()


def test_nothing_is_written_or_loaded_without_a_change(processes: tuple[Process, Process], store: MemoryStorage) -> None:
    one, two = processes
    one.open(10)
    exchange(one, two, one, two)
    version = store.increment(HEALTH, 0)
    loads = 0
    load = store.load

    def counting(key: str) -> StorageEntry | None:
        nonlocal loads
        loads += 1
        return load(key)

    store.load = counting  # type: ignore[method-assign]
    exchange(one, two, one, two)
    assert (store.increment(HEALTH, 0), loads) == (version, 0)


def test_failed_store_keeps_the_change_for_later(processes: tuple[Process, Process], store: MemoryStorage) -> None:
    one, two = processes
    increment_many = store.increment_many

    def failing(additions: Any) -> Any:
        raise StorageError("away")

    one.open(60)
    store.increment_many = failing  # type: ignore[method-assign]
    one.exchange()
    assert one.state.get_sync_status().error is not None
    store.increment_many = increment_many  # type: ignore[method-assign]
    one.exchange()
    exchange(two)
    assert two.breaker.state is BreakerState.CLOSED, "nothing is exchanged until the store is tested"
    one.state._sync_if_due()
    exchange(one, two)
    assert two.breaker.state is BreakerState.OPEN


def test_store_that_failed_is_tested_without_requests_and_amounts(processes: tuple[Process, Process]) -> None:
    one, _ = processes
    assert one.state.counters is not None
    one.state.counters._down = True
    one.state._health.record_failure(StorageError("away"))
    one.state._saver.changes = 0
    one.state._sync_if_due()
    assert one.state.get_sync_status().error is None
    assert one.state.get_counts_status().counts == "shared"


@pytest.mark.parametrize("data", [b"[]", b"{", b'{"model:vendor/model": {"open": true}}', b'{"x": 1}'])
def test_entry_of_another_form_is_replaced(processes: tuple[Process, Process], store: MemoryStorage, data: bytes) -> None:
    one, two = processes
    store.save(HEALTH, StorageEntry(HEALTH, data))
    store.increment(HEALTH, 1)
    one.open(60)
    exchange(one, two)
    assert two.breaker.state is BreakerState.OPEN


def test_row_of_a_later_version_is_ignored(processes: tuple[Process, Process], store: MemoryStorage) -> None:
    one, two = processes
    rows = SharedRows(store, HEALTH)
    now = one.mesh._core.unix_now()
    later = {"open": True, "ends": now + 60, "reason": "of a later version", "given": False, "steps": {}}
    rows.exchange({"model:vendor/model": {**later, "at": now + 1, "until": now + 60}}, 0, now)
    exchange(one, two)
    assert {process.breaker.state for process in processes} == {BreakerState.CLOSED}


def test_rows_of_processes_that_save_at_the_same_time_are_merged(store: MemoryStorage) -> None:
    one, two = SharedRows(store, "rows"), SharedRows(store, "rows")
    save_if, raced = store.save_if, False

    def racing(key: str, entry: StorageEntry, version: str | None) -> str:
        nonlocal raced
        if not raced:
            raced = True
            two.exchange({"b": {"at": 1.0, "until": 9.0}, "c": {"at": 1.0, "until": 1.5}}, 0, 1.0)
        return save_if(key, entry, version)

    store.save_if = racing  # type: ignore[method-assign]
    rows = one.exchange({"a": {"at": 2.0, "until": 9.0}, "b": {"at": 0.5, "until": 9.0}}, 0, 2.0)
    assert rows == {"a": {"at": 2.0, "until": 9.0}, "b": {"at": 1.0, "until": 9.0}}, "the later row, without expired ones"
    assert one.has_changed(2), "the other process saved too"

    def conflict(*_: Any) -> str:
        raise StorageConflictError("always")

    store.save_if = conflict  # type: ignore[method-assign]
    with pytest.raises(StorageConflictError):
        one.exchange({"a": {"at": 3.0, "until": 9.0}}, 2, 3.0)
