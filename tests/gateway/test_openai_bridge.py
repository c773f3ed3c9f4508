"""``as_openai()`` and ``as_async_openai()``: the official SDK with a mesh as its transport."""

from __future__ import annotations

import asyncio
import copy
import gc
import json
from collections.abc import Callable
from typing import Any

import httpx2
import openai
import pytest
from pydantic import BaseModel

import modelmesh
from modelmesh.integrations.openai import async_transport, transport
from modelmesh.testing import MockResponse, mock_client
from modelmesh_cdk.testing.upstream import CONTINUE, Script, completion, event, text_stream

MESSAGES: list[Any] = [{"role": "user", "content": "Hello!"}]
CHAT: dict[str, Any] = {"model": "chat-completion", "messages": MESSAGES}


def text_of(chunks: list[Any]) -> str:
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


def test_a_genuine_client_without_socket_and_key(no_sockets: None) -> None:
    with mock_client([MockResponse("Hi")]) as client:
        sdk = client.as_openai()
        assert type(sdk) is openai.OpenAI
        assert sdk.chat.completions.create(**CHAT).choices[0].message.content == "Hi"
        assert text_of(list(sdk.chat.completions.create(**CHAT, stream=True))) == "Hi"
        assert next(iter(sdk.models.list())).id == "chat-completion"


def test_the_asynchronous_client(mesh: modelmesh.ModelMesh) -> None:
    async def main() -> None:
        sdk = mesh.get_client().as_async_openai()
        assert type(sdk) is openai.AsyncOpenAI
        reply = await sdk.chat.completions.create(**CHAT)
        assert reply.choices[0].message.content == "Hello!"
        async with await sdk.chat.completions.create(**CHAT, stream=True) as stream:
            assert text_of([chunk async for chunk in stream]) == "Hello!"
        assert (await sdk.models.retrieve("model-a")).owned_by == "a"
        await sdk.close()
        assert (await mesh.as_async_openai().chat.completions.create(**CHAT)).choices

    asyncio.run(main())


def test_closing_the_sdk_does_not_close_the_mesh(mesh: modelmesh.ModelMesh) -> None:
    with mesh.client.as_openai() as sdk:
        sdk.chat.completions.create(**CHAT)
    assert mesh.client.chat.completions.create(**CHAT).content == "Hello!"


@pytest.mark.parametrize("name", ["as_openai", "as_async_openai", "as_anthropic", "as_async_anthropic"])
def test_a_deep_copy_shares_the_mesh(mesh: modelmesh.ModelMesh, name: str) -> None:
    sdk = getattr(mesh, name)(timeout=7)
    assert sdk.models  # a cached part of the client
    copied = copy.deepcopy({"client": sdk.with_options(timeout=9)})["client"]
    assert type(copied) is type(sdk)
    assert copied is not sdk
    assert copied.timeout == 9
    assert copied._client is sdk._client
    found = copied.models.list()
    names = found if "async" not in name else asyncio.run(_all(found))
    assert [model.id for model in names] == ["chat-completion", "model-a"]


async def _all(pages: Any) -> list[Any]:
    return [one async for one in pages]


@pytest.mark.parametrize("arguments", [{}, {"stream": True}])
def test_the_same_as_the_sdk_at_the_vendor(upstream: Any, mesh: modelmesh.ModelMesh, arguments: dict[str, Any]) -> None:
    """Only the model differs from the vendor's answer, which the mesh names by its configured ID."""
    more: dict[str, Any] = {
        "temperature": 0.25,
        "tools": [{"type": "function", "function": {"name": "look_up", "parameters": {"type": "object", "properties": {}}}}],
        "metadata": {"who": "test"},
        "extra_body": {"vendor_option": [1, None, {"deep": "ü"}]},
        "extra_headers": {"X-Own": "1"},
        "extra_query": {"page": "2"},
        **arguments,
    }
    direct = openai.OpenAI(base_url=f"{upstream.url}/v1", api_key="test", max_retries=0)
    found, sent = [], []
    for sdk, model in ((direct, "model-a"), (mesh.as_openai(), "chat-completion")):
        reply: Any = sdk.chat.completions.create(model=model, messages=MESSAGES, **more)
        found.append([one.to_dict() for one in reply] if arguments else reply.to_dict())
        sent.append(upstream.last)
        sdk.close()
    assert found[0] == found[1]
    first, second = (request.json for request in sent)
    second.pop("stream_options", None)  # the mesh requests usage of every stream
    assert first == second
    assert sent[1].path == sent[0].path == "/v1/chat/completions?page=2"
    assert sent[1].headers["x-own"] == "1"
    assert sent[1].headers["authorization"] == "Bearer sk-test-a"
    assert not [name for name in sent[1].headers if name.startswith("x-stainless")]
    assert "OpenAI/Python" not in sent[1].headers["user-agent"]


