"""``as_anthropic()``: Anthropic's SDK in front of models of its own vendor and of others."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import anthropic
import pytest

import modelmesh
from modelmesh.testing import MockResponse, mock_client
from modelmesh_cdk.testing import Upstream
from modelmesh_cdk.testing.upstream import Script, completion, text_stream

ASK: dict[str, Any] = {"model": "chat-completion", "max_tokens": 64, "messages": [{"role": "user", "content": "Hello!"}]}
PNG = "iVBORw0KGgo="
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude",
    "content": [{"type": "thinking", "thinking": "Hm.", "signature": "sig"}, {"type": "text", "text": "Hi"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 3, "output_tokens": 2},
}


@pytest.fixture
def claude() -> Iterator[tuple[Upstream, modelmesh.ModelMesh]]:
    """A mesh whose vendor serves the Messages API."""
    provider = {"connector": "anthropic.claude.v1", "api_key": "sk-test"}
    with (
        Upstream() as server,
        modelmesh.ModelMesh(
            {"providers": {"anthropic": {**provider, "base_url": server.url}}, "pools": {"chat-completion": {}}}
        ) as running,
    ):
        yield server, running


def test_a_genuine_client_without_socket_and_key(no_sockets: None) -> None:
    with mock_client([MockResponse("Hi")]) as client:
        sdk = client.as_anthropic()
        assert type(sdk) is anthropic.Anthropic
        message = sdk.messages.create(**ASK)
        assert [block.to_dict() for block in message.content] == [{"type": "text", "text": "Hi"}]
        assert (message.stop_reason, message.role, message.usage.output_tokens > 0) == ("end_turn", "assistant", True)
        with sdk.messages.stream(**ASK) as stream:
            assert stream.get_final_text() == "Hi"
        assert next(iter(sdk.models.list())).id == "chat-completion"
        card = sdk.models.retrieve("chat-completion")
        assert (card.type, card.created_at.year) == ("model", 1970)  # an unknown time
        type(card).model_validate(card.to_dict(), strict=False)
        assert sdk.messages.count_tokens(model="chat-completion", messages=ASK["messages"]).input_tokens > 0


def test_images_and_tools_reach_a_model_of_another_vendor(upstream: Any, mesh: modelmesh.ModelMesh) -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": '{"at": "it"}'}}
    upstream.reply(completion(None, tool_calls=[call]))
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}
    tools: list[Any] = [{"name": "look", "input_schema": {"type": "object", "properties": {"at": {"type": "string"}}}}]
    content: list[Any] = [image, {"type": "text", "text": "Look!"}]
    sdk = mesh.as_anthropic()
    asked: list[Any] = [{"role": "user", "content": content}]
    message = sdk.messages.create(model="chat-completion", max_tokens=64, system="Be brief.", messages=asked, tools=tools)
    assert message.stop_reason == "tool_use"
    used = message.content[-1]
    assert used.type == "tool_use"
    assert (used.name, used.input, used.id) == ("look", {"at": "it"}, "call_1")
    sent = upstream.last.json
    assert upstream.last.path == "/v1/chat/completions"
    assert sent["messages"][0]["content"] == "Be brief."
    assert sent["messages"][1]["content"][0]["image_url"]["url"] == f"data:image/png;base64,{PNG}"
    assert sent["tools"][0]["function"]["name"] == "look"
    result: list[Any] = [{"type": "tool_result", "tool_use_id": used.id, "content": "seen"}]
    asked += [{"role": "assistant", "content": message.content}, {"role": "user", "content": result}]
    assert sdk.messages.create(model="chat-completion", max_tokens=64, messages=asked, tools=tools).content[0].type == "text"
    assert [one["role"] for one in upstream.last.json["messages"]] == ["user", "assistant", "tool"]


def test_the_vendors_own_messages_pass_as_they_are(claude: Any) -> None:
    vendor, mesh = claude
    vendor.reply(MESSAGE)
    raw = mesh.as_anthropic().messages.with_raw_response.create(
        **ASK,
        thinking={"type": "enabled", "budget_tokens": 1024},
        extra_headers={"anthropic-beta": "some-beta"},
        extra_body={"own": 1},
    )
    message = raw.parse()
    assert [block.type for block in message.content] == ["thinking", "text"]
    assert message.content[0].signature == "sig"
    sent = vendor.last.json
    assert vendor.last.path == "/v1/messages"
    assert sent["thinking"] == {"type": "enabled", "budget_tokens": 1024}
    assert sent["own"] == 1
    assert vendor.last.headers["anthropic-beta"] == "some-beta"
    assert "not-needed" not in str(vendor.last.headers)
    assert raw.headers["x-modelmesh-provider"] == "anthropic"


EVENTS: list[dict[str, Any]] = [
    {"type": "message_start", "message": {**MESSAGE, "content": [], "stop_reason": None}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": "", "signature": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Hm."}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "sig"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "ping"},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "Hi"}},
    {"type": "content_block_stop", "index": 1},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": {"output_tokens": 2}},
    {"type": "message_stop"},
]


@pytest.mark.parametrize("stream", [False, True])
def test_the_same_as_the_sdk_at_the_vendor(claude: Any, *, stream: bool) -> None:
    """Only the model differs, which the mesh names by its configured ID."""
    vendor, mesh = claude
    found: list[Any] = []
    for sdk in (anthropic.Anthropic(base_url=vendor.url, api_key="test", max_retries=0), mesh.as_anthropic()):
        if stream:
            vendor.stream([f"event: {one['type']}\ndata: {json.dumps(one)}\n\n".encode() for one in EVENTS])
            items = [one.to_dict() for one in sdk.messages.create(**ASK, stream=True)]
            vendor.stream([f"event: {one['type']}\ndata: {json.dumps(one)}\n\n".encode() for one in EVENTS])
            with sdk.messages.stream(**ASK) as opened:
                items.append(opened.get_final_message().to_dict())
        else:
            vendor.reply(MESSAGE)
            items = [sdk.messages.create(**ASK).to_dict()]
        for one in items:
            one.get("message", one).pop("model", None)
        found.append(items)
        sdk.close()
    assert found[1] == found[0]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 429, 500, 529])
def test_the_same_errors_as_the_sdk_at_the_vendor(claude: Any, status: int) -> None:
    vendor, mesh = claude
    names = {400: "invalid_request_error", 401: "authentication_error", 403: "permission_error", 404: "not_found_error"}
    names |= {413: "request_too_large", 429: "rate_limit_error", 500: "api_error", 529: "overloaded_error"}
    found: list[Any] = []
    for sdk in (anthropic.Anthropic(base_url=vendor.url, api_key="test", max_retries=0), mesh.as_anthropic()):
        body = {"type": "error", "error": {"type": names[status], "message": "no"}, "request_id": "req_1"}
        vendor.always(Script(status, json.dumps(body).encode(), {"retry-after": "200"} if status == 429 else {}))
        with pytest.raises(anthropic.APIStatusError) as caught:
            sdk.messages.create(**ASK)
        found.append(caught.value)
        sdk.close()
    own, ours = found
    assert type(ours) is type(own)
    assert (ours.status_code, ours.type, ours.body["type"]) == (own.status_code, own.type, own.body["type"])
    assert ("retry-after" in ours.response.headers) >= (status == 429)


def test_streams(upstream: Any, mesh: modelmesh.ModelMesh) -> None:
    async def main() -> str:
        sdk = mesh.as_async_anthropic()
        assert type(sdk) is anthropic.AsyncAnthropic
        async with sdk.messages.stream(**ASK) as stream:
            return await stream.get_final_text()

    assert asyncio.run(main()) == "Hello!"
    with mesh.as_anthropic().messages.create(**ASK, stream=True) as events:
        kinds = [event.type for event in events]
    assert kinds[0] == "message_start"
    assert kinds[-1] == "message_stop"


def test_an_interrupted_stream(upstream: Any, mesh: modelmesh.ModelMesh) -> None:
    upstream.stream(text_stream("Hel", "lo", finish=None, done=False), cut=True)
    with pytest.raises(anthropic.APIStatusError, match="broke off"):
        list(mesh.as_anthropic().messages.create(**ASK, stream=True))


ERRORS: list[tuple[int, type[Any], str]] = [
    (400, anthropic.BadRequestError, "invalid_request_error"),
    (401, anthropic.AuthenticationError, "authentication_error"),
    (403, anthropic.PermissionDeniedError, "permission_error"),
    (404, anthropic.NotFoundError, "not_found_error"),
    (429, anthropic.RateLimitError, "rate_limit_error"),
    (500, anthropic.InternalServerError, "api_error"),
]


@pytest.mark.parametrize(("status", "kind", "name"), ERRORS)
def test_errors_are_the_classes_of_the_sdk(
    upstream: Any, config: Callable[..., dict[str, Any]], status: int, kind: type[Any], name: str
) -> None:
    upstream.always(Script(status, json.dumps({"error": {"message": "no", "type": "t"}}).encode()))
    with modelmesh.ModelMesh(config(upstream.url, retry={"max_attempts": 1})) as mesh, pytest.raises(kind) as caught:
        mesh.as_anthropic().messages.create(**ASK)
    assert type(caught.value) is kind
    assert caught.value.body["error"]["type"] == name
    assert caught.value.body["type"] == "error"


def test_a_time_limit(upstream: Any, mesh: modelmesh.ModelMesh) -> None:
    upstream.always(Script(delay=5))
    with pytest.raises(anthropic.APITimeoutError):
        mesh.as_anthropic(timeout=0.2).messages.create(**ASK)


def test_a_missing_argument(mesh: modelmesh.ModelMesh) -> None:
    with pytest.raises(anthropic.BadRequestError, match="messages needs 'max_tokens'"):
        mesh.as_anthropic().post("/v1/messages", body={"model": "chat-completion", "messages": []}, cast_to=object)
