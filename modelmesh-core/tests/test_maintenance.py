"""Maintenance windows: models are suspended while a window is open, and resume afterwards."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from modelmesh import ModelMesh
from modelmesh.errors import ConfigurationError, NoActiveModelError
from modelmesh.testing import VirtualClock

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp()
HOUR = 3600.0


class Sink:
    id = "test.sink.v1"

    def __init__(self) -> None:
        self.events: list[tuple[str, str | None, Any]] = []

    def emit(self, event: Any) -> None:
        self.events.append((event.event_type, event.model_id or event.provider_id, event.metadata.get("reason")))

    def log(self, entry: Any) -> None: ...


def mesh_of(pools: dict[str, Any], *, wall: Callable[[], float] = lambda: NOON, **providers: Any) -> tuple[ModelMesh, Any, Sink]:
    clock, sink = VirtualClock(), Sink()
    mesh = ModelMesh(clock=clock, sleep=clock.sleep, asleep=clock.asleep, wall=wall)
    entries = {key: {"instance": made} for key, made in providers.items()}
    mesh.initialize({"providers": entries, "pools": pools, "observability": {"instance": sink}})
    return mesh, clock, sink


def request(mesh: ModelMesh, pool: str = "night") -> str:
    return str(mesh.client.chat.completions.create(model=pool, messages=[]).model)


def window(cron: str, *models: str, **more: Any) -> dict[str, Any]:
    return {"capability": "chat-completion", "models": [*models], "deactivation": {"maintenance_window": cron, **more}}


def test_maintenance_window_suspends_pool_every_day(scripted: Any) -> None:
    vendor = scripted("m")
    mesh, clock, sink = mesh_of({"night": window("* 13-14 * * *", "m")}, a=vendor)
    for _ in range(3):
        assert request(mesh) == "m"
        clock.advance(HOUR - 0.001)
        assert request(mesh) == "m"
        clock.advance(0.001)
        with pytest.raises(NoActiveModelError, match="model in standby for 2 h .until 15:00 UTC.: maintenance window") as caught:
            request(mesh)
        assert caught.value.retry_after == pytest.approx(2 * HOUR)
        assert mesh.explain("night").candidates[0].status == "standby"
        clock.advance(2 * HOUR - 0.5)
        with pytest.raises(NoActiveModelError):
            request(mesh)
        clock.advance(0.5)
        assert request(mesh) == "m"
        clock.advance(21 * HOUR)
    assert len(vendor.calls) == 9
    assert sink.events == [("model_deactivated", "m", "maintenance_window"), ("model_activated", "m", "maintenance_window")] * 3
    mesh.shutdown()


def test_maintenance_status_is_current(scripted: Any) -> None:
    mesh, clock, _ = mesh_of({"night": window("0-29 12 * * *", "m")}, a=scripted("m"))
    assert (mesh.active_providers(), mesh.list_models()[0].status) == ([], "standby")
    clock.advance(1800)
    assert mesh.active_providers() == ["a"], "without a request since"
    clock.advance(23.5 * HOUR)
    assert mesh.list_models()[0].status == "standby"
    clock.advance(1800)
    assert mesh.list_pools()[0].get_standby_models() == []
    mesh.shutdown()


def test_maintenance_window_open_at_start_suspends(scripted: Any) -> None:
    mesh, clock, _ = mesh_of({"night": window("0-29 12 * * *", "m")}, a=scripted("m"))
    with pytest.raises(NoActiveModelError):
        request(mesh)
    clock.advance(1800)
    assert request(mesh) == "m"
    mesh.shutdown()


def test_wall_clock_change_moves_no_maintenance_window(scripted: Any) -> None:
    wall = [NOON]
    mesh, clock, _ = mesh_of({"night": window("* 13 * * *", "m")}, wall=lambda: wall[0], a=scripted("m"))
    wall[0] += 86400 + HOUR
    assert request(mesh) == "m"
    clock.advance(HOUR)
    wall[0] -= 3 * 86400
    with pytest.raises(NoActiveModelError):
        request(mesh)
    clock.advance(HOUR)
    assert request(mesh) == "m"
    mesh.shutdown()


def test_maintenance_windows_of_two_pools_later_end_wins(scripted: Any) -> None:
    pools = {
        "night": window("* 13-14 * * *", "m"),
        "day": window("* 14-15 * * *", "m"),
        "other": {"capability": "chat-completion", "models": ["m", "n"]},
    }
    mesh, clock, _ = mesh_of(pools, a=scripted("m", "n"))
    answers = []
    for _ in range(5):
        answers.append(request(mesh, "other"))
        clock.advance(HOUR)
    assert answers == ["m", "n", "n", "n", "m"]
    assert [c.status for c in mesh.explain("other").candidates] == ["active", "active"]
    mesh.shutdown()


def test_maintenance_window_uses_its_zone(scripted: Any) -> None:
    mesh, clock, _ = mesh_of({"night": window("* 14 * * *", "m", maintenance_zone="Europe/Berlin")}, a=scripted("m"))
    assert request(mesh) == "m"
    clock.advance(HOUR)  # 13:00 UTC, 14:00 in Berlin
    with pytest.raises(NoActiveModelError):
        request(mesh)
    mesh.shutdown()


def test_maintenance_recovery_lasts_until_next_window(scripted: Any) -> None:
    mesh, clock, _ = mesh_of({"night": window("* 12 * * *", "m")}, a=scripted("m"))
    pool = mesh.list_pools()[0]
    pool.recover(pool.members[0])
    assert request(mesh) == "m"
    clock.advance(24 * HOUR)
    with pytest.raises(NoActiveModelError):
        request(mesh)
    mesh.shutdown()


@pytest.mark.parametrize(
    ("cron", "cause"), [("0 0 30 2 *", "matches no day"), ("61 * * * *", "Bad minute"), ("* * * * *", "every minute")]
)
def test_maintenance_window_invalid_is_refused_with_place(tmp_path: Path, cron: str, cause: str) -> None:
    file = tmp_path / "m.yaml"
    text = f"providers:\n  a:\n    connector: x.y.v1\npools:\n  p:\n    deactivation:\n      maintenance_window: '{cron}'\n"
    file.write_text(text, encoding="utf-8")
    mesh = ModelMesh()
    with pytest.raises(ConfigurationError, match=rf"m\.yaml:7:7: .*{cause}"):
        mesh.initialize(str(file))


WORDS = ("maintenance window", "quota exhausted", "request limit reached")


def test_standby_reasons_are_in_order(scripted: Any) -> None:
    entry = {"instance": scripted("m"), "quota": {"requests_per_day": 1}}
    clock = VirtualClock()
    mesh = ModelMesh(clock=clock, sleep=clock.sleep, wall=lambda: NOON)
    off = {"maintenance_window": "* 13 * * *", "request_limit": 1, "quota_window": "daily"}
    mesh.initialize({"providers": {"a": entry}, "pools": {"night": {"capability": "chat-completion", "deactivation": off}}})
    request(mesh)
    text = mesh.explain("night").candidates[0].reason
    assert [word for word in WORDS if word in text] == ["quota exhausted", "request limit reached"]
    clock.advance(HOUR)
    text = mesh.explain("night").candidates[0].reason
    assert sorted(WORDS, key=text.index) == ["maintenance window", "quota exhausted", "request limit reached"]
    mesh.shutdown()
