"""Discovery: changes of pools, events, and isolation from broken connectors."""

from __future__ import annotations

import logging
import os
import sys
from datetime import UTC, datetime
from importlib.metadata import entry_points
from threading import Event, current_thread
from typing import Any

import pytest

from modelmesh import ModelMesh
from modelmesh._engine.builtin.memory import MemoryStorage
from modelmesh._engine.plugins.catalog import Catalog
from modelmesh._engine.plugins.resolver import Resolver
from modelmesh.contracts import RULES, FailureClass, Kind
from modelmesh.contracts.discovery import HealthReport, ProbeResult, SyncResult, SyncState, SyncStatus
from modelmesh.contracts.models import ModelInfo
from modelmesh.errors import ConfigurationError, ConnectorLoadError, ModelMeshError, NoActiveModelError
from modelmesh.testing import VirtualClock

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp()
CHAT = "generation.text-generation.chat-completion"
MINUTE, HOUR = 60.0, 3600.0


class Sink:
    id = "test.sink.v1"

    def __init__(self) -> None:
        self.events: list[tuple[Any, ...]] = []

    def emit(self, event: Any) -> None:
        facts = {name: value for name, value in event.metadata.items() if value != [] and name != "found_by"}
        self.events.append((event.event_type, event.model_id or event.pool_id or event.provider_id, facts))

    def log(self, entry: Any) -> None: ...


class Finder:
    """A discovery connector with scripted results."""

    id = "test.finder.v1"

    def __init__(self) -> None:
        self.results: list[Any] = []
        self.down: set[str] = set()
        self.rows: dict[tuple[str, str], ModelInfo] = {}
        self.known: dict[str, list[str]] = {}
        self.calls: list[tuple[str, tuple[str, ...]]] = []
        self.asked_at_all = Event()
        self.threads: set[str] = set()
        self.closed = 0

    def attach(self, providers: Any) -> None:
        self.attached = dict(providers)

    def set_known_models(self, provider_id: str, models: Any) -> None:
        self.known[provider_id] = [info.id for info in models]

    def sync(self, providers: Any = None) -> Any:
        self._note("sync", *providers)
        outcome = self.results.pop(0) if self.results else SyncResult()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def probe(self, provider_id: str) -> Any:
        self._note("probe", provider_id)
        return ProbeResult(provider_id, success=provider_id not in self.down, error="it is down")

    def get_model_info(self, provider_id: str, model_id: str) -> ModelInfo | None:
        return self.rows.get((provider_id, model_id))

    def get_sync_status(self) -> SyncStatus:
        return SyncStatus(status=SyncState.IDLE)

    def get_health_report(self, provider_id: str | None = None) -> list[HealthReport]:
        return [HealthReport(provider_id or "")]

    def close(self) -> None:
        self.closed += 1

    def _note(self, what: str, *names: str) -> None:
        self.calls.append((what, names))
        self.threads.add(current_thread().name)
        self.asked_at_all.set()


class World:
    """Two accounts, a chat pool and a pool with a list. The test runs background jobs in its own thread."""

    def __init__(self, scripted: Any, discovery: dict[str, Any], *, start: bool = True, **sections: Any) -> None:
        self.vendors = {name: scripted(f"{name}-1") for name in "ab"}
        self.finder, self.clock, self.sink = Finder(), VirtualClock(), Sink()
        self.mesh = ModelMesh(clock=self.clock, sleep=self.clock.sleep, wall=lambda: NOON)
        if discovery:
            discovery = {"instance": self.finder, **discovery}
        self.config: dict[str, Any] = {
            "providers": {name: {"instance": vendor} for name, vendor in self.vendors.items()},
            "pools": {"chat-completion": {"retry": {"max_attempts": 0}}, "chosen": {"models": ["a-1"]}},
            "observability": {"instance": self.sink},
            "discovery": discovery or None,
            **sections,
        }
        if start:
            self.start()

    def start(self) -> World:
        self.mesh.initialize(self.config)
        self.mesh.discovery.scheduler.run_due()  # waits for the jobs at the start
        return self

    def find(self, *new: str, gone: tuple[str, ...] = (), changed: tuple[str, ...] = (), **row: Any) -> SyncResult:
        for one in new:
            provider, _, model = one.partition("/")
            self.finder.rows[provider, model] = ModelInfo(model, **{"capabilities": (CHAT,), **row})
        self.finder.results = [SyncResult(new, gone, changed)]
        return self.mesh.discovery.sync()

    def models(self, pool: str = "chat-completion") -> list[str]:
        self.mesh.list_pools()
        return [one.model_id for one in self.mesh.get_router().get_pool(pool).get_active_models()]

    def ask(self, model: str = "chat-completion") -> str:
        return str(self.mesh.client.chat.completions.create(model=model, messages=[]).choices[0].message.content)

    @property
    def events(self) -> list[tuple[Any, ...]]:
        events, self.sink.events = self.sink.events, []
        return events


