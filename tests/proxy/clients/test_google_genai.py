"""The official google-genai package at the proxy: over Google nothing is lost, over other vendors everything has a counterpart."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pydantic
import pytest
from google import genai
from google.genai import errors, types

from modelmesh._engine.translation.generate_content.field_names import in_camel_case
from modelmesh_cdk.testing import Upstream


class Person(pydantic.BaseModel):
    """Structured output."""

    name: str
    age: int


def get_weather(city: str) -> str:
    """Return the weather of a city."""
    return f"sunny in {city}"


def opened(url: str) -> genai.Client:
    return genai.Client(api_key="test", http_options=types.HttpOptions(base_url=url))


@pytest.fixture(scope="module")
def client(proxy: str) -> genai.Client:
    return opened(proxy)


@pytest.fixture(scope="module")
def direct(vendor: Upstream) -> genai.Client:
    return opened(vendor.url)


def plain(reply: Any) -> Any:
    """Return an answer as data, with adjacent texts joined."""
    found = reply.model_dump(exclude={"sdk_http_response", "parsed", "create_time"}, exclude_none=True)
    for candidate in found["candidates"]:
        candidate["content"]["parts"] = joined(candidate["content"]["parts"])
    return found


def joined(parts: list[Any]) -> list[Any]:
    found: list[Any] = []
    for part in parts:
        if found and part.keys() == {"text"} == found[-1].keys():
            found[-1] = {"text": found[-1]["text"] + part["text"]}
        elif part != {"text": ""}:
            found.append(part)
    return found


def sent_body(vendor: Upstream) -> Any:
    """Return the last body, with Google's names in one spelling."""
    return {name: value for name, value in in_camel_case(vendor.last.json).items() if value}


