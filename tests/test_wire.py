"""Requests and replies on the wire: no field is lost, added or renamed."""

from __future__ import annotations

import json
from typing import Any

import pytest

import modelmesh
from modelmesh_cdk.testing import Script, Upstream
from modelmesh_cdk.testing.upstream import chunk, completion, event

chat = pytest.importorskip("openai.types.chat")
MESSAGES = [{"role": "user", "content": "Hello!"}]
CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Ulm"}'}}


def client_of(upstream: Upstream, models: list[str], path: str = "", **entry: Any) -> modelmesh.MeshClient:
    provider = {"connector": "openai.llm.v1", "api_key": "sk-test", "base_url": upstream.url + path, "models": models, **entry}
    return modelmesh.create(config={"providers": {"openai": provider}, "pools": {"chat-completion": {}}})


@pytest.mark.parametrize("model", ["gpt-3.5-turbo", "gpt-4.1-mini", "openai.gpt-3.5-turbo", "openai/gpt-3.5-turbo"])
def test_model_name_keeps_slashes_after_the_provider(model: str, upstream: Upstream) -> None:
    with client_of(upstream, [model]) as client:
        reply = client.chat.completions.create(model="chat-completion", messages=MESSAGES)
    bare = model.removeprefix("openai.").removeprefix("openai/")
    assert upstream.last.json["model"] == bare
    assert reply.model == bare


@pytest.mark.parametrize("path", ["", "/", "/v1", "/v1/", "/gateway", "/gateway/v1"])
def test_base_url_version_appears_once(path: str, upstream: Upstream) -> None:
    with client_of(upstream, ["m"], path) as client:
        client.chat.completions.create(model="chat-completion", messages=MESSAGES)
    root = path.rstrip("/").removesuffix("/v1")
    assert upstream.last.path == f"{root}/v1/chat/completions"


def test_request_body_has_exactly_the_given_arguments(upstream: Upstream) -> None:
    given = {
        "temperature": 0,
        "max_completion_tokens": 0,
        "stop": ["END"],
        "top_p": 0.0,
        "user": "",
        "a_parameter_of_next_year": {"deep": [1, None, 2.5, "ü", True]},
        "logit_bias": {},
    }
    with client_of(upstream, ["m"]) as client:
        nothing = {"seed": None, "tools": [], "tool_choice": "auto"}  # vendors refuse an empty list of tools
        client.chat.completions.create(model="chat-completion", messages=MESSAGES, **nothing, **given)
    assert upstream.last.json == {"model": "m", "messages": MESSAGES, **given}


def test_extras_of_the_sdk_are_sent(upstream: Upstream) -> None:
    with client_of(upstream, ["m"]) as client:
        client.chat.completions.create(
            model="chat-completion",
            messages=MESSAGES,
            extra_body={"null": None, "more": 1},
            extra_headers={"X-Extra": "yes"},
            extra_query={"q": "1 2"},
        )
    assert upstream.last.json == {"model": "m", "messages": MESSAGES, "null": None, "more": 1}
    assert upstream.last.headers["x-extra"] == "yes"
    assert upstream.last.path == "/v1/chat/completions?q=1+2"


def test_caller_objects_are_not_changed(upstream: Upstream) -> None:
    messages = [{"role": "user", "content": [{"type": "text", "text": "Hello!"}]}]
    before = json.dumps(messages)
    with client_of(upstream, ["m"]) as client:
        reply = client.chat.completions.create(model="chat-completion", messages=messages)
        client.chat.completions.create(model="chat-completion", messages=[*messages, reply.choices[0].message])
    assert json.dumps(messages) == before
    assert upstream.last.json["messages"][1] == {"role": "assistant", "content": "Hello!"}


def test_two_accounts_of_one_connector_use_their_keys(upstream: Upstream, other: Upstream) -> None:
    upstream.fail(429)
    entry = {"connector": "openai.llm.v1", "models": ["gpt-4o"]}
    config = {
        "providers": {
            "work": {**entry, "api_key": "sk-test-work", "base_url": upstream.url},
            "home": {**entry, "api_key": "sk-test-home", "base_url": other.url},
        },
        "pools": {"chat-completion": {}},
    }
    with modelmesh.create(config=config) as client:
        reply = client.chat.completions.create(model="chat-completion", messages=MESSAGES)
        assert reply.provider == "home"
        assert client.active_providers() == ["home"]
    assert upstream.last.headers["authorization"] == "Bearer sk-test-work"
    assert other.last.headers["authorization"] == "Bearer sk-test-home"
    assert [attempt.provider_id for attempt in reply.attempts] == ["work", "home"]