SYNC: dict[str, Any] = {"sync": {}, "health": {"enabled": False}}
ODD: Any = (SyncResult(new_models=("a/a-2", 1)), SyncResult("a/a-2"), SyncResult(errors=None))  # type: ignore[arg-type]
HEALTH: dict[str, Any] = {"sync": {"enabled": False}, "health": {}}


# -- lists of models --------------------------------------------------------------------------------------------------


def test_sync_new_model_joins_matching_pools_last(scripted: Any) -> None:
    world = World(scripted, SYNC)
    found = world.find("a/a-2")
    assert found.new_models == ("a/a-2",)
    assert world.models() == ["a-1", "b-1", "a-2"]
    assert world.models("chosen") == ["a-1"]
    assert world.ask("a-2") == "answer of a-2"
    assert world.events == [
        ("discovery_models_updated", "a", {"new": ["a-2"]}),
        ("pool_membership_changed", "chat-completion", {"added": ["a-2"]}),
    ]
    with_the_same_name = world.find("b/a-2")  # the request above created a pool of that name, which contains it too
    assert with_the_same_name.new_models == ("b/a-2",)
    assert len(world.mesh.get_router().resolve("a-2").members) == 2
    assert [row[:2] for row in world.events] == [
        ("discovery_models_updated", "b"),
        ("pool_membership_changed", "chat-completion"),
    ]


def test_joined_model_serves_after_failover(scripted: Any) -> None:
    world = World(scripted, SYNC)
    world.find("b/b-2")
    for vendor in world.vendors.values():
        vendor._answer = lambda _, model: _server_error() if model.endswith("-1") else _body(model)
    assert world.ask() == "b-2"
    reply = world.mesh.client.explain("chat-completion")
    assert [row.model for row in reply.candidates] == ["a-1", "b-1", "b-2"]


def test_sync_same_model_twice_joins_once(scripted: Any) -> None:
    world = World(scripted, SYNC)
    world.find("a/a-2")
    world.find("a/a-2")
    assert world.models() == ["a-1", "b-1", "a-2"]
    assert [row[0] for row in world.events].count("pool_membership_changed") == 1


@pytest.mark.parametrize(
    ("sync", "events"),
    [
        ({"on_new_model": "notify"}, True),
        ({"auto_register": False}, True),
        ({"on_new_model": "ignore"}, False),
    ],
)
def test_sync_new_model_respects_settings(scripted: Any, sync: dict[str, Any], events: bool) -> None:
    world = World(scripted, {"sync": sync})
    world.find("a/a-2")
    assert world.models() == ["a-1", "b-1"]
    assert [row[0] for row in world.events] == ["discovery_models_updated"] * events


def test_sync_adds_none_to_provider_with_listed_models(scripted: Any) -> None:
    world = World(scripted, SYNC, start=False)
    world.config["providers"]["a"]["models"] = ["a-1"]
    world.config["models"] = {"b-1": {"provider": "b", "capabilities": ["chat-completion"]}}
    world.start().find("a/a-2", "b/b-2")
    assert sorted(world.models()) == ["a-1", "b-1"]
    assert [row[:2] for row in world.events] == [("discovery_models_updated", "a"), ("discovery_models_updated", "b")]


def test_sync_adds_none_to_mesh_with_chosen_models(scripted: Any) -> None:
    world = World(scripted, SYNC, start=False)
    del world.config["pools"]["chosen"]
    world.mesh.initialize(world.config, models=["b-1"])
    world.find("b/b-2")
    assert world.models() == ["b-1"]


def test_sync_unknown_model_uses_provider_capabilities(scripted: Any) -> None:
    world = World(scripted, SYNC, start=False)
    shipped = [ModelInfo("a-1", capabilities=(CHAT,))]
    world.vendors["a"].shipped_models = lambda: shipped  # such a list contains models that cannot chat
    world.start().find("a/whisper", "b/b-2", capabilities=("no-such-thing",))
    assert world.models() == ["a-1", "b-1", "b-2"]
    assert ("discovery_models_updated", "a", {"new": ["whisper"]}) in world.events