MANUAL = types.AutomaticFunctionCallingConfig(disable=True)
REQUESTS: dict[str, dict[str, Any]] = {
    "text": {"contents": "Hello!"},
    "system": {"contents": "Hello!", "config": {"system_instruction": "Be brief.", "temperature": 0.5, "top_k": 3}},
    "thoughts": {"contents": "think", "config": {"thinking_config": {"include_thoughts": True, "thinking_budget": 2000}}},
    "tools": {"contents": "weather?", "config": {"tools": [get_weather], "automatic_function_calling": MANUAL}},
    "schema": {"contents": "Who?", "config": {"response_mime_type": "application/json", "response_schema": Person}},
    "safety": {
        "contents": "Hello!",
        "config": {"safety_settings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}]},
    },
    "picture": {"contents": ["a picture?", types.Part.from_bytes(data=b"\x89PNG", mime_type="image/png")]},
}


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
def test_google_behind_google_loses_nothing(client: genai.Client, direct: genai.Client, vendor: Upstream, request_: Any) -> None:
    expected = direct.models.generate_content(model="model-g", **request_)
    sent = sent_body(vendor)
    reply = client.models.generate_content(model="gemini", **request_)
    assert plain(reply) == plain(expected)
    assert sent_body(vendor) == sent


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
def test_google_behind_google_streams_the_same_parts(client: genai.Client, direct: genai.Client, request_: Any) -> None:
    def whole(events: list[types.GenerateContentResponse]) -> Any:
        last = events[-1]
        found = plain(last)
        parts = [part for one in events for part in (one.candidates[0].content.parts or ())]
        found["candidates"][0]["content"]["parts"] = joined([part.model_dump(exclude_none=True) for part in parts])
        return found

    expected = list(direct.models.generate_content_stream(model="model-g", **request_))
    assert whole(list(client.models.generate_content_stream(model="gemini", **request_))) == whole(expected)


@pytest.mark.parametrize("pool", ["chat", "claude", "gemini-2.5-flash"])
def test_text_and_usage_of_other_vendors(client: genai.Client, pool: str) -> None:
    reply = client.models.generate_content(model=pool, contents="Hello!", config={"system_instruction": "Be brief."})
    assert reply.text == "Hello from the vendor."
    assert reply.candidates[0].finish_reason is types.FinishReason.STOP
    usage = reply.usage_metadata
    assert (usage.prompt_token_count >= 11, usage.total_token_count) == (True, usage.prompt_token_count + 7)
    events = list(client.models.generate_content_stream(model=pool, contents="Hello!"))
    assert "".join(one.text for one in events) == "Hello from the vendor."
    assert events[-1].usage_metadata.total_token_count == usage.total_token_count
    assert [one.candidates[0].finish_reason for one in events if one.candidates[0].finish_reason] == [types.FinishReason.STOP]


@pytest.mark.parametrize("pool", ["chat", "claude", "gemini"])
def test_functions_are_called_automatically(client: genai.Client, pool: str) -> None:
    chat = client.chats.create(model=pool, config={"tools": [get_weather]})
    assert chat.send_message("weather in Paris?").text == "It is sunny in Paris."
    names = [part.function_response.name for turn in chat.get_history() for part in turn.parts if part.function_response]
    assert names == ["get_weather"]


@pytest.mark.parametrize("pool", ["chat", "claude", "gemini"])
def test_streamed_calls_are_whole(client: genai.Client, pool: str) -> None:
    config = {"tools": [get_weather], "automatic_function_calling": MANUAL}
    events = list(client.models.generate_content_stream(model=pool, contents="weather?", config=config))
    calls = [call for one in events for call in one.function_calls or ()]
    assert [(call.name, call.args) for call in calls] == [("get_weather", {"city": "Paris"})]


@pytest.mark.parametrize("pool", ["chat", "gemini"])
def test_structured_output_is_parsed(client: genai.Client, pool: str) -> None:
    config = {"response_mime_type": "application/json", "response_schema": Person}
    assert client.models.generate_content(model=pool, contents="Who?", config=config).parsed == Person(name="Ada", age=36)


@pytest.mark.parametrize("streamed", [False, True])
def test_thoughts_of_another_vendor_return_to_it(client: genai.Client, vendor: Upstream, *, streamed: bool) -> None:
    chat = client.chats.create(model="claude", config={"thinking_config": {"thinking_budget": 2000, "include_thoughts": True}})
    events = list(chat.send_message_stream("think")) if streamed else [chat.send_message("think")]
    parts = [part for one in events for part in one.candidates[0].content.parts]
    assert [part.text for part in parts if part.thought] == ["I think."]
    chat.send_message("Go on.")
    blocks = vendor.last.json["messages"][1]["content"]
    assert blocks[0] == {"type": "thinking", "thinking": "I think.", "signature": "c2ln"}


def test_a_conversation_moves_to_google(client: genai.Client, vendor: Upstream) -> None:
    config = {"tools": [get_weather], "thinking_config": {"thinking_budget": 2000}}
    chat = client.chats.create(model="claude", config=config)
    chat.send_message("think of the weather")
    config["automatic_function_calling"] = MANUAL
    moved = client.chats.create(model="gemini", config=config, history=chat.get_history())
    moved.send_message("Go on.")
    parts = [part for turn in vendor.last.json["contents"] for part in turn["parts"]]
    assert not any(part.get("thought") for part in parts)
    assert {part.get("thoughtSignature") for part in parts} <= {None, "skip_thought_signature_validator"}


def test_asyncio(proxy: str) -> None:
    async def run() -> tuple[str, str]:
        client = opened(proxy)
        reply = await client.aio.models.generate_content(model="chat", contents="Hello!")
        events = [one async for one in await client.aio.models.generate_content_stream(model="chat", contents="Hello!")]
        return reply.text or "", "".join(one.text or "" for one in events)

    assert asyncio.run(run()) == ("Hello from the vendor.", "Hello from the vendor.")


def test_embeddings_and_tokens(client: genai.Client) -> None:
    reply = client.models.embed_content(model="text-embeddings", contents=["a", "b"], config={"output_dimensionality": 3})
    assert [one.values for one in reply.embeddings] == [[0.5, -0.25, 0.0], [0.5, -0.25, 1.0]]
    assert client.models.count_tokens(model="chat", contents="Hello, you there!").total_tokens > 0


def test_model_list_has_pools_aliases_and_models(client: genai.Client) -> None:
    names = [one.name for one in client.models.list()]
    assert names[:4] == ["models/chat", "models/claude", "models/gemini", "models/text-embeddings"]
    assert {"models/gpt-4o", "models/gemini-2.5-flash", "models/model-g"} <= set(names)
    assert client.models.get(model="gpt-4o").display_name == "gpt-4o"


@pytest.mark.parametrize("pool", ["chat", "claude", "gemini"])
@pytest.mark.parametrize(
    ("prompt", "kind", "code", "status"),
    [
        ("fail 400", errors.ClientError, 400, "INVALID_ARGUMENT"),
        ("fail 500", errors.ServerError, 500, "INTERNAL"),
    ],
)
def test_failures_are_errors_of_the_package(
    client: genai.Client, pool: str, prompt: str, kind: Any, code: int, status: str
) -> None:
    for send in (client.models.generate_content, lambda **given: list(client.models.generate_content_stream(**given))):
        with pytest.raises(kind) as caught:
            send(model=pool, contents=prompt)
        assert (caught.value.code, caught.value.status) == (code, status)
        assert "vendor failed" in caught.value.message


@pytest.mark.parametrize("pool", ["chat", "claude", "gemini"])
def test_a_dying_stream_is_an_error(client: genai.Client, proxy: str, pool: str) -> None:
    with pytest.raises(Exception, match="incomplete chunked read"):
        list(client.models.generate_content_stream(model=pool, contents="die"))
    body = {"contents": [{"parts": [{"text": "die"}]}]}
    for query, start in (("?alt=sse", "data: "), ("", ",\r\n")):
        received = ""
        with httpx.stream("POST", f"{proxy}/v1beta/models/{pool}:streamGenerateContent{query}", json=body) as reply:
            with pytest.raises(httpx.RemoteProtocolError):
                for piece in reply.iter_text():
                    received += piece
        assert json.loads(received.strip().rpartition(start)[2])["error"]["status"] == "UNAVAILABLE"


def test_unknown_pool_and_blocked_prompt(client: genai.Client) -> None:
    with pytest.raises(errors.ClientError) as caught:
        client.models.generate_content(model="nothing", contents="Hello!")
    assert (caught.value.code, caught.value.status) == (404, "NOT_FOUND")
    reply = client.models.generate_content(model="gemini", contents="block")
    assert reply.prompt_feedback.block_reason is types.BlockedReason.SAFETY


def test_json_array_and_headers(proxy: str) -> None:
    body = {"contents": [{"parts": [{"text": "Hello!"}]}], "safety_settings": [{"category": "a", "threshold": "b"}]}
    for path in ("/v1beta/models/chat", "/v1/models/chat", "/v1beta/models/openai%2Fmodel-o"):
        reply = httpx.post(f"{proxy}{path}:streamGenerateContent", json=body)
        assert reply.headers["content-type"] == "application/json"
        texts = [part.get("text") for one in reply.json() for part in one["candidates"][0]["content"]["parts"]]
        assert "".join(texts) == "Hello from the vendor."
    assert reply.headers["x-modelmesh-model"] == "model-o"
    assert reply.headers["x-modelmesh-adapted"] == "safetySettings dropped: chat completions have none"


DEEP = b'{"contents":[{"parts":[{"text":"a"}]}],"content":{"parts":[{"text":"a"}]},"x":' + b"[" * 990 + b"]" * 990 + b"}"
"""A body that the JSON decoder accepts, and that a recursive function does not."""


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/v1beta/models/chat:generateContent", b"{", 400),
        ("POST", "/v1beta/models/chat:generateContent", b"{}", 400),
        ("POST", "/v1beta/models/chat:generateContent", DEEP, 400),
        ("POST", "/v1beta/models/chat:countTokens", DEEP, 400),
        ("POST", "/v1beta/models/text-embeddings:embedContent", DEEP, 400),
        ("POST", "/v1beta/models/chat:nothing", b"{}", 404),
        ("GET", "/v1beta/models/chat:generateContent", b"", 405),
        ("GET", "/v1beta/models/nothing", b"", 404),
        ("POST", "/v1beta/files", b"{}", 404),
        ("PUT", "/v1beta/models", b"", 405),
        ("POST", "/v1beta/models/text-embeddings:embedContent", b'{"content":{}}', 400),
    ],
)
def test_wrong_requests(proxy: str, method: str, path: str, body: bytes, status: int) -> None:
    reply = httpx.request(method, f"{proxy}{path}", content=body, headers={"content-type": "application/json"})
    error = reply.json()["error"]
    assert (reply.status_code, error["code"]) == (status, status)
    assert error.keys() == {"code", "message", "status"}
