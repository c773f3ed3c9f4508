"""The client in the ways of the official SDK: raw headers, options, unimplemented resources, copies and reprs."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
from collections.abc import Iterator
from typing import Any

import pytest

import modelmesh
from modelmesh.client import MeshClient, OpenAIClient
from modelmesh.errors import BadRequestError, CapabilityNotFoundError, ConfigurationError
from modelmesh.testing import mock_client
from modelmesh_cdk.testing import Script, Upstream
from modelmesh_cdk.testing.upstream import completion

MESSAGES = [{"role": "user", "content": "hi"}]
HEADERS = {"x-request-id": "req-1", "x-ratelimit-remaining-requests": "59"}


def event(delta: dict[str, Any], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    chunk = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    return f"data: {json.dumps(chunk)}\n\n".encode()


PLAIN = Script(200, json.dumps(completion("Hello")).encode(), headers=HEADERS)
STREAM = Script(
    200, [event({"role": "assistant", "content": "Hel"}), event({"content": "lo"}), event({}, "stop"), b"data: [DONE]\n\n"],
    headers=HEADERS, content_type="text/event-stream",
)  # fmt: skip


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as made:
        yield made


def settings(*accounts: tuple[str, str], **pool: Any) -> dict[str, Any]:
    providers = {
        name: {"connector": "openai.llm.v1", "base_url": url, "api_key": "test-key", "models": [f"model-{name}"]}
        for name, url in accounts
    }
    return {"providers": providers, "pools": {"chat": {"capability": "chat-completion", **pool}}}


def client_of(*accounts: tuple[str, str], **pool: Any) -> MeshClient:
    return modelmesh.create(config=settings(*accounts, **pool))


def test_with_raw_response_plain_and_stream_have_the_headers(upstream: Upstream) -> None:
    upstream.then(PLAIN).then(STREAM)
    with client_of(("a", upstream.url)) as client:
        raw = client.chat.completions.with_raw_response
        plain = raw.create(model="chat", messages=MESSAGES)
        assert (plain.headers["X-Request-ID"], plain.request_id, plain.status_code) == ("req-1", "req-1", 200)
        assert plain.parse().choices[0].message.content == plain.json()["choices"][0]["message"]["content"] == "Hello"
        assert plain.parse()._request_id == "req-1"
        streamed = raw.create(model="chat", messages=MESSAGES, stream=True)
        assert streamed.headers.get("x-ratelimit-remaining-requests") == "59"
        assert "".join(chunk.choices[0].delta.content or "" for chunk in streamed.parse()) == "Hello"


def test_with_streaming_response_yields_events_and_closes(upstream: Upstream) -> None:
    upstream.then(STREAM).then(PLAIN)
    with client_of(("a", upstream.url)) as client:
        streaming = client.chat.completions.with_streaming_response
        with streaming.create(model="chat", messages=MESSAGES, stream=True) as response:
            assert response.headers["x-request-id"] == "req-1"
            lines = [line for line in response.iter_lines() if line]
        assert lines[-1] == "data: [DONE]"
        assert json.loads(lines[0].removeprefix("data: "))["choices"][0]["delta"]["content"] == "Hel"
        with streaming.create(model="chat", messages=MESSAGES) as response:
            assert json.loads(response.read())["choices"][0]["message"]["content"] == "Hello"


def test_raw_interfaces_of_the_async_client_are_awaited(upstream: Upstream) -> None:
    upstream.then(PLAIN).then(STREAM)

    async def ask() -> tuple[str, list[str]]:
        async with modelmesh.create_async(config=settings(("a", upstream.url))) as client:
            raw = await client.chat.completions.with_raw_response.create(model="chat", messages=MESSAGES)
            call = client.chat.completions.with_streaming_response.create(model="chat", messages=MESSAGES, stream=True)
            async with call as response:
                return raw.headers["x-request-id"], [line async for line in response.iter_lines() if line]

    header, lines = asyncio.run(ask())
    assert (header, len(lines), lines[-1]) == ("req-1", 4, "data: [DONE]")


def test_with_options_headers_query_and_timeout_reach_the_calls(upstream: Upstream) -> None:
    upstream.always(PLAIN)
    with client_of(("a", upstream.url)) as client:
        mine = client.with_options(default_headers={"X-Team": "a"}, default_query={"v": "2"}, timeout=7)
        mine.chat.completions.create(model="chat", messages=MESSAGES, extra_headers={"X-One": "1"})
        assert upstream.last.path.endswith("?v=2")
        other = mine.copy(set_default_headers={"X-Other": "b"})
        other.chat.completions.create(model="chat", messages=MESSAGES)
        client.chat.completions.create(model="chat", messages=MESSAGES)
        sent = [{name.lower(): value for name, value in request.headers.items()} for request in upstream.received]
    assert [(one.get("x-team"), one.get("x-one"), one.get("x-other")) for one in sent] == [
        ("a", "1", None), (None, None, "b"), (None, None, None),
    ]  # fmt: skip
    assert other.mesh is client.mesh


def test_with_options_max_retries_zero_sends_once(upstream: Upstream) -> None:
    upstream.always(Script(429, b"{}", headers={"retry-after": "0"}))
    with client_of(("a", upstream.url)) as client, pytest.raises(modelmesh.RateLimitError):
        client.with_options(max_retries=0).chat.completions.create(model="chat", messages=MESSAGES)
    assert len(upstream.received) == 1


@pytest.mark.parametrize(
    ("option", "said"), [("api_key", "api_keys"), ("base_url", "base_url"), ("tiemout", "Its options are: timeout")]
)
def test_with_options_unknown_option_raises(option: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        mock_client(["x"]).with_options(**{option: "x"})


PARTS = ["beta.chat.completions.parse", "fine_tuning.jobs.create", "vector_stores.create", "realtime.connect", "models.delete",
         "images.create_variation", "chat.completions.retrieve", "responses.compact"]  # fmt: skip


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("path", PARTS)
def test_unimplemented_resource_raises_with_advice(path: str, asynchronous: bool) -> None:
    mesh = mock_client(["x"]).mesh
    part: Any = OpenAIClient(mesh) if asynchronous else MeshClient(mesh)
    for name in path.split("."):
        part = getattr(part, name)
    with pytest.raises(ConfigurationError, match=rf"client\.{path}\(\) is not served") as caught:
        part(model="m")
    assert caught.value.message.count(". ") >= 1


def test_unknown_attribute_of_a_client_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'respones'"):
        _ = mock_client(["x"]).respones


@pytest.mark.parametrize("timeout", [float("nan"), float("inf"), 0, -1, "5", True])
def test_timeout_not_positive_raises(timeout: Any) -> None:
    with pytest.raises(BadRequestError, match="'timeout' must be"):
        mock_client(["x"]).chat.completions.create(model="chat-completion", messages=MESSAGES, timeout=timeout)


@pytest.mark.parametrize("timeout", [10**400, 1e308, 1])
def test_timeout_very_long_is_accepted(timeout: Any) -> None:
    assert mock_client(["x"]).chat.completions.create(model="chat-completion", messages=MESSAGES, timeout=timeout).content == "x"


def test_model_name_too_long_is_cut_in_the_message() -> None:
    client = mock_client(["x"])
    with pytest.raises(CapabilityNotFoundError) as caught:
        client.chat.completions.create(model="chat-" * 200_000, messages=MESSAGES)
    assert len(str(caught.value)) < 1000
    assert len(repr(vars(caught.value))) < 3000
    with pytest.raises(CapabilityNotFoundError) as caught:
        client.explain("chat-" * 200_000)
    assert len(str(caught.value)) < 1000


def test_model_of_a_vendor_error_names_the_pool(upstream: Upstream) -> None:
    with client_of(("a", upstream.url)) as client, pytest.raises(CapabilityNotFoundError) as caught:
        client.chat.completions.create(model="gpt-4o", messages=MESSAGES)
    assert "model='chat'" in str(caught.value)
    assert "create('gpt-4o')" not in str(caught.value)


def test_recover_after_rotate_activates_the_model(upstream: Upstream) -> None:
    upstream.always(PLAIN)
    with client_of(("a", upstream.url), ("b", upstream.url)) as client:
        assert client.rotate("chat") == "model-b"
        assert client.recover("chat", "a/model-a") == ["a/model-a"]
        assert client.recover("chat") == []
        assert client.chat.completions.create(model="chat", messages=MESSAGES).provider == "a"
        with pytest.raises(CapabilityNotFoundError, match="has no model 'model-c'"):
            client.recover("chat", "model-c")


def test_recover_after_a_failure_activates_the_account(upstream: Upstream) -> None:
    upstream.then(Script(401, b"{}")).then(PLAIN)
    with client_of(("a", upstream.url)) as client:
        with pytest.raises(modelmesh.AuthenticationError):
            client.chat.completions.create(model="chat", messages=MESSAGES)
        assert client.recover("chat") == ["a/model-a"]
        assert client.chat.completions.create(model="chat", messages=MESSAGES).content == "Hello"


def test_only_providers_excludes_other_providers(upstream: Upstream) -> None:
    upstream.always(Script(500, b"{}"))
    with client_of(("a", upstream.url), ("b", upstream.url)) as client:
        with pytest.raises(modelmesh.AllProvidersExhaustedError) as caught:
            client.chat.completions.create(model="chat", messages=MESSAGES, only_providers=["b"], max_retries=0)
        assert {attempt.provider_id for attempt in caught.value.attempts} == {"b"}
        assert client.pool_status()["chat"].current_provider == "a"
        with pytest.raises(modelmesh.NoActiveModelError, match="the call allows only c"):
            client.chat.completions.create(model="chat", messages=MESSAGES, only_providers=["c"])


def test_reply_copied_and_pickled_keeps_its_history(upstream: Upstream) -> None:
    upstream.then(Script(500, b"{}")).then(PLAIN)
    with client_of(("a", upstream.url), ("b", upstream.url)) as client:
        reply = client.chat.completions.create(model="chat", messages=MESSAGES)
    for again in (copy.copy(reply), copy.deepcopy(reply), pickle.loads(pickle.dumps(reply))):
        assert type(again) is type(reply)
        assert again == reply
        assert (again.provider, [one.failure for one in again.attempts], again.latency_ms) == (
            "b",
            ["server", None],
            reply.latency_ms,
        )
        assert again.metadata == reply.metadata
        assert again.explain().selected_provider == "b"
    twice = pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(reply))))
    assert (twice, twice.provider) == (reply, "b")


@pytest.mark.parametrize("of", ["client", "mesh", "completions"])
def test_client_pickled_raises_with_advice(of: str) -> None:
    client = mock_client(["x"])
    with pytest.raises(TypeError, match="in each process"):
        pickle.dumps({"client": client, "mesh": client.mesh, "completions": client.chat.completions}[of])


def test_client_copy_shares_its_mesh() -> None:
    client = mock_client(["x"])
    assert copy.copy(client).mesh is copy.deepcopy(client).mesh is client.mesh


def test_models_list_unknown_date_is_none() -> None:
    listed = mock_client(["x"]).models.list()
    assert "ModelCard(id=" in repr(listed)
    assert str(listed) == repr(listed)
    assert {card.created for card in listed} == {None}
    assert len(dir(listed)) > 10


def test_models_retrieve_returns_a_card_or_a_typed_error() -> None:
    models = mock_client(["x"]).models
    assert models.retrieve(models.list().data[0].id) == models.list().data[0]
    with pytest.raises(CapabilityNotFoundError, match="no pool has the model 'gpt-0'"):
        models.retrieve("gpt-0")


@pytest.mark.parametrize(
    "use",
    [lambda mesh: mesh.list_pools(), lambda mesh: mesh.client.usage and mesh.rotate("x"), lambda mesh: mesh.describe(),
     lambda mesh: mesh.explain("x"), lambda mesh: mesh.pool_status(), lambda mesh: mesh.stats(), lambda mesh: mesh.get_router(),
     lambda mesh: mesh.active_providers(), lambda mesh: mesh.limits(), lambda mesh: mesh.config, lambda mesh: mesh.list_models()],
)  # fmt: skip
def test_mesh_before_initialize_raises_a_typed_error(use: Any) -> None:
    with pytest.raises(ConfigurationError, match="not initialized"):
        use(modelmesh.ModelMesh())