@pytest.mark.parametrize("keeps", ["deactivate", "notify", "ignore"])
def test_sync_unlisted_model_is_suspended_until_listed(scripted: Any, keeps: str) -> None:
    world = World(scripted, {"sync": {"on_deprecated_model": keeps}})
    world.find(gone=("a/a-1",))
    events = [row[:2] for row in world.events]
    if keeps != "deactivate":
        assert world.models() == ["a-1", "b-1"]
        assert events == ([("discovery_models_updated", "a")] if keeps == "notify" else [])
        return
    assert world.models() == ["b-1"]
    assert world.models("chosen") == []
    assert events == [
        ("discovery_models_updated", "a"),
        ("pool_membership_changed", "chat-completion"),
        ("pool_membership_changed", "chosen"),
        ("model_deactivated", "a-1"),
    ]
    reason = world.mesh.explain("chosen").candidates[0].reason
    assert reason == "model in standby until the vendor lists it again: no longer listed by the vendor"
    with pytest.raises(NoActiveModelError, match="no longer listed"):
        world.ask("chosen")
    world.clock.advance(30 * 86400)
    assert world.models() == ["b-1"]
    world.find("a/a-1")
    assert world.models() == ["a-1", "b-1"]
    assert [row[:2] for row in world.events][-1] == ("model_activated", "a-1")
    assert world.ask("chosen") == "answer of a-1"


def test_recover_resumes_unlisted_model(scripted: Any) -> None:
    world = World(scripted, {"sync": {"on_deprecated_model": "deactivate"}})
    world.find(gone=("a/a-1",))
    pool = world.mesh.get_router().get_pool("chosen")
    pool.recover(pool.members[0])
    assert world.ask("chosen") == "answer of a-1"


def test_sync_publishes_changed_models(scripted: Any) -> None:
    world = World(scripted, SYNC)
    world.find(changed=("b/b-1",))
    assert world.events == [("discovery_models_updated", "b", {"updated": ["b-1"]})]
    world.find()
    assert world.events == []


def test_sync_ignores_difference_to_configuration(scripted: Any) -> None:
    world = World(scripted, SYNC, start=False)
    world.finder.results = [SyncResult(updated_models=("b/b-1",), errors=("a: no answer",))]
    world.start()
    assert world.events == []
    world.find(changed=("a/a-1", "b/b-1"))
    assert world.events == [("discovery_models_updated", "b", {"updated": ["b-1"]})], "the first comparison of a"


def test_joined_model_has_limits_policies_and_windows(scripted: Any) -> None:
    world = World(scripted, SYNC, start=False)
    row = {"free_tier": {"requests_per_day": 1, "source": "a page", "as_of": "2026-11-21"}}
    world.config["providers"]["a"]["quota"] = {"free_tier": True}
    world.config["pools"] = {
        "free": {"capability": "chat-completion", "retry": {"max_attempts": 0}},
        "night": {"capability": "chat-completion", "deactivation": {"maintenance_window": "0-29 12 * * *"}},
    }
    world.start().find("a/a-2", extra=row)
    suspended = next(one for one in world.mesh.list_models() if one.model_id == "a-2")
    assert world.mesh.explain("night").candidates[2].reason == world.mesh.explain("night").candidates[0].reason
    world.clock.advance(30 * MINUTE)
    assert world.models("night") == ["a-1", "b-1", "a-2"]
    assert [counter.limit.amount for counter in world.mesh._core.reservations.counters_of(suspended.health)] == [1]
    assert world.ask("a-2") == "answer of a-2"
    assert world.models("free") == ["a-1", "b-1"]


def test_joined_model_state_survives_restart(scripted: Any) -> None:
    store = MemoryStorage()
    row = {"free_tier": {"requests_per_day": 1, "source": "a page", "as_of": "2026-11-21"}}

    def world() -> World:
        made = World(scripted, SYNC, start=False, storage={"instance": store, "sync_policy": "sync-on-boundary"})
        made.config["providers"]["a"]["quota"] = {"free_tier": True}
        return made.start()

    first = world()
    first.find("a/a-2", extra=row)
    pool = first.mesh.get_router().get_pool("chat-completion")
    pool.deactivate(pool.members[1])
    assert first.ask("a-2") == "answer of a-2"
    first.mesh.shutdown()
    second = world()  # ends before the first comparison
    second.mesh.shutdown()
    third = world()
    third.find("a/a-2", extra=row)
    assert third.models() == ["a-1"]  # b-1 is in standby, and the daily limit of a-2 is exhausted
    with pytest.raises(NoActiveModelError, match="quota exhausted"):
        third.ask("a-2")


