"""Triggers of standby and their end: in two pools at once, in threads and tasks, with one event, and after a restart."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from modelmesh import ModelMesh
from modelmesh._engine.builtin.memory import MemoryStorage
from modelmesh.contracts import RULES, FailureClass
from modelmesh.contracts.models import ModelInfo, ModelPricing
from modelmesh.errors import ModelMeshError
from modelmesh.testing import VirtualClock

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp()
HOUR, DAY = 3600.0, 86400.0
PRICE = ModelPricing(0.1, 0.1)  # an answer of the scripted provider costs $0.0007
SMALL = {"max_tokens": 2}


class Sink:
    id = "test.sink.v1"

    def __init__(self) -> None:
        self.received: list[tuple[str, str | None, str | None, Any]] = []

    def emit(self, event: Any) -> None:
        if not event.event_type.startswith(("model_rotated", "budget_")):
            self.received.append((event.event_type, event.model_id, event.provider_id, event.metadata["reason"]))

    def log(self, entry: Any) -> None: ...

    def flush(self, stats: Any) -> None: ...

    def trace(self, entry: Any) -> None: ...


class Case:
    """A trigger: its configuration, the number of requests that cause it, and its duration."""

    def __init__(
        self, reason: str, pool: Any = None, account: Any = None, *, requests: int = 2, lasts: float, failure: Any = None
    ) -> None:
        self.reason, self.requests, self.lasts, self.failure = reason, requests, lasts, failure
        self.pool: dict[str, Any] = {"retry": {"max_attempts": 0}, **(pool or {})}
        self.account: dict[str, Any] = account or {}
        self.closed = () if reason == "server" else ("p", "q", "p")  # when all candidates failed, the earliest due one is tried
        self.whole_account = bool(account) or (failure is not None and failure[1] == 401)


class World:
    """Two pools with the same model ``m`` of an account ``a``. The trigger is set for the first pool."""

    def __init__(self, scripted: Any, case: Case, store: Any = None, *, later: float = 0.0, tasks: bool = False) -> None:
        self.case, self.tasks, self.down = case, tasks, True
        self.clock, self.sink = VirtualClock(), Sink()
        self.mesh = ModelMesh(clock=self.clock, sleep=self.clock.sleep, asleep=self.clock.asleep, wall=lambda: NOON + later)
        self.vendor = scripted(ModelInfo("m", pricing=PRICE), answer=self.answer if case.failure else None)
        config: dict[str, Any] = {
            "providers": {"a": {"instance": self.vendor, **case.account}},
            "pools": {
                "p": {"capability": "chat-completion", "models": ["m"], **case.pool},
                "q": {"capability": "chat-completion", "models": ["m"], "retry": {"max_attempts": 0}},
            },
            "observability": {"instance": self.sink},
        }
        if store is not None:
            config["storage"] = {"instance": store}
        self.mesh.initialize(config)

    def answer(self, call: Any, model: str) -> Any:
        if not self.down:
            return {"choices": [{"index": 0, "message": {"role": "assistant", "content": "yes"}, "finish_reason": "stop"}]}
        kind, status = self.case.failure or (FailureClass.SERVER, 500)
        return RULES[kind].error("no", failure=kind, status=status)

    def tries(self, pool: str) -> bool:
        """Send a request, and return whether the provider received it."""
        before = len(self.vendor.calls)
        request: dict[str, Any] = {"model": pool, "messages": [], **SMALL}
        try:
            if self.tasks:
                asyncio.run(self.mesh.get_client().chat.completions.create(**request))
            else:
                self.mesh.client.chat.completions.create(**request)
        except ModelMeshError:
            pass  # no candidate was tried, or the scripted failure occurred
        return len(self.vendor.calls) > before

    def standby(self) -> list[str]:
        return [pool.name for pool in self.mesh.list_pools() if pool.get_standby_models()]


def off(**keys: Any) -> dict[str, Any]:
    return {"deactivation": keys}


DOWN = (FailureClass.SERVER, 500)
CASES = {
    "failures in a row": Case("server", {**off(retry_limit=3), "recovery": {"cooldown": 90}}, requests=3, lasts=90, failure=DOWN),
    "share of failures": Case(
        "server",
        {
            **off(retry_limit=1000, error_rate_threshold=0.5),
            "recovery": {"cooldown": 90},
            "provider_deactivation": "on_auth_failure",
        },
        requests=10,
        lasts=90,
        failure=DOWN,
    ),
    "a refused key": Case(
        "credential", {"recovery": {"probe_interval": 90}}, requests=1, lasts=90, failure=(FailureClass.CREDENTIAL, 401)
    ),
    "a cap of requests": Case("request_limit", off(request_limit=2, quota_window="daily"), lasts=DAY / 2),
    "a cap of requests, daily_utc": Case(
        "request_limit", {**off(request_limit=2), "recovery": {"quota_reset_schedule": "daily_utc"}}, lasts=DAY / 2
    ),
    "a cap of requests, monthly": Case("request_limit", off(request_limit=2), lasts=9.5 * DAY),
    "a cap of tokens": Case("token_limit", off(token_limit=14, quota_window="daily"), lasts=DAY / 2),
    "a cap of money": Case("budget_exceeded", off(budget_limit=0.0014, quota_window="daily"), lasts=DAY / 2),
    "a quota in its own zone": Case(
        "quota_exhausted", None, {"quota": {"requests_per_day": 2, "reset_zone": "America/Los_Angeles"}}, lasts=20 * HOUR
    ),
    "a quota of an hour": Case("quota_exhausted", None, {"quota": {"requests_per_hour": 2}}, lasts=HOUR),
    "a budget of an account": Case(
        "budget_exceeded", None, {"budget": {"daily_limit": 0.0014, "on_budget_exceeded": "rotate"}}, lasts=DAY / 2
    ),
    "a maintenance window": Case("maintenance_window", off(maintenance_window="0-29 12 * * *"), requests=0, lasts=1800),
}


@pytest.mark.parametrize("tasks", [False, True], ids=["threads", "tasks"])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_standby_in_all_pools_is_published_once(case: Case, tasks: bool, scripted: Any) -> None:
    world = World(scripted, case, tasks=tasks)
    with world.mesh:
        assert [world.tries("p") for _ in range(case.requests)] == [True] * case.requests
        assert world.standby() == ["p", "q"]
        assert not any(world.tries(pool) for pool in case.closed)
        world.clock.advance(case.lasts - 1)
        assert world.standby() == ["p", "q"]
        assert not any(world.tries(pool) for pool in case.closed)
        world.clock.advance(1)
        world.down = False
        assert world.tries("q")
        assert world.standby() == []
    what, model = ("provider_deactivated", None) if case.whole_account else ("model_deactivated", "m")
    back = "provider_recovered" if case.whole_account else "model_activated"
    assert world.sink.received == [(what, model, "a", case.reason), (back, model, "a", case.reason)]


@pytest.mark.parametrize("back", [30.0, DAY])
@pytest.mark.parametrize(
    "quota",
    [
        {"requests_per_minute": 2},
        {"requests_per_hour": 2},
        {"request_limit": 2, "reset_schedule": "rolling"},
        {"requests_per_day": 2},
    ],
)
def test_quota_after_restart_with_earlier_clock_stays_used(quota: Any, back: float, scripted: Any) -> None:
    case, store = Case("quota_exhausted", None, {"quota": quota}, lasts=0), MemoryStorage()
    with (first := World(scripted, case, store)).mesh:
        assert [first.tries("p") for _ in range(3)] == [True, True, False]
    world = World(scripted, case, store, later=-back)
    with world.mesh:
        assert not world.tries("q")
        world.clock.advance(DAY + back)
        assert world.tries("q")


@pytest.mark.parametrize(
    ("pool", "account", "target"),
    [
        (off(budget_limit=0.0001), {}, ("m", "a")),
        ({}, {"budget": {"daily_limit": 0.0001}}, (None, "a")),
        ({"budget": {"daily_limit": 0.0001}}, {}, (None, None)),
    ],
)
def test_budget_event_names_its_model_and_provider(pool: Any, account: Any, target: Any, scripted: Any) -> None:
    world = World(scripted, Case("", pool, account, lasts=0))
    events: list[Any] = []
    world.sink.emit = events.append  # type: ignore[method-assign]
    with world.mesh:
        assert not world.tries("p")
    assert [(one.event_type, one.model_id, one.provider_id, one.pool_id) for one in events] == [("budget_exceeded", *target, "p")]
    assert events[0].metadata["limit"] == 0.0001


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_standby_continues_after_restart(case: Case, scripted: Any) -> None:
    store = MemoryStorage()
    first = World(scripted, case, store)
    with first.mesh:
        for _ in range(case.requests):
            first.tries("p")
    half = case.lasts / 2
    world = World(scripted, case, store, later=half)
    with world.mesh:
        assert world.standby() == ["p", "q"]
        assert not any(world.tries(pool) for pool in case.closed)
        world.clock.advance(half)
        world.down = False
        assert world.tries("q")
        assert world.standby() == []