class City(BaseModel):
    name: str


def test_parse_stream_and_raw_responses(upstream: Any, mesh: modelmesh.ModelMesh) -> None:
    sdk = mesh.as_openai()
    upstream.reply(completion('{"name": "Oslo"}'))
    parsed = sdk.chat.completions.parse(**CHAT, response_format=City)
    assert parsed.choices[0].message.parsed == City(name="Oslo")
    with sdk.chat.completions.stream(**CHAT) as stream:
        assert stream.get_final_completion().choices[0].message.content == "Hello!"
    raw = sdk.chat.completions.with_raw_response.create(**CHAT)
    assert raw.headers["x-modelmesh-model"] == "model-a"
    assert raw.headers["x-modelmesh-provider"] == "a"
    assert raw.headers["x-modelmesh-attempts"] == "1"
    assert raw.request_id == raw.headers["x-request-id"]
    assert raw.parse().choices[0].message.content == "Hello!"
    with sdk.chat.completions.with_streaming_response.create(**CHAT, stream=True) as opened:
        lines = list(opened.iter_lines())
    assert lines[-2] == "data: [DONE]"


def test_the_vendors_headers_and_request_id(upstream: Any, mesh: modelmesh.ModelMesh) -> None:
    upstream.reply(completion(), x_request_id="req-vendor", x_ratelimit_remaining_requests="7", set_cookie="a=b")
    raw = mesh.as_openai().chat.completions.with_raw_response.create(**CHAT)
    assert raw.request_id == "req-vendor"
    assert raw.headers["x-ratelimit-remaining-requests"] == "7"
    assert "set-cookie" not in raw.headers


def test_a_header_with_other_characters_than_ascii(upstream: Any, config: Callable[..., dict[str, Any]]) -> None:
    given = config(upstream.url)
    for section in given["providers"].values():
        section["api_key"] = "test-key"
    upstream.reply(completion(), x_request_id="req-test-key")
    with modelmesh.ModelMesh(given) as mesh:
        raw = mesh.as_openai().chat.completions.with_raw_response.create(**CHAT)
    assert raw.headers["x-request-id"] == "req-…"  # the key is masked in what the vendor sends


ERRORS: list[tuple[int, str | None, type[openai.APIStatusError]]] = [
    (400, "invalid_value", openai.BadRequestError),
    (401, "invalid_api_key", openai.AuthenticationError),
    (403, None, openai.PermissionDeniedError),
    (404, "model_not_found", openai.NotFoundError),
    (422, None, openai.UnprocessableEntityError),
    (429, "rate_limit_exceeded", openai.RateLimitError),
    (500, None, openai.InternalServerError),
    (503, None, openai.InternalServerError),
]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("status", "code", "kind"), ERRORS)
def test_errors_are_the_classes_of_the_sdk(
    upstream: Any, config: Callable[..., dict[str, Any]], status: int, code: str | None, kind: type[Any], stream: bool
) -> None:
    upstream.always(Script(status, json.dumps({"error": {"message": "no", "type": "t", "code": code}}).encode()))
    with modelmesh.ModelMesh(config(upstream.url, retry={"max_attempts": 1})) as mesh:
        with pytest.raises(kind) as caught:
            mesh.as_openai().chat.completions.create(**CHAT, stream=stream)
    error: Any = caught.value
    assert type(error) is kind
    assert error.body.keys() >= {"message", "type", "param", "code"}
    assert error.response.headers["x-request-id"]
    assert error.response.headers["x-modelmesh-attempts"]


def test_a_rate_limit_states_when_to_retry(upstream: Any, mesh: modelmesh.ModelMesh) -> None:
    upstream.always(Script(429, b'{"error": {"message": "slow"}}', {"retry-after": "30"}))
    with pytest.raises(openai.RateLimitError) as caught:
        mesh.as_openai().chat.completions.create(**CHAT, timeout=1)
    assert 25 <= int(caught.value.response.headers["retry-after"]) <= 40


def test_a_time_limit_of_the_sdk_limits_the_request(upstream: Any, mesh: modelmesh.ModelMesh) -> None:
    upstream.always(Script(delay=5))
    with pytest.raises(openai.APITimeoutError) as caught:
        mesh.as_openai(timeout=0.2).chat.completions.create(**CHAT)
    assert isinstance(caught.value.__cause__, httpx2.TimeoutException)
    with pytest.raises(openai.APITimeoutError):
        mesh.as_openai().with_options(timeout=0.2).chat.completions.create(**CHAT)