@pytest.mark.parametrize("outcome", [ValueError("with a key sk-test-1"), None, {"new_models": ["a/a-2"]}, *ODD])
def test_broken_connector_changes_nothing(scripted: Any, outcome: Any, caplog: Any) -> None:
    world = World(scripted, SYNC)
    world.finder.results = [outcome]
    with caplog.at_level(logging.WARNING):
        assert world.mesh.discovery.sync() == SyncResult()
    assert world.models() == ["a-1", "b-1"]
    assert world.events == []
    assert "test.finder.v1" in caplog.text
    assert "test_discovery.py" in caplog.text


def test_found_raising_leaves_bare_model(scripted: Any, caplog: Any) -> None:
    world = World(scripted, SYNC)
    world.finder.get_model_info = lambda *_: 1 / 0  # type: ignore[method-assign]
    world.find("a/a-2")
    assert world.models() == ["a-1", "b-1", "a-2"], "the provider states capabilities"
    assert "get_model_info('a', 'a-2') of the connector 'test.finder.v1'" in caplog.text
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize(
    "row",
    [
        ModelInfo("another"),
        ModelInfo("a-2", context_window="128000"),  # type: ignore[arg-type]
        ModelInfo("a-2", capabilities=(CHAT, 1)),  # type: ignore[arg-type]
        ModelInfo("a-2", pricing=0.5),  # type: ignore[arg-type]
        ModelInfo("a-2", features=["vision"]),  # type: ignore[arg-type]
        "a-2",
    ],
    ids=lambda row: repr(row)[:80],
)
def test_found_invalid_result_leaves_bare_model(scripted: Any, row: Any, caplog: Any) -> None:
    world = World(scripted, SYNC)
    world.finder.rows["a", "a-2"] = row
    world.finder.results = [SyncResult(("a/a-2",))]
    world.mesh.discovery.sync()
    world.find("a/a-3", context_window=1000)
    assert world.models() == ["a-1", "b-1", "a-2", "a-3"]
    assert world.ask("a-2") == "answer of a-2"
    assert "test_discovery.py" in caplog.text
    assert "did not return a ModelInfo of that model" in caplog.text


def test_invalid_limits_exclude_one_model_only(scripted: Any, caplog: Any) -> None:
    world = World(scripted, SYNC, start=False)
    world.config["providers"]["a"]["quota"] = {"free_tier": True}
    world.start()
    for name, limit in (("a-2", "many"), ("a-3", 5)):
        world.finder.rows["a", name] = ModelInfo(name, capabilities=(CHAT,), extra={"free_tier": {"requests_per_day": limit}})
    world.finder.results = [SyncResult(("a/a-2", "a/a-3"))]
    world.mesh.discovery.sync()
    assert world.models() == ["a-1", "b-1", "a-3"]
    assert "a/a-2 joins no pool because its limits are invalid" in caplog.text
    assert [row[0] for row in world.events] == ["discovery_models_updated", "pool_membership_changed"]


def test_sync_ignores_models_of_other_providers(scripted: Any) -> None:
    world = World(scripted, SYNC)
    world.find("c/c-1", "a", gone=("c/c-2", "a/never-there"))
    assert world.models() == ["a-1", "b-1"]
    assert world.events == [("discovery_models_updated", "a", {"deprecated": ["never-there"]})]


def test_sync_errors_are_logged_once(scripted: Any, caplog: Any) -> None:
    world = World(scripted, SYNC)
    world.finder.results = [SyncResult(new_models=("b/b-2",), errors=("a: no answer",))]
    with caplog.at_level(logging.WARNING):
        world.mesh.discovery.sync()
    assert "a: no answer" in caplog.text
    assert world.models() == ["a-1", "b-1", "b-2"]
    for outcome in ("a: no answer", "a: no answer", "a: HTTP 503"):
        world.finder.results = [SyncResult(errors=(outcome,))]
        with caplog.at_level(logging.WARNING):
            world.mesh.discovery.sync()
    assert [record.args for record in caplog.records] == [("a: no answer",), ("a: HTTP 503",)], "each is logged once"


