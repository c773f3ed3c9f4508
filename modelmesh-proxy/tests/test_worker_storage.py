"""Workers of one server share the counts of limits, or the server does not start."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from modelmesh.contracts.models import ModelInfo
from modelmesh.contracts.provider import Answer
from modelmesh.errors import ConfigurationError, NoActiveModelError
from modelmesh_proxy.application.mesh_source import load_mesh
from modelmesh_proxy.application.worker_storage import for_workers


class Scripted:
    """Provider that answers every chat at once."""

    id = "test.scripted.v1"

    def models(self) -> list[ModelInfo]:
        return [ModelInfo("scripted", capabilities=("generation.text-generation.chat-completion",))]

    def send(self, call: Any, model: str, limits: Any) -> Answer:
        choice = {"index": 0, "message": {"role": "assistant", "content": "ok"}, "finish_reason": "stop"}
        return Answer({"id": "test", "object": "chat.completion", "created": 1, "choices": [choice]})

    async def asend(self, call: Any, model: str, limits: Any) -> Answer:
        return self.send(call, model, limits)


LOCAL: dict[str, Any] = {
    "providers": {"local": {"instance": Scripted(), "quota": {"requests_per_day": 4}}},
    "pools": {"text-generation": {}},
}
HELLO = [{"role": "user", "content": "Hello!"}]


@pytest.mark.parametrize("storage", [None, {"connector": "modelmesh.memory.v1", "sync_policy": "immediate"}])
def test_workers_without_a_storage_share_a_temporary_database(storage: dict[str, Any] | None, tmp_path: Path) -> None:
    config = LOCAL if storage is None else {**LOCAL, "storage": storage}
    store = str(tmp_path / "state.db")
    one, two = load_mesh(config, worker_store=store), load_mesh(config, worker_store=store)
    try:
        for mesh in (one, two, one, two):
            assert mesh.client.chat.completions.create(model="text-generation", messages=HELLO).choices
        with pytest.raises(NoActiveModelError):
            one.client.chat.completions.create(model="text-generation", messages=HELLO)
    finally:
        one.shutdown()
        two.shutdown()


def test_configured_storage_is_used_or_rejected() -> None:
    shared = {"connector": "modelmesh.sqlite.v1", "path": "mesh.db", "sync_policy": "immediate"}
    assert for_workers({**LOCAL, "storage": shared}, "/unused").raw["storage"] == shared
    with pytest.raises(ConfigurationError, match=r"storage.*sync_policy: sync-on-boundary.*--workers 1"):
        for_workers({**LOCAL, "storage": {"connector": "modelmesh.local-file.v1"}}, "/unused")
    with pytest.raises(ConfigurationError, match=r"sync_policy: in-memory, each worker would count"):
        for_workers({**LOCAL, "storage": {**shared, "sync_policy": "in-memory"}}, "/unused")  # it may have tokens
