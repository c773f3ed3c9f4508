"""``models: []`` of a provider selects the vendor's own list in place of the shipped catalogue."""

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


def test_empty_models_use_vendor_list() -> None:
    models, paths = listed(["gpt-4o", "whisper-1", "gpt-4o-mini"], models=[])
    assert models == ["gpt-4o", "gpt-4o-mini"]  # whisper-1 is unknown and cannot chat
    assert paths == ["/v1/models"]


def test_models_of_other_server_can_chat() -> None:
    assert listed(["llama-local", "qwen-local"], models=[])[0] == ["llama-local", "qwen-local"]


def test_absent_models_use_shipped_catalogue() -> None:
    models, paths = listed(["gpt-4o"])
    assert "gpt-4o" in models
    assert len(models) > 5
    assert paths == []