# -- health -----------------------------------------------------------------------------------------------------------


def test_health_check_suspends_after_three_failures(scripted: Any) -> None:
    world = World(scripted, HEALTH)
    world.finder.down = {"a"}
    for _ in range(2):
        world.mesh.discovery.probe()
    assert world.models() == ["a-1", "b-1"]
    world.mesh.discovery.probe()
    assert world.models() == ["b-1"]
    assert world.models("chosen") == []
    assert world.events == [
        ("provider_health_changed", "a", {"reason": "health_check", "available": False}),
        ("provider_deactivated", "a", {"reason": "health_check"}),
    ]
    assert world.mesh.explain("chosen").candidates[0].reason == "account in standby until a probe succeeds: health check failed"
    world.mesh.discovery.probe()
    assert world.events == []
    world.finder.down = set()
    world.mesh.discovery.probe(["a"])
    assert world.models() == ["a-1", "b-1"]
    assert [row[0] for row in world.events] == ["provider_health_changed", "provider_recovered"]
    assert world.ask("chosen") == "answer of a-1"


def test_recover_resumes_provider_after_failed_probes(scripted: Any) -> None:
    world = World(scripted, {"sync": {"enabled": False}, "health": {"failure_threshold": 1}})
    world.finder.down = {"a"}
    world.mesh.discovery.probe()
    pool = world.mesh.get_router().get_pool("chosen")
    pool.recover(pool.members[0])
    assert world.models() == ["a-1", "b-1"], "in all pools"
    assert world.ask("chosen") == "answer of a-1"
    world.mesh.discovery.probe()
    assert world.models() == ["b-1"], "it is still down"
    assert [(row[0], row[2]["reason"]) for row in world.events] == [
        ("provider_health_changed", "health_check"),
        ("provider_deactivated", "health_check"),
        ("provider_health_changed", "manual"),
        ("provider_recovered", "manual"),
        ("provider_health_changed", "health_check"),
        ("provider_deactivated", "health_check"),
    ]


def test_probe_after_shutdown_changes_nothing(scripted: Any) -> None:
    world = World(scripted, {"sync": {"enabled": False}, "health": {"failure_threshold": 1}})
    world.mesh.discovery.probe()
    world.finder.down, probe = {"a", "b"}, world.finder.probe

    def ends_late(provider_id: str) -> Any:
        world.mesh.shutdown()
        return probe(provider_id)

    world.finder.probe = ends_late  # type: ignore[method-assign]
    assert [row.success for row in world.mesh.discovery.probe()] == [False], "the next provider is not probed"
    assert world.models() == ["a-1", "b-1"]
    assert world.events == []


def test_health_check_single_failure_changes_nothing(scripted: Any) -> None:
    world = World(scripted, {"health": {"failure_threshold": 2}})
    for down in ({"a"}, set(), {"a"}, set(), {"a"}):
        world.finder.down = down
        world.mesh.discovery.probe()
    assert world.models() == ["a-1", "b-1"]


def test_health_check_does_not_close_circuit_breaker(scripted: Any) -> None:
    world = World(scripted, HEALTH)
    world.vendors["a"]._answer = lambda *_: RULES[FailureClass.CREDENTIAL].error(
        "no", failure=FailureClass.CREDENTIAL, status=401
    )
    with pytest.raises(ModelMeshError):
        world.ask("chosen")
    world.mesh.discovery.probe()
    assert "key rejected" in str(world.mesh.explain("chosen").candidates[0].reason)


def test_health_check_needs_success_of_both_connectors(scripted: Any) -> None:
    other = Finder()
    world = World(scripted, {}, start=False)
    rows = [
        {"instance": world.finder, "health": {"failure_threshold": 1}},
        {"instance": other, "health": {"failure_threshold": 1}},
    ]
    world.config["discovery"] = {"connectors": rows}
    world.start()
    world.finder.down = {"a"}
    world.mesh.discovery.probe()
    assert world.models() == ["b-1"]
    assert [row[0] for row in world.events] == ["provider_health_changed", "provider_deactivated"]
    world.finder.down = set()
    world.mesh.discovery.probe()
    assert world.models() == ["a-1", "b-1"]


