"""A provider that cannot list its models at the start is left out, retried, and joins when it can."""

from __future__ import annotations

from typing import Any

import pytest

import modelmesh
from modelmesh import ModelMesh, ProviderInitError, ProviderUnavailableWarning
from modelmesh.contracts import FailureClass
from modelmesh.contracts.models import ModelInfo
from modelmesh.contracts.provider import Answer
from modelmesh.testing import VirtualClock

CHAT = "generation.text-generation.chat-completion"
ASK: dict[str, Any] = {"messages": [{"role": "user", "content": "x"}]}


class Server:
    """A provider that lists its models only while it runs."""

    id = "test.server.v1"
    capabilities = (CHAT,)

    def __init__(self, *models: str, running: bool = True) -> None:
        self.names, self.running, self.lists = models, running, 0

    def models(self) -> list[ModelInfo]:
        self.lists += 1
        if not self.running:
            raise ProviderInitError("the models of test could not be read: connection refused.", failure=FailureClass.CONNECT)
        return [ModelInfo(name) for name in self.names]

    def send(self, call: Any, model: str, limits: Any) -> Answer:
        return Answer({"choices": [{"index": 0, "message": {"role": "assistant", "content": model}, "finish_reason": "stop"}]})

    async def asend(self, call: Any, model: str, limits: Any) -> Answer:
        return self.send(call, model, limits)


class Events:
    id = "test.events.v1"

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def emit(self, event: Any) -> None:
        self.seen.append(event)

    def log(self, entry: Any) -> None:
        pass


def mesh_of(providers: dict[str, Any], clock: VirtualClock, events: Events | None = None, **more: Any) -> ModelMesh:
    mesh = ModelMesh(clock=clock, sleep=clock.sleep)
    config: dict[str, Any] = {"providers": {name: {"instance": one} for name, one in providers.items()}, **more}
    config.setdefault("pools", {"chat-completion": {}})
    if events is not None:
        config["observability"] = {"instance": events}
    mesh.initialize(config)
    return mesh


def ask(mesh: ModelMesh, pool: str = "chat-completion") -> str:
    return mesh.client.chat.completions.create(model=pool, **ASK).choices[0].message.content


def test_unlisted_provider_is_left_out_with_warning() -> None:
    clock, events = VirtualClock(), Events()
    with pytest.warns(ProviderUnavailableWarning, match="down is left out until it can list its models: the models of test"):
        mesh = mesh_of({"up": Server("a"), "down": Server("b", running=False)}, clock, events)
    with mesh:
        assert ask(mesh) == "a"
        (event,) = [one for one in events.seen if one.event_type == "provider_health_changed"]
        assert (event.provider_id, event.metadata["available"]) == ("down", False)


def test_late_provider_joins_when_it_lists_its_models() -> None:
    clock, events = VirtualClock(), Events()
    late = Server("b", running=False)
    pools = {"chat-completion": {}, "late": {"capability": "chat-completion", "providers": ["down"]}}
    with pytest.warns(ProviderUnavailableWarning):
        mesh = mesh_of({"up": Server("a"), "down": late}, clock, events, pools=pools)
    with mesh:
        with pytest.raises(modelmesh.NoActiveModelError):
            ask(mesh, "late")
        clock.advance(5)
        mesh.discovery.scheduler.run_due()
        late.running = True
        clock.advance(9)
        mesh.discovery.scheduler.run_due()
        assert late.lists == 2  # the second retry follows ten seconds after the first
        clock.advance(1)
        mesh.discovery.scheduler.run_due()
        assert ask(mesh, "late") == "b"
        assert [m.model_id for m in mesh.list_pools()[0].models] == ["a", "b"]
        assert [e.metadata["available"] for e in events.seen if e.event_type == "provider_health_changed"] == [False, True]


def test_late_provider_joins_with_chosen_models_only() -> None:
    clock = VirtualClock()
    late = Server("b", "c", running=False)
    mesh = ModelMesh(clock=clock, sleep=clock.sleep)
    config = {"providers": {"up": {"instance": Server("a")}, "down": {"instance": late}}, "pools": {"chat-completion": {}}}
    with pytest.warns(ProviderUnavailableWarning):
        mesh.initialize(config, models=["a", "c"])
    with mesh:
        late.running = True
        clock.advance(5)
        mesh.discovery.scheduler.run_due()
        assert [m.model_id for m in mesh.list_pools()[0].models] == ["a", "c"]


def test_sole_unlisted_provider_raises() -> None:
    with pytest.raises(ProviderInitError, match="connection refused"):
        mesh_of({"down": Server("b", running=False)}, VirtualClock())


def test_pool_may_name_model_of_late_provider() -> None:
    clock = VirtualClock()
    late = Server("b", "c", running=False)
    with pytest.warns(ProviderUnavailableWarning):
        mesh = mesh_of({"up": Server("a"), "down": late}, clock, pools={"chat-completion": {"models": ["c", "a"]}})
    with mesh:
        late.running = True
        clock.advance(5)
        mesh.discovery.scheduler.run_due()
        assert {m.model_id for m in mesh.list_pools()[0].models} == {"a", "c"}


def test_pool_providers_order_the_candidates() -> None:
    providers = {"paid": Server("p1", "p2"), "free": Server("f1", "f2")}
    pools = {"chat-completion": {"providers": ["free", "paid"]}}
    with mesh_of(providers, VirtualClock(), pools=pools) as mesh:
        assert [m.model_id for m in mesh.list_pools()[0].models] == ["f1", "f2", "p1", "p2"]
        assert ask(mesh) == "f1"
