"""Probes: at the start and while an account is unavailable, in a background thread."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime
from threading import Event, current_thread
from typing import Any

import pytest

from modelmesh import ModelMesh
from modelmesh.contracts import RULES, FailureClass
from modelmesh.errors import ModelMeshError
from modelmesh.testing import VirtualClock

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp()


def failure(kind: FailureClass) -> Any:
    return RULES[kind].error(kind.value, failure=kind, status=401 if kind is FailureClass.CREDENTIAL else 500)


class Sink:
    id = "test.sink.v1"

    def __init__(self) -> None:
        self.received: list[tuple[str, Any]] = []

    def emit(self, event: Any) -> None:
        self.received.append((event.event_type, event.metadata.get("reason")))

    def log(self, entry: Any) -> None: ...


class World:
    """One account with a probe, under a virtual clock. The test runs the jobs in its own thread."""

    def __init__(self, scripted: Any, pool: dict[str, Any], **vendor: Any) -> None:
        self.vendor = type("Vendor", (scripted,), {"probe": self.probe})("m", **vendor)
        self.fails: FailureClass | None = None
        self.probes: list[str] = []
        self.probed = Event()
        self.clock, self.sink = VirtualClock(), Sink()
        self.mesh = ModelMesh(clock=self.clock, sleep=self.clock.sleep, wall=lambda: NOON)
        self.config = {
            "providers": {"a": {"instance": self.vendor}},
            "pools": {"p": {"capability": "chat-completion", "retry": {"max_attempts": 0}, **pool}},
            "observability": {"instance": self.sink},
        }

    def probe(self, limits: Any) -> None:
        self.probes.append(current_thread().name)
        assert limits.total <= 10
        self.probed.set()
        if self.fails:
            raise failure(self.fails)

    def start(self) -> World:
        self.mesh.initialize(self.config)
        return self

    def ask(self) -> Any:
        return self.mesh.client.chat.completions.create(model="p", messages=[]).model

    def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.mesh._running.tasks.scheduler.run_due()

    @property
    def account(self) -> Any:
        return self.mesh.list_pools()[0].members[0].account


def test_probe_success_recovers_rejected_key(scripted: Any) -> None:
    world = World(scripted, {"recovery": {"probe_interval": "60s"}}, answer=lambda *_: failure(FailureClass.CREDENTIAL)).start()
    world.pass_time(50)
    with pytest.raises(ModelMeshError):
        world.ask()
    assert world.probes == []  # healthy accounts are not probed
    world.fails = FailureClass.CREDENTIAL
    world.pass_time(10)
    assert len(world.probes) == 1
    assert not world.account.ready
    world.pass_time(59)
    assert len(world.probes) == 1
    assert not world.account.ready  # the failed probe extends the suspension
    world.fails = None
    world.pass_time(1)
    assert len(world.probes) == 2
    assert world.account.ready
    assert world.sink.received == [
        ("provider_deactivated", "credential"),
        ("provider_health_changed", "credential"),
        ("provider_recovered", "credential"),
    ]
    assert len(world.vendor.calls) == 1
    world.mesh.shutdown()


@pytest.mark.parametrize(
    ("pool", "fails", "kind", "probes"),
    [
        ({"provider_recovery": "on_manual"}, None, FailureClass.CREDENTIAL, 0),  # only recover() resumes it
        ({}, FailureClass.SERVER, FailureClass.CREDENTIAL, 1),  # a probe without a response decides nothing
        ({}, None, FailureClass.QUOTA, 0),  # the key is valid, but the quota stays exhausted
    ],
)
def test_probe_does_not_recover_other_states(scripted: Any, pool: Any, fails: Any, kind: FailureClass, probes: int) -> None:
    world = World(scripted, {"recovery": {"probe_interval": "60s"}, **pool}, answer=lambda *_: failure(kind)).start()
    with pytest.raises(ModelMeshError):
        world.ask()
    world.fails = fails
    world.pass_time(60 if fails is None else 59.9)
    world.pass_time(0 if fails is None else 0.1)
    assert len(world.probes) == probes
    assert world.sink.received == [("provider_deactivated", kind.value)]
    world.mesh.shutdown()


@pytest.mark.parametrize("how", [{"provider_recovery": "on_manual"}, {}])
def test_recover_resumes_rejected_account(scripted: Any, how: Any) -> None:
    world = World(scripted, how, answer=lambda *_: failure(FailureClass.CREDENTIAL)).start()
    with pytest.raises(ModelMeshError):
        world.ask()
    world.vendor._answer = None
    world.sink.received.clear()
    (pool,) = world.mesh.list_pools()
    assert pool.get_active_models() == []
    pool.recover(pool.members[0])
    assert len(pool.get_active_models()) == 1
    world.ask()
    assert world.sink.received == [("provider_recovered", "manual")]
    world.mesh.shutdown()


def test_probe_on_start_finds_rejected_key(scripted: Any) -> None:
    world = World(scripted, {"recovery": {"probe_on_start": True}})
    world.fails = FailureClass.CREDENTIAL
    world.start()
    assert world.probed.wait(10)
    world.mesh._running.tasks.scheduler.run_due()  # waits for the running job
    assert world.probes == ["modelmesh-background"]
    with pytest.raises(ModelMeshError, match="key rejected"):
        world.ask()
    assert world.vendor.calls == []
    assert world.sink.received == [("provider_health_changed", "credential"), ("provider_deactivated", "credential")]
    world.mesh.shutdown()


def test_probe_of_older_generation_changes_nothing(scripted: Any) -> None:
    world = World(scripted, {"recovery": {"probe_interval": "60s"}}, answer=lambda *_: failure(FailureClass.CREDENTIAL)).start()
    with pytest.raises(ModelMeshError):
        world.ask()
    account, mesh = world.account, world.mesh
    generation = account.generation
    mesh._core.health.reset(account)
    with pytest.raises(ModelMeshError):
        world.ask()
    assert not mesh._core.health.probe_succeeded(account, generation, world.clock())
    assert not account.ready
    mesh.shutdown()


def test_prober_without_targets_starts_no_thread(scripted: Any) -> None:
    world = World(scripted, {}).start()
    assert world.mesh._running.tasks.scheduler._thread is None
    world.mesh.shutdown()
    unable = World(scripted, {"recovery": {"probe_interval": "60s"}})
    unable.config["providers"]["a"]["instance"] = scripted("m")  # has no probe()
    assert unable.start().mesh._running.tasks.scheduler._thread is None
    unable.mesh.shutdown()


def test_shutdown_stops_thread_and_discards_probe(scripted: Any) -> None:
    world = World(scripted, {"recovery": {"probe_interval": "60s", "probe_on_start": True}}).start()
    assert world.probed.wait(10)
    thread = world.mesh._running.tasks.scheduler._thread
    assert thread is not None
    world.mesh.shutdown()
    world.mesh.shutdown()
    assert not thread.is_alive()
    world.pass_time(600)
    assert len(world.probes) == 1


@pytest.mark.parametrize("kind", [SystemExit, asyncio.CancelledError, RuntimeError])
def test_probe_unexpected_exception_stops_no_other(scripted: Any, kind: type[BaseException]) -> None:
    world = World(scripted, {"recovery": {"probe_interval": "60s"}}, answer=lambda *_: failure(FailureClass.CREDENTIAL)).start()
    with pytest.raises(ModelMeshError):
        world.ask()
    probe, world.vendor.probe = world.vendor.probe, lambda limits: (_ for _ in ()).throw(kind())
    world.pass_time(60)
    assert world.account.state != "closed"
    world.vendor.probe = probe
    world.pass_time(60)
    assert world.account.state == "closed"
    world.mesh.shutdown()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_prober_continues_after_fork(scripted: Any) -> None:
    world = World(scripted, {"recovery": {"probe_interval": "1h"}}).start()
    parent = world.mesh._running.tasks.scheduler._thread
    child = os.fork()
    if child == 0:
        try:
            world.ask()
            mine = world.mesh._running.tasks.scheduler._thread
            os._exit(0 if mine is not None and mine is not parent and mine.is_alive() else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    world.mesh.shutdown()


def test_probe_success_reaches_standby_policy(scripted: Any) -> None:
    class OnProbe:
        def should_deactivate(self, snapshot: Any) -> bool:
            return bool(snapshot.failure_count)

        def get_reason(self, snapshot: Any) -> Any:
            return "it failed once"

        def should_recover(self, snapshot: Any) -> bool:
            return bool(snapshot.probe_succeeded)

        def get_recovery_schedule(self, snapshot: Any) -> None:
            return None

    policy = OnProbe()
    pool = {"deactivation": {"policy": policy}, "recovery": {"policy": policy, "probe_interval": "60s"}}
    world = World(scripted, pool, answer=lambda *_: failure(FailureClass.SERVER)).start()
    with pytest.raises(ModelMeshError):
        world.ask()
    reason_text = world.mesh.explain("p").candidates[0].reason
    assert reason_text == "model in standby until it is recovered by hand: policy (it failed once, by OnProbe)"
    world.pass_time(60)
    assert world.mesh.explain("p").candidates[0].status == "active"
    world.mesh.shutdown()