def test_joined_models_read_only_their_shared_counters(scripted: Any) -> None:
    """The totals of the store may be outdated when they arrive, because requests continue meanwhile."""
    store, calls = MemoryStorage(), []
    first, second = (
        World(scripted, SYNC, start=False, storage={"instance": store, "sync_policy": "immediate"}) for _ in range(2)
    )
    for world in (first, second):
        world.config["pools"]["chat-completion"]["deactivation"] = {"request_limit": 2, "quota_window": "daily"}
        world.start()
    state = second.mesh.state
    assert state is not None
    totals = state.totals

    def read(counters: Any) -> Any:
        calls.extend(counters)
        return totals(counters)

    state.totals = read  # type: ignore[method-assign]
    first.find("a/a-2")
    for _ in range(2):
        first.ask("a-2")
    second.find("a/a-2")
    assert [name.partition(":cap")[0] for name in calls] == ["model:a/a-2"]
    assert second.models() == ["a-1", "b-1"], "the first mesh has exhausted a-2"
    first.mesh.shutdown()
    second.mesh.shutdown()


# -- names of models -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("written", ["under models", "in the provider"])
def test_sync_renamed_model_follows_vendor_id(scripted: Any, written: str) -> None:
    world = World(scripted, {"sync": {"on_deprecated_model": "deactivate"}}, start=False)
    if written == "under models":
        world.config["models"] = {name: {"provider": "a", "model": "a-1"} for name in ("fast", "again")}
    else:
        world.config["providers"]["a"]["models"] = [ModelInfo(name, "a-1", capabilities=(CHAT,)) for name in ("fast", "again")]
    del world.config["pools"]["chosen"]
    world.start()
    assert set(world.finder.known["a"]) == {"a-1"}, "its vendor lists no model 'fast'"
    world.find(gone=("a/a-1",))
    assert world.models() == ["b-1"]
    assert world.events[1] == ("pool_membership_changed", "chat-completion", {"removed": ["fast", "again"]})
    world.find("a/a-1")
    assert world.models() == ["fast", "again", "b-1"]


def test_sync_longest_matching_key_owns_the_model(scripted: Any) -> None:
    world = World(scripted, SYNC, start=False)
    world.config["providers"]["a/b"] = {"instance": scripted("c-1")}
    world.start()
    world.find("a/b/c-2", "a/org/new", "a/")
    assert [str(one) for one in world.mesh.list_models()][-2:] == ["a/org/new", "a/b/c-2"]
    assert [row[1:] for row in world.events if row[0] == "discovery_models_updated"] == [
        ("a", {"new": ["org/new"]}),
        ("a/b", {"new": ["c-2"]}),
    ]


def test_join_work_is_linear_in_models(scripted: Any) -> None:
    steps = []
    for count in (40, 400):
        world = World(scripted, SYNC)
        walked = 0

        def trace(frame: Any, event: str, _: Any) -> Any:
            nonlocal walked
            walked += event == "line"
            return trace

        before = sys.gettrace()
        sys.settrace(trace)
        try:
            world.find(*(f"a/new-{number}" for number in range(count)))
        finally:
            sys.settrace(before)
        assert len(world.models()) == count + 2
        steps.append(walked)
    assert steps[1] < 13 * steps[0]


# -- scheduling and life cycle ----------------------------------------------------------------------------------------


def test_discovery_runs_at_start_and_interval_in_thread(scripted: Any) -> None:
    world = World(scripted, {"sync": {"interval": "10m", "providers": ["b"]}, "health": {"interval": "60s"}}, start=False)
    world.config["providers"]["a"]["discovery"] = {"health": {"interval": "30s", "failure_threshold": 1}}
    world.start()
    assert world.finder.asked_at_all.wait(10)
    world.mesh.discovery.scheduler.run_due()  # waits for the running jobs
    first = [("sync", ("b",)), ("probe", ("a",)), ("probe", ("b",))]
    assert sorted(world.finder.calls) == sorted(first)
    assert "modelmesh-discovery" in world.finder.threads
    world.finder.calls.clear()
    for _ in range(20):
        world.clock.advance(30)
        world.mesh.discovery.scheduler.run_due()
    counts = {one: world.finder.calls.count(one) for one in first}
    assert counts == {("sync", ("b",)): 1, ("probe", ("a",)): 20, ("probe", ("b",)): 10}


def test_connector_receives_providers_and_known_models(scripted: Any) -> None:
    world = World(scripted, SYNC, start=False)
    world.vendors["a"].shipped_models = lambda: [ModelInfo("a-0"), ModelInfo("a-1")]
    world.config["providers"]["a"]["models"] = ["a-1"]
    world.start()
    assert world.finder.attached == world.vendors
    assert world.finder.known == {"a": ["a-1", "a-0"], "b": ["b-1"]}