def test_no_connection(config: Callable[..., dict[str, Any]], refused: str) -> None:
    with (
        modelmesh.ModelMesh(config(refused, retry={"max_attempts": 1})) as mesh,
        pytest.raises(openai.APIConnectionError) as caught,
    ):
        mesh.as_openai().chat.completions.create(**CHAT)
    assert "refused" in str(caught.value.__cause__)


def requests_of(sdk: Any, caplog: pytest.LogCaptureFixture) -> int:
    """Return how many requests the SDK sent for a chat that fails."""
    caplog.set_level("INFO", logger="httpx2")
    caplog.clear()
    with pytest.raises((openai.InternalServerError, openai.RateLimitError)):
        sdk.chat.completions.create(**CHAT)
    return sum("HTTP Request" in record.message for record in caplog.records)


def test_the_sdk_retries_only_on_request(
    upstream: Any, config: Callable[..., dict[str, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    upstream.always(Script(503, b"{}"))
    settings = config(upstream.url, retry={"max_attempts": 1}, deactivation={"retry_limit": 10})
    with modelmesh.ModelMesh(settings) as mesh:
        http = httpx2.Client(transport=transport(mesh))
        assert requests_of(mesh.as_openai(), caplog) == 1
        assert requests_of(mesh.as_openai(max_retries=1), caplog) == 2
        forbidden = openai.OpenAI(http_client=http, api_key="any", max_retries=1)  # the mesh has retried
        assert requests_of(forbidden, caplog) == 1


def test_the_sdk_does_not_wait_for_an_open_circuit(
    upstream: Any, config: Callable[..., dict[str, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    upstream.always(Script(503, b"{}"))
    settings = config(upstream.url, retry={"max_attempts": 1}, deactivation={"retry_limit": 1}, recovery={"cooldown": "60s"})
    with modelmesh.ModelMesh(settings) as mesh:
        requests_of(mesh.as_openai(), caplog)
        assert requests_of(mesh.as_openai(max_retries=2), caplog) == 1
        with pytest.raises(openai.InternalServerError) as caught:
            mesh.as_openai(max_retries=2).chat.completions.create(**CHAT)
    headers = caught.value.response.headers
    assert headers["x-should-retry"] == "false"
    assert int(headers["retry-after"]) > 30


def test_an_interrupted_stream_ends_with_one_error(upstream: Any, mesh: modelmesh.ModelMesh) -> None:
    upstream.stream(text_stream("Hel", "lo", finish=None, done=False), cut=True)
    pieces = []
    with pytest.raises(openai.APIError, match="broke off") as caught:
        for chunk in mesh.as_openai().chat.completions.create(**CHAT, stream=True):
            pieces.append(chunk.choices[0].delta.content or "")
    assert "".join(pieces) == "Hello"
    assert caught.value.code == "stream_interrupted"
    upstream.stream(text_stream("Hel", finish=None, done=False), cut=True)
    with mesh.as_openai().chat.completions.with_streaming_response.create(**CHAT, stream=True) as opened:
        lines = list(filter(None, opened.iter_lines()))
    assert json.loads(lines[-1].removeprefix("data: "))["error"]["code"] == "stream_interrupted"
    assert "data: [DONE]" not in lines


@pytest.mark.parametrize("read", [0, 1])
def test_leaving_a_stream_closes_that_of_the_vendor(upstream: Any, mesh: modelmesh.ModelMesh, read: int) -> None:
    upstream.stream([*text_stream("Hel", "lo", finish=None, done=False), CONTINUE])
    with mesh.as_openai().chat.completions.create(**CHAT, stream=True) as stream:
        for _ in range(read):
            next(stream)
    assert upstream.abandoned.wait(5)
    assert mesh.usage.estimated_requests == 1


@pytest.mark.parametrize("read", [0, 1])
def test_leaving_an_asynchronous_stream(upstream: Any, mesh: modelmesh.ModelMesh, read: int) -> None:
    upstream.stream([*text_stream("Hel", "lo", finish=None, done=False), CONTINUE])

    async def main() -> None:
        async with await mesh.as_async_openai().chat.completions.create(**CHAT, stream=True) as stream:
            for _ in range(read):
                await anext(stream)
        await asyncio.to_thread(upstream.abandoned.wait, 5)

    asyncio.run(main())
    assert upstream.abandoned.is_set()
    gc.collect()


USAGE = {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}


@pytest.mark.parametrize("read", [0, 1])
def test_dropped_streams_are_recorded_with_the_usage_that_has_arrived(
    upstream: Any, mesh: modelmesh.ModelMesh, read: int
) -> None:
    """Several at once: the collector finalizes the parts of each stream in an order of its own."""
    events = text_stream("Hel", "lo", done=False)
    for _ in range(3):
        upstream.stream([*events, event({"choices": [], "usage": USAGE}), event("[DONE]")])
    sdk = mesh.as_openai()
    for _ in range(3):
        stream = iter(sdk.chat.completions.create(**CHAT, stream=True))
        for _ in range(read):
            next(stream)
        del stream
    gc.collect()
    total = mesh.usage.total
    assert (total.total_requests, total.prompt_tokens, total.completion_tokens) == (3, 15, 21)
    assert mesh.list_pools()[0].members[0].in_flight == 0


def test_dropped_asynchronous_streams_are_recorded(upstream: Any, mesh: modelmesh.ModelMesh) -> None:
    async def main() -> None:
        sdk = mesh.as_async_openai()
        for read in (0, 1, 1):
            stream = await sdk.chat.completions.create(**CHAT, stream=True)
            if read:
                await anext(aiter(stream))
            del stream
        gc.collect()
        for _ in range(100):
            await asyncio.sleep(0.01)
            if mesh.usage.total.total_requests == 3:
                break

    asyncio.run(main())
    assert mesh.usage.total.total_requests == 3
    assert mesh.list_pools()[0].members[0].in_flight == 0


def test_options_of_the_client_apply(upstream: Any, other: Any, config: Callable[..., dict[str, Any]]) -> None:
    with modelmesh.ModelMesh(config(upstream.url, other.url)) as mesh:
        client = mesh.client.with_options(only_providers=["b"], default_headers={"X-Team": "blue"})
        assert client.as_openai().chat.completions.create(**CHAT).model == "model-b"
        assert other.last.headers["x-team"] == "blue"
        sdk = mesh.as_openai()
        reply = sdk.chat.completions.create(**CHAT, extra_headers={"x-modelmesh-only-providers": "b"})
        assert reply.model == "model-b"
        assert "x-modelmesh-only-providers" not in other.last.headers
        with pytest.raises(openai.BadRequestError, match="no option"):
            sdk.chat.completions.create(**CHAT, extra_headers={"x-modelmesh-only": "b"})


def test_an_own_client_over_the_transport(mesh: modelmesh.ModelMesh) -> None:
    http = httpx2.Client(transport=transport(mesh.client))
    sdk = openai.OpenAI(http_client=http, api_key="any", base_url="http://anything/v1")
    assert sdk.chat.completions.create(**CHAT).choices[0].message.content == "Hello!"
    http.close()

    async def main() -> str | None:
        async with httpx2.AsyncClient(transport=async_transport(mesh)) as http:
            sdk = openai.AsyncOpenAI(http_client=http, api_key="any")
            return (await sdk.chat.completions.create(**CHAT)).choices[0].message.content

    assert asyncio.run(main()) == "Hello!"


def test_models_as_in_the_sdk(mesh: modelmesh.ModelMesh) -> None:
    sdk = mesh.as_openai()
    assert [model.id for model in sdk.models.list()] == ["chat-completion", "model-a"]
    card = sdk.models.retrieve("chat-completion")
    assert card.created == 0  # unknown, since the type requires a number
    type(card).model_validate(card.to_dict())
    assert sdk.models.retrieve("a/model-a").id == "model-a"
    with pytest.raises(openai.NotFoundError, match="no pool and no model 'gone'"):
        sdk.models.retrieve("gone")


def test_without_the_package(monkeypatch: pytest.MonkeyPatch, mesh: modelmesh.ModelMesh) -> None:
    import importlib

    real = importlib.import_module

    def missing(name: str, *rest: Any) -> Any:
        if name in ("openai", "anthropic", "httpx2"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real(name, *rest)

    monkeypatch.setattr(importlib, "import_module", missing)
    for make in (mesh.as_openai, mesh.as_async_openai, lambda: transport(mesh)):
        with pytest.raises(ModuleNotFoundError, match=r"pip install 'modelmesh-core\[openai\]'"):
            make()
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'modelmesh-core\[anthropic\]'"):
        mesh.as_anthropic()


def test_a_shut_down_mesh(config: Callable[..., dict[str, Any]], upstream: Any) -> None:
    mesh = modelmesh.ModelMesh(config(upstream.url))
    sdk = mesh.as_openai()
    mesh.shutdown()
    with pytest.raises(openai.InternalServerError, match="shut down"):
        sdk.chat.completions.create(**CHAT)
