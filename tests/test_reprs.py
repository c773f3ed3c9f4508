"""``repr()`` and ``str()`` of every public object describe it, without the address of an object."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

import modelmesh
from modelmesh.contracts import FailureClass
from modelmesh.testing import mock_client
from modelmesh_cdk.testing import Script, Upstream
from modelmesh_cdk.testing.upstream import completion, text_stream

KEY = "sk-test-repr-0123456789"
MESSAGES = [{"role": "user", "content": "hi"}]


@pytest.fixture(scope="module")
def objects() -> Iterator[dict[str, Any]]:
    with Upstream() as upstream:
        upstream.then(Script(500, b"{}"))
        upstream.then(Script(200, json.dumps(completion("Hello")).encode()))
        upstream.then(Script(200, text_stream("Hello"), content_type="text/event-stream"))
        accounts = {
            name: {"connector": "openai.llm.v1", "base_url": upstream.url, "api_key": KEY, "models": [f"model-{name}"]}
            for name in "ab"
        }
        config = modelmesh.MeshConfig.of({"providers": accounts, "pools": {"chat": {"capability": "chat-completion"}}})
        with modelmesh.create(config=config) as client:
            mesh = client.mesh
            reply = client.chat.completions.create(model="chat", messages=MESSAGES)
            stream = client.chat.completions.create(model="chat", messages=MESSAGES, stream=True)
            chunk = next(iter(stream))
            raw = client.chat.completions.with_raw_response
            with pytest.raises(modelmesh.CapabilityNotFoundError) as unknown:
                client.models.retrieve("nonesuch")
            pool = mesh.list_pools()[0]
            yield {
                "client": client, "async client": mesh.get_client(), "mesh": mesh, "empty mesh": modelmesh.ModelMesh(),
                "mock client": mock_client(["x"]), "chat": client.chat, "completions": client.chat.completions,
                "embeddings": client.embeddings, "models": client.models, "responses": client.responses, "raw": raw,
                "reply": reply, "choice": reply.choices[0], "message": reply.choices[0].message, "usage of a reply": reply.usage,
                "attempt": reply.attempts[0], "explanation": reply.explain(), "candidate info": reply.explain().candidates[0],
                "stream": stream, "chunk": chunk, "models.list()": client.models.list(), "model card": client.models.list().data[0],
                "pool": pool, "pool status": client.pool_status(), "candidate": pool.members[0], "usage": client.usage,
                "usage entry": client.usage.total, "config": config, "router": mesh.get_router(), "statistics": mesh.stats(),
                "registry": modelmesh.CONNECTOR_REGISTRY, "secret": modelmesh.Secret(KEY), "description": client.describe(),
                "unknown": unknown.value, "error": modelmesh.RateLimitError("slow", failure=FailureClass.THROTTLE),
                "dry run": client.explain("chat"), "provider": pool.members[0].provider, "account": pool.members[0].account,
            }  # fmt: skip
            stream.close()


NAMES = [
    "client", "async client", "mesh", "empty mesh", "mock client", "chat", "completions", "embeddings", "models", "responses", "raw",
    "reply", "choice", "message", "usage of a reply", "attempt", "explanation", "candidate info", "stream", "chunk", "models.list()",
    "model card", "pool", "pool status", "candidate", "usage", "usage entry", "config", "router", "statistics", "registry", "secret",
    "description", "unknown", "error", "dry run", "provider", "account",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_repr_and_str_describe_the_object(name: str, objects: dict[str, Any]) -> None:
    for text in (repr(objects[name]), str(objects[name])):
        assert text
        assert " object at 0x" not in text
        assert KEY not in text
        assert len(text) < 3000


def test_repr_cases_are_complete(objects: dict[str, Any]) -> None:
    assert set(NAMES) == set(objects)


@pytest.mark.parametrize("name", sorted(modelmesh.__all__))
def test_public_names_have_a_repr(name: str) -> None:
    assert " object at 0x" not in repr(getattr(modelmesh, name))


def test_explanation_prints_as_a_table(objects: dict[str, Any]) -> None:
    lines = str(objects["explanation"]).splitlines()
    assert lines[1].startswith("A request would go to b/model-b: ")
    assert lines[3].split() == ["provider", "model", "status", "reason"]
    assert lines[4].split()[:3] == ["a", "model-a", "failed"]
    assert lines[5].split()[:4] == ["*", "b", "model-b", "active"]
    assert objects["explanation"]._repr_html_().startswith("<pre>Pool chat")


def test_stream_repr_names_the_model(objects: dict[str, Any]) -> None:
    assert repr(objects["stream"]) == "<Stream of b/model-b, being read>"


def test_message_without_content_has_none() -> None:
    body = completion("x")
    del body["choices"][0]["message"]["content"]
    body["choices"][0]["message"]["tool_calls"] = [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
    body["choices"][0]["finish_reason"] = "tool_calls"
    with Upstream() as upstream:
        upstream.then(Script(200, json.dumps(body).encode()))
        account = {"connector": "openai.llm.v1", "base_url": upstream.url, "api_key": "test", "models": ["m"]}
        with modelmesh.create(config={"providers": {"a": account}, "pools": {"chat-completion": {}}}) as client:
            message = client.chat.completions.create(model="chat-completion", messages=MESSAGES).choices[0].message
    assert message["content"] is message.content is None
    assert message.model_dump()["content"] is None


@pytest.mark.parametrize("name", ["exceptions", "errors", "contracts", "testing", "capabilities"])
def test_submodules_load_as_attributes(name: str) -> None:
    code = f"import modelmesh; print(modelmesh.{name}.__name__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == f"modelmesh.{name}", done.stderr