def test_discovery_closes_with_the_mesh(scripted: Any) -> None:
    world = World(scripted, {"sync": {}, "health": {}})
    assert world.finder.asked_at_all.wait(10)
    world.mesh.shutdown()
    world.mesh.shutdown()
    assert world.finder.closed == 1
    world.finder.calls.clear()
    world.finder.results = [SyncResult(new_models=("a/a-2",))]
    world.clock.advance(2 * HOUR)
    world.mesh.discovery.scheduler.run_due()
    assert world.finder.calls == []


def test_read_only_mesh_runs_no_discovery(scripted: Any) -> None:
    world = World(scripted, {"sync": {}, "health": {}}, start=False)
    world.mesh.initialize(world.config, read_only=True)
    assert world.mesh.discovery.scheduler._thread is None
    assert world.finder.calls == []


def test_discovery_without_section_runs_nothing(scripted: Any) -> None:
    world = World(scripted, {})
    assert world.mesh.discovery.scheduler._thread is None
    assert world.mesh.discovery.sync() == SyncResult()
    assert world.mesh.discovery.probe() == []
    assert world.mesh.discovery.get_sync_status() == []
    assert world.mesh.discovery.get_health_report() == []


def test_discovery_accepts_disabled_provider(scripted: Any) -> None:
    world = World(scripted, {"sync": {"providers": ["a", "b"]}, "health": {"providers": ["b"]}}, start=False)
    world.config["providers"]["b"]["enabled"] = False
    world.start()
    (watch,) = world.mesh.discovery.watches
    assert (list(watch.sync), list(watch.health)) == (["a"], []), "an empty list of providers does not mean all"


def test_scheduler_accepts_interval_of_years(scripted: Any) -> None:
    world = World(scripted, {"sync": {"interval": 1e12}, "health": {"enabled": False}})
    assert world.finder.asked_at_all.wait(10)
    thread = world.mesh.discovery.scheduler._thread
    assert thread is not None
    thread.join(0.2)
    assert thread.is_alive()
    world.mesh.shutdown()
    assert not thread.is_alive()


def test_sync_outage_is_logged_once_per_provider(scripted: Any, caplog: Any) -> None:
    world = World(scripted, {"sync": {"interval": "10m"}, "health": {"enabled": False}}, start=False)
    world.config["providers"]["b"]["discovery"] = {"sync": {"interval": "5m"}}
    world.finder.sync = lambda names: SyncResult(errors=tuple(f"{name}: down" for name in names))  # type: ignore[method-assign]
    world.start()
    for _ in range(6):
        world.clock.advance(300)
        world.mesh.discovery.scheduler.run_due()
    warned = [row.getMessage() for row in caplog.records if row.levelno == logging.WARNING]
    assert sorted(warned) == [f"the models of a provider could not be compared: {name}: down" for name in "ab"]


def test_probe_targets_include_late_accounts(scripted: Any) -> None:
    world = World(scripted, SYNC, start=False)
    calls = []
    world.vendors["b"]._models = []
    world.vendors["b"].probe = calls.append
    world.config["pools"]["chat-completion"]["recovery"] = {"probe_interval": "60s"}
    world.start()
    world.find("b/b-1")
    world.vendors["b"]._answer = lambda *_: RULES[FailureClass.CREDENTIAL].error(
        "no", failure=FailureClass.CREDENTIAL, status=401
    )
    with pytest.raises(ModelMeshError):
        world.ask("b-1")
    assert world.models() == ["a-1"]
    for _ in range(2):
        world.clock.advance(61)
        world.mesh._running.tasks.scheduler.run_due()
    assert calls
    assert world.models() == ["a-1", "b-1"]