ANSWERS = {
    "text": completion("Hello!"),
    "tool call": completion(None, tool_calls=[CALL]),
    "two tool calls": completion(None, tool_calls=[CALL, {**CALL, "id": "call_2"}]),
    "refusal": completion(None, refusal="no"),
    "empty text": completion(""),
    "unicode": completion("Grüße 😀 \u2028"),
    "unknown fields": {**completion("Hello!"), "x_vendor": {"a": [1]}, "service_tier": "flex"},
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_replies_fit_the_official_types(answer: str, upstream: Upstream) -> None:
    body = ANSWERS[answer]
    upstream.reply(body)
    with client_of(upstream, ["test-model"]) as client:
        reply = client.chat.completions.create(model="chat-completion", messages=MESSAGES)
    assert reply.model_dump() == body
    assert json.loads(reply.model_dump_json()) == body
    official = chat.ChatCompletion.model_validate(reply.model_dump())
    message = official.choices[0].message
    ours = reply.choices[0].message
    assert (ours.content, ours.refusal, ours.role) == (message.content, message.refusal, message.role)
    for call, theirs in zip(ours.tool_calls or [], message.tool_calls or [], strict=True):
        assert (call.id, call.type, call.function.name) == (theirs.id, theirs.type, theirs.function.name)
        assert call.function.arguments == theirs.function.arguments == call["function"]["arguments"]
    assert reply.usage.total_tokens == official.usage.total_tokens
    if "x_vendor" in body:
        assert reply.x_vendor.a == [1]


def test_reply_missing_fields_read_as_none(upstream: Upstream) -> None:
    with client_of(upstream, ["m"]) as client:
        reply = client.chat.completions.create(model="chat-completion", messages=MESSAGES)
    assert reply.choices[0].message.tool_calls is None
    assert reply.system_fingerprint is None
    with pytest.raises(AttributeError):
        _ = reply.no_such_field
    with pytest.raises(KeyError):
        _ = reply["no_such_field"]


CHUNKS = [
    chunk({"role": "assistant", "content": None}),
    chunk({"tool_calls": [{"index": 0, "id": "call_1", "type": "function", "function": {"name": "weather", "arguments": ""}}]}),
    chunk({"tool_calls": [{"index": 0, "function": {"arguments": '{"city": '}}]}),
    chunk({"tool_calls": [{"index": 0, "function": {"arguments": '"Ulm"}'}}]}, x_vendor={"a": 1}),
    chunk({}, finish="tool_calls"),
]
USAGE = {"id": "chatcmpl-test", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [],
         "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}}  # fmt: skip


def stream_of(upstream: Upstream, chunks: list[dict[str, Any]], **arguments: Any) -> list[Any]:
    pieces = [event(one) for one in chunks] + [event("[DONE]")]
    upstream.then(Script(body=pieces, content_type="text/event-stream"))
    with client_of(upstream, ["test-model"]) as client:
        return list(client.chat.completions.create(model="chat-completion", messages=MESSAGES, stream=True, **arguments))


def test_chunks_fit_the_official_types(upstream: Upstream) -> None:
    ours = stream_of(upstream, CHUNKS)
    assert [one.model_dump() for one in ours] == CHUNKS
    theirs = [chat.ChatCompletionChunk.model_validate(one.model_dump()) for one in ours]
    arguments = "".join(one.choices[0].delta.tool_calls[0].function.arguments for one in theirs[1:4])
    assert json.loads(arguments) == {"city": "Ulm"}
    assert {one.id for one in ours} == {"chatcmpl-test"}
    assert [one.choices[0].delta.role for one in ours] == ["assistant", None, None, None, None]
    assert [one.choices[0].finish_reason for one in ours] == [None, None, None, None, "tool_calls"]
    counted = {"stream_options": {"include_usage": True}}
    assert upstream.last.json == {"model": "test-model", "messages": MESSAGES, "stream": True, **counted}


def test_stream_usage_is_on_the_finish_chunk(upstream: Upstream) -> None:
    ours = stream_of(upstream, [*CHUNKS, USAGE])
    assert len(ours) == len(CHUNKS)
    assert all(one.usage is None for one in ours[:-1])
    assert ours[-1].usage.total_tokens == 7


def test_stream_usage_requested_comes_as_openai_sends_it(upstream: Upstream) -> None:
    ours = stream_of(upstream, [*CHUNKS, USAGE], stream_options={"include_usage": True})
    assert len(ours) == len(CHUNKS) + 1
    assert ours[-1].choices == []
    assert ours[-1].usage.total_tokens == 7
    assert upstream.last.json["stream_options"] == {"include_usage": True}


def test_base_url_from_the_vendor_variable_is_used(upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setenv("OPENAI_BASE_URL", upstream.url + "/v1")
    with modelmesh.create("chat-completion", models=["gpt-4o"]) as client:
        assert client.chat.completions.create(model="chat-completion", messages=MESSAGES).model == "gpt-4o"
    assert upstream.last.path == "/v1/chat/completions"


def test_request_naming_a_model_uses_that_model(upstream: Upstream) -> None:
    with client_of(upstream, ["m", "n"]) as client:
        assert client.chat.completions.create(model="n", messages=MESSAGES).model == "n"
        assert client.chat.completions.create(model="openai.n", messages=MESSAGES).model == "n"
        assert client.chat.completions.create(model="text-generation.chat-completion", messages=MESSAGES).model == "m"


@pytest.mark.parametrize("transport", ["fast", "httpx2"])
def test_connection_is_reused(upstream: Upstream, transport: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELMESH_TRANSPORT", transport)
    accept, accepted = upstream._server.get_request, []
    monkeypatch.setattr(upstream._server, "get_request", lambda: accepted.append(accept()) or accepted[-1])
    upstream.always(None)
    with client_of(upstream, ["m"]) as client:
        for _ in range(3):
            client.chat.completions.create(model="chat-completion", messages=MESSAGES)
            list(client.chat.completions.create(model="chat-completion", messages=MESSAGES, stream=True))
    assert len(accepted) == 1
