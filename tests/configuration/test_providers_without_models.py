"""``models: []`` of a provider: the vendor is asked for its models, in place of the connector's catalogue."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("modelmesh_connector_openai")
import modelmesh
from modelmesh_cdk.testing import Upstream


def listed(names: list[str], **provider: Any) -> tuple[list[str], list[str]]:
    """Return the models of the chat pool, and the paths that were requested."""
    with Upstream() as upstream:
        upstream.reply({"object": "list", "data": [{"id": name, "object": "model"} for name in names]})
        entry = {"connector": "openai.llm.v1", "base_url": upstream.url, "api_key": "test", **provider}
        with modelmesh.create(config={"providers": {"a": entry}, "pools": {"chat-completion": {}}}) as client:
            return [model.model_id for model in client.mesh.list_models()], [request.path for request in upstream.received]


def test_an_empty_list_asks_the_vendor() -> None:
    models, paths = listed(["gpt-4o", "whisper-1", "gpt-4o-mini"], models=[])
    assert models == ["gpt-4o", "gpt-4o-mini"]  # of whisper-1 nothing is known, and it cannot chat
    assert paths == ["/v1/models"]


def test_every_model_of_another_server_can_chat() -> None:
    assert listed(["llama-local", "qwen-local"], models=[])[0] == ["llama-local", "qwen-local"]


def test_no_list_is_the_catalogue_of_the_connector() -> None:
    models, paths = listed(["gpt-4o"])
    assert "gpt-4o" in models
    assert len(models) > 5
    assert paths == []