def test_reports_come_from_the_connector(scripted: Any) -> None:
    world = World(scripted, {"sync": {}, "health": {"providers": ["b"]}})
    assert world.mesh.discovery.get_sync_status() == [SyncStatus(status=SyncState.IDLE)]
    assert world.mesh.discovery.get_health_report() == [HealthReport("b")]
    assert world.mesh.discovery.get_health_report("a") == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_discovery_continues_after_fork(scripted: Any) -> None:
    world = World(scripted, HEALTH)
    assert world.finder.asked_at_all.wait(10)
    world.mesh.discovery.scheduler.run_due()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            world.finder.down = {"a"}
            world.ask()
            for _ in range(3):
                world.mesh.discovery.probe()
            status = 0 if world.models() == ["b-1"] and world.mesh.discovery.scheduler._thread is not None else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert world.models() == ["a-1", "b-1"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_after_fork_is_called_before_the_next_job(scripted: Any) -> None:
    world = World(scripted, HEALTH)
    events: list[str] = []
    world.finder.after_fork = lambda: events.append("forked")  # type: ignore[attr-defined]
    world.finder.probe = events.append  # type: ignore[method-assign,func-returns-value]
    child = os.fork()
    if child == 0:
        status = 1
        try:
            events.clear()
            world.ask()
            world.mesh.discovery.probe()
            status = 0 if events[0] == "forked" and set(events[1:]) == {"a", "b"} else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_fork_without_go_on_runs_nothing(scripted: Any) -> None:
    world = World(scripted, {"sync": {}, "health": {}})
    world.mesh.discovery.scheduler.run_due()
    world.mesh.discovery.scheduler.stop()  # otherwise the parent's thread would run the due jobs
    world.mesh.discovery.scheduler._stop.clear()
    world.clock.advance(2 * HOUR)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            world.finder.calls.clear()
            world.mesh.shutdown()
            status = 0 if world.finder.calls == [] and world.finder.closed == 1 else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


# -- invalid configurations ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("section", "outcome"),
    [
        ({"sync": {"interval": "0s"}}, r"discovery\.sync\.interval: must be 1s or more"),
        ({"health": {"failure_threshold": 0}}, r"discovery\.health\.failure_threshold: must be 1 or more"),
        ({"sync": {"on_new_model": "rejoice"}}, r"discovery\.sync\.on_new_model"),
        ({"sync": {"intervall": "1h"}}, "unknown key 'intervall'. Did you mean 'interval'"),
        ({"sync": {"providers": ["z"]}}, "no provider 'z' is configured"),
        ({"connectors": {"connector": "x"}}, r"discovery\.connectors: must be a list"),
        ({"connectors": [{"sync": {}}]}, "requires a 'connector'"),
        ({"connectors": ["acme.none.v1"]}, r"discovery\.connectors\[0\]\.connector: no discovery connector"),
        (
            {"connectors": [{"connector": "acme.none.v1", "sync": {"providers": ["z"]}}]},
            r"discovery\.connectors\[0\]\.sync\.providers: no provider 'z'",
        ),
        ({"connectors": [], "sync": {}}, "must stand in an entry of 'connectors'"),
        ({"sync": {}}, r"modelmesh\.registry-sync\.v1"),
        ({"instance": object()}, "object is not a discovery connector: it needs an id, sync and probe"),
        ([], "must be a map"),
    ],
)
def test_discovery_invalid_section_states_position(scripted: Any, section: Any, outcome: str) -> None:
    config = {"providers": {"a": {"instance": scripted("a-1")}}, "pools": {"chat-completion": {}}, "discovery": section}
    mesh = ModelMesh(resolver=_no_discovery_installed())
    with pytest.raises(ModelMeshError, match=outcome):
        mesh.initialize(config)


def test_connector_error_on_attach_names_connector(scripted: Any) -> None:
    world = World(scripted, SYNC, start=False)
    world.finder.attach = lambda _: 1 / 0  # type: ignore[method-assign]
    with pytest.raises(ConnectorLoadError, match=r"test\.finder\.v1.*ZeroDivisionError.*test_discovery\.py"):
        world.start()


def test_sync_of_unwatched_provider_is_refused(scripted: Any) -> None:
    world = World(scripted, {"sync": {"providers": ["a"]}})
    with pytest.raises(ConfigurationError, match=r"watches 'b' for sync: discovery\.sync covers a\. Add it"):
        world.mesh.discovery.sync(["b"])
    with pytest.raises(ConfigurationError, match="covers no provider"):
        world.mesh.discovery.probe(["a"])


def _no_discovery_installed() -> Any:
    installed = [point for kind in Kind if kind is not Kind.DISCOVERY for point in entry_points(group=kind.group)]
    return Resolver(Catalog(installed))


def _body(text: str) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    return {"id": "x", "object": "chat.completion", "created": 1, "choices": [choice], "usage": None}


def _server_error() -> Exception:
    return RULES[FailureClass.SERVER].error("no", failure=FailureClass.SERVER, status=500)
