"""Standby policies of a pool: their calls, snapshots and effects."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from modelmesh import ModelMesh, register_connector
from modelmesh._engine.builtin.memory import MemoryStorage
from modelmesh._engine.builtin.stick_until_failure import StickUntilFailure
from modelmesh.contracts import RULES, FailureClass
from modelmesh.contracts.rotation import DeactivationReason, ModelSnapshot
from modelmesh.errors import ConfigurationError, ConnectorError, ModelMeshError, ProviderError
from modelmesh.testing import VirtualClock

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp()


class Fuse(StickUntilFailure):
    """Standby after a number of requests, and recovery an hour later unless extended."""

    id = "test.fuse.v1"

    def __init__(self, config: dict[str, Any] | None = None) -> None:
        super().__init__()
        self.config = config or {}
        self.most = 2
        self.kept = 0
        self.seen: list[ModelSnapshot] = []
        self.recovery_snapshots: list[ModelSnapshot] = []

    def should_deactivate(self, snapshot: ModelSnapshot) -> bool:
        self.seen.append(snapshot)
        return snapshot.requests >= self.most

    def get_reason(self, snapshot: ModelSnapshot) -> DeactivationReason | None:
        return DeactivationReason.REQUEST_LIMIT

    def should_recover(self, snapshot: ModelSnapshot) -> bool:
        self.recovery_snapshots.append(snapshot)
        self.kept -= 1
        return self.kept < 0

    def get_recovery_schedule(self, snapshot: ModelSnapshot) -> datetime | None:
        assert snapshot.deactivated_at is not None
        return datetime.fromtimestamp(snapshot.deactivated_at + 3600, UTC)


def world(pools: dict[str, Any], *models: str, scripted: Any, answer: Any = None) -> tuple[ModelMesh, Any, VirtualClock]:
    clock, vendor = VirtualClock(), scripted(*models, answer=answer)
    mesh = ModelMesh(clock=clock, sleep=clock.sleep, wall=lambda: NOON)
    pools = {name: {"capability": "chat-completion", **pool} for name, pool in pools.items()}
    mesh.initialize({"providers": {"a": {"instance": vendor}}, "pools": pools})
    return mesh, vendor, clock


def ask(mesh: ModelMesh, pool: str = "p") -> str:
    return str(mesh.client.chat.completions.create(model=pool, messages=[]).model)


def test_strategy_with_policy_methods_is_called_as_policy(scripted: Any) -> None:
    fuse = Fuse()
    mesh, _, clock = world({"p": {"strategy_instance": fuse}, "q": {}}, "m", "n", scripted=scripted)
    assert [ask(mesh) for _ in range(3)] == ["m", "m", "n"]
    assert [(s.model_id, s.requests, s.failure_count, s.tokens_used) for s in fuse.seen] == [
        ("m", 1, 0, 7), ("m", 2, 0, 14), ("n", 1, 0, 7),
    ]  # fmt: skip
    assert fuse.seen[0].now == NOON
    assert fuse.seen[0].status == "active"
    candidate = mesh.explain("q").candidates[0]  # in all pools at once
    assert candidate.status == "standby"
    assert candidate.reason == "model in standby for 1 h (until 13:00 UTC): policy (request_limit, by test.fuse.v1)"
    clock.advance(3599.5)
    assert ask(mesh, "q") == "n"
    assert fuse.recovery_snapshots == []
    clock.advance(0.5)
    ask(mesh, "q")
    assert [(s.model_id, s.deactivation_reason, s.deactivated_at, s.status) for s in fuse.recovery_snapshots] == [
        ("m", "request_limit", NOON, "standby")
    ]
    mesh.shutdown()


def test_recovery_policy_that_extends_is_called_again(scripted: Any) -> None:
    fuse = Fuse()
    fuse.kept = 2
    mesh, _, clock = world({"p": {"strategy_instance": fuse}}, "m", "n", scripted=scripted)
    ask(mesh), ask(mesh)
    states = []
    clock.advance(3600)
    for _ in range(4):
        states.append(mesh.explain("p").candidates[0].status)
        clock.advance(15)
    assert states == ["standby"] * 4
    assert len(fuse.recovery_snapshots) == 2
    assert mesh.explain("p").candidates[0].status == "active"
    mesh.shutdown()


def test_policy_parts_can_be_replaced_separately(scripted: Any) -> None:
    class Thrice:
        def should_deactivate(self, snapshot: ModelSnapshot) -> bool:
            return snapshot.failure_count >= 4

        def get_reason(self, snapshot: ModelSnapshot) -> DeactivationReason | None:
            return DeactivationReason.ERROR_THRESHOLD

    down = RULES[FailureClass.SERVER].error("down", failure=FailureClass.SERVER, status=500)
    register_connector("test.fuse.v1", Fuse)
    for pool, standby_after, back_after in (
        ({"deactivation": {"policy": Thrice()}, "recovery": {"cooldown": "10s"}}, 4, 10),
        ({"rotation": {"deactivation": {"policy": Thrice()}, "recovery": {"policy": "test.fuse.v1"}}}, 4, 3600),
        ({"recovery": {"policy": "test.fuse.v1"}}, 3, 3600),
    ):
        mesh, vendor, clock = world({"p": {"retry": {"max_attempts": 0}, **pool}}, "m", scripted=scripted, answer=lambda *_: down)
        for turn in range(1, standby_after + 1):
            with pytest.raises(ModelMeshError):
                ask(mesh)
            assert mesh.explain("p").candidates[0].status == ("standby" if turn == standby_after else "active"), pool
        clock.advance(back_after - 0.1)
        assert mesh.explain("p").candidates[0].status == "standby", pool
        clock.advance(0.1)
        assert mesh.explain("p").candidates[0].status == "active", pool
        assert len(vendor.calls) == standby_after
        mesh.shutdown()


def test_threshold_rotation_policy_serves_a_pool(scripted: Any) -> None:
    cdk = pytest.importorskip("modelmesh_cdk")
    register_connector("test.threshold.v1", type("Mine", (cdk.ThresholdRotationPolicy,), {"id": "test.threshold.v1"}))
    rotation = {
        "policy": "test.threshold.v1",
        "deactivation": {"request_limit": 2, "quota_window": "daily", "maintenance_window": "0 3 * * *"},
        "selection": {"model_priority": ["n"]},
    }
    mesh, _, clock = world({"p": {"rotation": rotation}}, "m", "n", scripted=scripted)
    assert [ask(mesh) for _ in range(4)] == ["n", "n", "m", "m"]
    assert "policy (request_limit, by test.threshold.v1)" in mesh.explain("p").candidates[0].reason
    clock.advance(12 * 3600)
    assert ask(mesh) == "n"
    mesh.shutdown()


def test_manual_recovery_resets_the_record(scripted: Any) -> None:
    fuse = Fuse()
    mesh, _, _ = world({"p": {"strategy_instance": fuse}}, "m", scripted=scripted)
    ask(mesh), ask(mesh)
    pool = mesh.list_pools()[0]
    pool.recover(pool.members[0])
    assert ask(mesh) == "m"
    assert fuse.seen[-1].requests == 1
    mesh.shutdown()


@pytest.mark.parametrize("method", ["should_deactivate", "get_reason", "get_recovery_schedule"])
def test_policy_that_raises_is_named_with_its_line(scripted: Any, method: str) -> None:
    fuse = Fuse()
    fuse.most = 1

    def broken(snapshot: ModelSnapshot) -> Any:
        raise RuntimeError("no idea")

    setattr(fuse, method, broken)
    mesh, _, _ = world({"p": {"strategy_instance": fuse}}, "m", scripted=scripted)
    with pytest.raises(ConnectorError, match=r"test_standby_policy\.py:\d+: .*'test\.fuse\.v1'.*RuntimeError: no idea"):
        ask(mesh)
    mesh.shutdown()


@pytest.mark.parametrize("alone", [True, False])
def test_policy_with_invalid_reason_is_named(scripted: Any, alone: bool) -> None:
    fuse = Fuse()
    fuse.get_reason = lambda snapshot: ["cold"]  # type: ignore[method-assign,assignment,return-value]
    fuse.most = 1
    pool = {"deactivation": {"policy": fuse}} if alone else {"strategy_instance": fuse}
    mesh, _, _ = world({"p": pool}, "m", scripted=scripted)
    with pytest.raises(ConnectorError, match=r"'test\.fuse\.v1'.*TypeError: returned list"):
        ask(mesh)
    mesh.shutdown()


def test_policy_error_of_a_timer_is_raised_by_next_request(scripted: Any) -> None:
    fuse = Fuse()
    mesh, _, clock = world({"p": {"strategy_instance": fuse}, "q": {}}, "m", "n", scripted=scripted)
    ask(mesh), ask(mesh)
    fuse.should_recover = lambda snapshot: 1 / 0  # type: ignore[method-assign,assignment,return-value]
    clock.advance(3600)
    assert ask(mesh, "q") == "n"  # not a failure of the model
    with pytest.raises(ConnectorError, match="ZeroDivisionError"):
        ask(mesh)
    assert ask(mesh) == "n"
    mesh.shutdown()


def test_invalid_policy_is_rejected(scripted: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"pools\.p\.recovery\.policy: 'object' is not a recovery policy"):
        world({"p": {"recovery": {"policy": object()}}}, "m", scripted=scripted)


def test_retry_after_is_kept_under_a_policy(scripted: Any) -> None:
    """A policy decides about counted failures. A rejected key still opens the breaker of the account."""

    class Never(Fuse):
        def should_deactivate(self, snapshot: ModelSnapshot) -> bool:
            return False

    refused = RULES[FailureClass.CREDENTIAL].error("no", failure=FailureClass.CREDENTIAL, status=401)
    down = RULES[FailureClass.SERVER].error("down", failure=FailureClass.SERVER, status=500)
    failures: list[ProviderError] = [down] * 9
    mesh, _, _ = world(
        {"p": {"strategy_instance": Never(), "retry": {"max_attempts": 0}}},
        "m",
        scripted=scripted,
        answer=lambda *_: failures.pop() if failures else refused,
    )
    while failures:
        with pytest.raises(ModelMeshError):
            ask(mesh)
        assert mesh.explain("p").candidates[0].status == "active"
    with pytest.raises(ModelMeshError):
        ask(mesh)
    assert "key rejected" in mesh.explain("p").candidates[0].reason
    mesh.shutdown()


def test_policy_period_is_the_period_of_its_snapshots(scripted: Any) -> None:
    class Daily(Fuse):
        quota_window = "daily"

    fuse = Daily()
    fuse.most = 3
    mesh, _, clock = world({"p": {"strategy_instance": fuse}}, "m", scripted=scripted)
    ask(mesh), ask(mesh)
    clock.advance(12 * 3600)
    ask(mesh)
    assert [s.requests for s in fuse.seen] == [1, 2, 1]
    mesh.shutdown()


def _run(store: MemoryStorage, fuse: Fuse, later: float, scripted: Any) -> tuple[ModelMesh, VirtualClock]:
    clock = VirtualClock()
    mesh = ModelMesh(clock=clock, sleep=clock.sleep, wall=lambda: NOON + later)
    pools = {"p": {"capability": "chat-completion", "strategy_instance": fuse}, "q": {"capability": "chat-completion"}}
    mesh.initialize({"providers": {"a": {"instance": scripted("m", "n")}}, "pools": pools, "storage": {"instance": store}})
    return mesh, clock


def test_policy_record_and_standby_are_persisted(scripted: Any) -> None:
    store = MemoryStorage()
    with _run(store, Fuse(), 0, scripted)[0] as mesh:
        assert [ask(mesh) for _ in range(3)] == ["m", "m", "n"]
    fuse = Fuse()
    mesh, clock = _run(store, fuse, 60, scripted)
    with mesh:
        reasons = [mesh.explain(pool).candidates[0].reason for pool in ("p", "q")]
        assert reasons == ["model in standby for 59 min (until 13:00 UTC): policy (request_limit, by test.fuse.v1)"] * 2
        assert ask(mesh) == "n"
        assert [(one.model_id, one.requests) for one in fuse.seen] == [("n", 2)], "the second of its period"
    fuse = Fuse()
    mesh, clock = _run(store, fuse, 120, scripted)
    with mesh:
        clock.advance(3480)
        assert ask(mesh, "q") == "m"
        snapshot = fuse.recovery_snapshots[0]
        assert (snapshot.model_id, snapshot.deactivated_at, snapshot.deactivation_reason) == (
            "m",
            NOON,
            DeactivationReason.REQUEST_LIMIT,
        )


def test_policy_standby_ends_on_time_after_clock_change(scripted: Any) -> None:
    store = MemoryStorage()
    with _run(store, Fuse(), 0, scripted)[0] as mesh:
        assert [ask(mesh) for _ in range(2)] == ["m", "m"]
    with _run(store, Fuse(), -86400, scripted)[0] as mesh:
        reason = mesh.explain("q").candidates[0].reason
        assert reason == "model in standby for 1 h (until 13:00 UTC): policy (request_limit, by test.fuse.v1)"


def test_policy_time_between_two_runs_is_evaluated_at_once(scripted: Any) -> None:
    store = MemoryStorage()
    with _run(store, Fuse(), 0, scripted)[0] as mesh:
        assert [ask(mesh) for _ in range(3)] == ["m", "m", "n"]
    fuse = Fuse()
    mesh, _ = _run(store, fuse, 4000, scripted)
    with mesh:
        assert ask(mesh, "q") == "m"
        assert len(fuse.recovery_snapshots) == 1
