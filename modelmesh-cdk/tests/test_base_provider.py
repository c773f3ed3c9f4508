"""A provider over HTTP: every hook takes effect by itself, from threads and from tasks."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from modelmesh.contracts.call import Call, CallOptions, Limits
from modelmesh.contracts.models import ModelInfo, ModelPricing
from modelmesh.errors import (
    AuthenticationError,
    BadRequestError,
    BadUpstreamResponseError,
    ConfigurationError,
    ProviderConnectionError,
    ProviderError,
    ProviderServerError,
    RateLimitError,
)
from modelmesh.operations import CHAT, EMBEDDINGS, SPEECH
from modelmesh.routing.classes import FailureClass
from modelmesh.secret import Secret
from modelmesh_cdk import BaseProvider, BaseProviderConfig, OpenAICompatibleProvider
from modelmesh_cdk.testing import Script, Upstream
from modelmesh_cdk.testing.upstream import chunk, completion, event, text_stream
from modelmesh_cdk.transport import TransportError


def made(upstream: Upstream, cls: type[BaseProvider] = BaseProvider, **settings: Any) -> BaseProvider:
    return cls(base_url=upstream.url, **{"api_key": "sk-test", **settings})


def text_of(chunks: Any) -> str:
    return "".join(one["choices"][0]["delta"].get("content") or "" for one in chunks)


# -- what is sent ------------------------------------------------------------------------------------------------------


def test_as_it_comes(ask: Callable[..., Any], upstream: Upstream) -> None:
    answer = ask(made(upstream), temperature=0.5, unheard_of={"a": 1})
    assert answer.body["choices"][0]["message"]["content"] == "Hello!"
    sent = upstream.last
    assert (sent.method, sent.path) == ("POST", "/v1/chat/completions")
    assert sent.json == {
        "model": "test-model",
        "messages": [{"role": "user", "content": "Hello!"}],
        "temperature": 0.5,
        "unheard_of": {"a": 1},
    }
    assert sent.headers["authorization"] == "Bearer sk-test"
    assert sent.headers["content-type"] == sent.headers["accept"] == "application/json"
    assert sent.headers["user-agent"].startswith("modelmesh/")


def test_a_stream_as_it_comes(ask: Callable[..., Any], upstream: Upstream) -> None:
    chunks = ask(made(upstream), stream=True)
    assert text_of(chunks) == "Hello!"
    assert {one["object"] for one in chunks} == {"chat.completion.chunk"}
    assert upstream.last.json["stream"] is True
    assert upstream.last.headers["accept"] == "text/event-stream"


class OwnHeaders(BaseProvider):
    def _build_headers(self) -> dict[str, str]:
        return {**super()._build_headers(), "x-api-key": self._api_key.reveal() if self._api_key else "", "User-Agent": "acme/1"}


class OwnPayload(BaseProvider):
    def _build_request_payload(self, request: Any) -> dict[str, Any]:
        request.adapted.append("renamed messages")
        return {
            "prompt": request.messages[0]["content"],
            "nothing": request.temperature,
            "model": request.model.upper(),
            "stream": request.stream,
        }


class OwnEndpoint(BaseProvider):
    def _get_completion_endpoint(self) -> str:
        return f"{self._root}/deployments/x?api-version=1"


class OwnAnswer(BaseProvider):
    def _parse_response(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"choices": [{"message": {"content": data["id"] + "!"}}], **data["usage"]}


class OwnChunk(BaseProvider):
    def _parse_sse_chunk(self, data: str) -> dict[str, Any] | None:
        return None if data == "skip" else chunk({"content": data.upper()})


class Decoder:
    def __init__(self) -> None:
        self.done, self.seen = False, 0

    def decode(self, one: Any) -> list[dict[str, Any]]:
        self.seen += 1
        self.done = one.name == "end"
        return [] if self.done else [chunk({"content": f"{self.seen}{one.data.decode()}"})]


class OwnDecoder(BaseProvider):
    def _stream_decoder(self, request: Any) -> Any:
        return Decoder()


class OwnClassifier(BaseProvider):
    def _classify(self, status: int, code: str | None, headers: Any, body: Any) -> FailureClass:
        return FailureClass.THROTTLE if status == 418 and code == "tea" else super()._classify(status, code, headers, body)


class OwnError(BaseProvider):
    def _error_code(self, body: Any) -> str | None:
        return body["fault"]["kind"]

    def _error_text(self, body: Any) -> str:
        return body["fault"]["why"]


def test_own_headers(ask: Callable[..., Any], upstream: Upstream) -> None:
    ask(made(upstream, OwnHeaders))
    assert upstream.last.headers["x-api-key"] == "sk-test"
    assert upstream.last.headers["user-agent"] == "acme/1"


@pytest.mark.parametrize("stream", [False, True])
def test_own_payload(stream: bool, ask: Callable[..., Any], upstream: Upstream) -> None:
    upstream.always(Script(body=text_stream("x"), content_type="text/event-stream") if stream else None)
    if not stream:
        upstream.reply(completion())
    answer = ask(made(upstream, OwnPayload), stream=stream)
    assert upstream.last.json == {"prompt": "Hello!", "nothing": None, "model": "TEST-MODEL", "stream": stream}
    if not stream:
        assert answer.adapted == ["renamed messages"]


def test_own_endpoint(ask: Callable[..., Any], upstream: Upstream) -> None:
    ask(made(upstream, OwnEndpoint), options=CallOptions(query={"a": ["1", "2"], "b": "ü"}))
    assert upstream.last.path == "/v1/deployments/x?api-version=1&a=1&a=2&b=%C3%BC"


def test_own_answer(ask: Callable[..., Any], upstream: Upstream) -> None:
    answer = ask(made(upstream, OwnAnswer))
    assert answer.body["choices"][0]["message"]["content"] == "chatcmpl-test!"
    assert answer.body["total_tokens"] == 7


def test_own_chunks(ask: Callable[..., Any], upstream: Upstream) -> None:
    upstream.stream([event("a"), event("skip"), event("b"), event("[DONE]")])
    assert text_of(ask(made(upstream, OwnChunk), stream=True)) == "AB"


def test_own_decoder(ask: Callable[..., Any], upstream: Upstream) -> None:
    upstream.stream([event("a"), event("b"), b"event: end\ndata: x\n\n", event("after")])
    assert text_of(ask(made(upstream, OwnDecoder), stream=True)) == "1a2b"


def test_own_classes_of_failure(ask: Callable[..., Any], upstream: Upstream) -> None:
    upstream.fail(418, "tea", retry_after="7")
    with pytest.raises(RateLimitError) as caught:
        ask(made(upstream, OwnClassifier))
    assert (caught.value.retry_after, caught.value.code, caught.value.status) == (7.0, "tea", 418)
    upstream.fail(418, "coffee")
    with pytest.raises(BadRequestError):
        ask(made(upstream, OwnClassifier))


def test_own_errors(ask: Callable[..., Any], upstream: Upstream) -> None:
    upstream.reply({"fault": {"kind": "bad_color", "why": "no such color"}}, 400)
    with pytest.raises(BadRequestError, match=r"HTTP 400 bad_color\): no such color"):
        ask(made(upstream, OwnError))


@pytest.mark.parametrize(("operation", "path"), [(EMBEDDINGS, "/v1/embeddings"), (SPEECH, "/v1/audio/speech")])
def test_other_operations_stand_beside_it(operation: Any, path: str, upstream: Upstream) -> None:
    upstream.then(Script(body=b'{"data": [1]}'))
    provider = made(upstream)
    answer = provider.send(Call(operation, "x", {"input": "a"}), "m", Limits())
    provider.close()
    assert upstream.last.path == path
    assert answer.body == (b'{"data": [1]}' if operation is SPEECH else {"data": [1]})


# -- headers -----------------------------------------------------------------------------------------------------------


def test_headers_of_the_call_go_before_those_of_the_configuration_before_our_own(
    ask: Callable[..., Any], upstream: Upstream
) -> None:
    provider = made(upstream, headers={"X-A": Secret("config-test"), "X-B": "config", "User-Agent": "mine"})
    ask(provider, options=CallOptions(headers={"x-b": "call", "Accept": "x/y"}))
    sent = upstream.last.headers
    assert (sent["x-a"], sent["x-b"], sent["user-agent"], sent["accept"]) == ("config-test", "call", "mine", "x/y")


@pytest.mark.parametrize("headers", [{"X-A": "a\r\nX-Evil: 1"}, {"X-A\n": "a"}, {"X-A": "a\0"}])
def test_an_extra_header_with_a_line_break_is_refused(
    headers: dict[str, str], ask: Callable[..., Any], upstream: Upstream
) -> None:
    with pytest.raises(BadRequestError, match="holds a line break; nothing was sent") as caught:
        ask(made(upstream), options=CallOptions(headers=headers))
    assert caught.value.failure is FailureClass.CALLER
    assert upstream.received == []


def test_options_of_openai_compatible_vendors(ask: Callable[..., Any], upstream: Upstream) -> None:
    ask(made(upstream, OpenAICompatibleProvider, organization="org-test", project="p"))
    assert upstream.last.headers["openai-organization"] == "org-test"
    assert upstream.last.headers["openai-project"] == "p"


# -- what comes back ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_a_packed_answer(encoding: str, ask: Callable[..., Any], upstream: Upstream) -> None:
    raw = json.dumps(completion("packed")).encode()
    upstream.then(Script(body=gzip.compress(raw) if encoding == "gzip" else raw, headers={"Content-Encoding": encoding}))
    assert ask(made(upstream)).body["choices"][0]["message"]["content"] == "packed"
    assert upstream.last.headers["accept-encoding"] == "gzip, deflate"


def test_a_packed_stream(ask: Callable[..., Any], upstream: Upstream) -> None:
    packed = gzip.compress(b"".join(text_stream("pa", "cked")))
    pieces = [packed[place : place + 7] for place in range(0, len(packed), 7)]
    upstream.then(Script(body=pieces, headers={"Content-Encoding": "gzip"}, content_type="text/event-stream"))
    assert text_of(ask(made(upstream), stream=True)) == "packed"


FAILURES: dict[str, tuple[Script, type[ProviderError], FailureClass]] = {
    "401": (Script(401, b"{}"), AuthenticationError, FailureClass.CREDENTIAL),
    "500 without a body": (Script(500, b""), ProviderServerError, FailureClass.SERVER),
    "500 that is no json": (Script(500, b"\xff<html>"), ProviderServerError, FailureClass.SERVER),
    "400 that is badly packed": (Script(400, b"x", {"Content-Encoding": "gzip"}), BadRequestError, FailureClass.CALLER),
    "302": (Script(302, b"", {"Location": "http://127.0.0.1:1/"}), BadUpstreamResponseError, FailureClass.MISCONFIGURED),
    "not offered": (Script(200, b"x", {"Content-Encoding": "br"}), BadUpstreamResponseError, FailureClass.PROTOCOL),
    "a bomb": (Script(200, gzip.compress(b"\0" * 5_000_000), {"Content-Encoding": "gzip"}), BadUpstreamResponseError, FailureClass.PROTOCOL),
    "a list": (Script(200, b"[]"), BadUpstreamResponseError, FailureClass.PROTOCOL),
    "an error under 200": (Script(200, b'{"error": {"code": 429, "message": "x"}}'), RateLimitError, FailureClass.THROTTLE),
    "an error of a known type": (Script(200, b'{"error": {"type": "overloaded_error"}}'), ProviderServerError, FailureClass.SERVER),
}  # fmt: skip


@pytest.mark.parametrize("case", FAILURES)
def test_failures(case: str, ask: Callable[..., Any], upstream: Upstream) -> None:
    script, kind, failure = FAILURES[case]
    upstream.always(script)
    with pytest.raises(kind) as caught:
        ask(made(upstream))
    assert caught.value.failure is failure
    assert "sk-test" not in str(caught.value)


def test_the_request_id_and_the_blanked_body_of_a_refusal(ask: Callable[..., Any], upstream: Upstream) -> None:
    upstream.reply({"error": {"message": "bad key sk-test-long", "sk-test-long": ["sk-test-long"]}}, 400, x_request_id="req-1")
    with pytest.raises(BadRequestError, match="bad key …") as caught:
        ask(made(upstream, api_key="sk-test-long"))
    assert caught.value.request_id == "req-1"
    assert caught.value.body == {"error": {"message": "bad key …", "…": ["…"]}}


STREAMS: dict[str, tuple[Any, FailureClass]] = {
    "not json": ([event("{oops")], FailureClass.PROTOCOL),
    "no object": ([event([1])], FailureClass.PROTOCOL),
    "an error": ([event({"error": {"code": "rate_limit_exceeded"}})], FailureClass.THROTTLE),
    "bad utf-8": ([b"data: \xff\n\n"], FailureClass.PROTOCOL),
    "too long": ([b"data: " + b"x" * 600_000] * 2, FailureClass.PROTOCOL),
}


@pytest.mark.parametrize("case", STREAMS)
def test_streams_that_cannot_be_read(case: str, ask: Callable[..., Any], upstream: Upstream) -> None:
    pieces, failure = STREAMS[case]
    upstream.stream(pieces)
    with pytest.raises(ProviderError) as caught:
        ask(made(upstream), stream=True)
    assert caught.value.failure is failure


@pytest.mark.parametrize("kind", ["application/json", "text/html; charset=utf-8"])
def test_a_stream_that_is_none(kind: str, ask: Callable[..., Any], upstream: Upstream) -> None:
    upstream.then(Script(body=b"{}", content_type=kind))
    with pytest.raises(BadUpstreamResponseError, match="not a stream of events"):
        ask(made(upstream), stream=True)


@pytest.mark.parametrize("value", [float("nan"), {1}, "\ud800"])
def test_what_cannot_be_written_is_not_sent(value: Any, ask: Callable[..., Any], upstream: Upstream) -> None:
    with pytest.raises(BadRequestError, match="cannot be written as JSON"):
        ask(made(upstream), temperature=value)
    assert upstream.received == []


# -- settings ----------------------------------------------------------------------------------------------------------


def test_the_key_and_the_address_from_the_environment(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch, ask: Callable[..., Any]
) -> None:
    class Vendor(BaseProvider):
        id, api_key_variable, base_url_variable, default_base_url = (
            "acme.llm.v1",
            "ACME_API_KEY",
            "ACME_BASE_URL",
            "https://api.acme.test",
        )

    with pytest.raises(
        ConfigurationError, match=r"acme.llm.v1 has no API key; set api_key, or the variable: export ACME_API_KEY="
    ):
        Vendor()
    monkeypatch.setenv("ACME_API_KEY", "env-test")
    assert repr(Vendor()) == "<Vendor acme.llm.v1 at api.acme.test>"
    monkeypatch.setenv("ACME_BASE_URL", upstream.url)
    ask(Vendor())
    assert upstream.last.headers["authorization"] == "Bearer env-test"
    with pytest.raises(ConfigurationError, match="has no usable base_url: 'nowhere' is not an HTTP address"):
        Vendor(base_url="nowhere")


def test_settings_as_an_object_a_map_or_by_name() -> None:
    forms = [
        BaseProvider(BaseProviderConfig(base_url="http://x", api_key=Secret("k-test"), options={"region": "eu"})),
        BaseProvider({"base_url": "http://x", "api_key": "k-test", "region": "eu"}),
        BaseProvider(base_url="http://x", api_key="k-test", region="eu"),
        BaseProvider.from_config({"base_url": "http://x", "api_key": "k-test", "options": {"region": "eu"}}),
    ]
    assert len({repr(one.config) for one in forms}) == 1
    for one in forms:
        assert one.config == forms[0].config
        assert one.config.options == {"region": "eu"}
        assert "k-test" not in repr(one) + repr(one.config)


def test_the_catalogue() -> None:
    price = ModelPricing(1.0, 2.0)
    provider = BaseProvider(
        base_url="http://x",
        api_key="t",
        models=["a", {"id": "b", "context_window": 9, "colour": "red"}, ModelInfo("c", upstream="c-1", pricing=price)],
    )
    assert [info.id for info in provider.list_models()] == ["a", "b", "c"]
    assert provider.get_model_info("b").context_window == 9
    assert provider.get_model_info("b").extra["colour"] == "red"
    assert provider.get_model_info("c-1").id == "c"
    assert provider.get_pricing("c") is price
    for missing in ("a", "z"):
        with pytest.raises(KeyError):
            provider.get_pricing(missing)
    assert provider.supports(provider.get_capabilities()[0])
    assert not provider.supports("text-to-speech")


# -- connections -------------------------------------------------------------------------------------------------------


class Answered:
    def __init__(self, body: bytes, status: int = 200) -> None:
        self.status, self.headers, self.body, self.closed = status, {"content-type": "application/json"}, body, False

    def __iter__(self) -> Any:
        yield self.body

    async def __aiter__(self) -> Any:
        yield self.body

    def close(self) -> None:
        self.closed = True

    async def aclose(self) -> None:
        self.closed = True


class Wire:
    """A transport of the caller's own."""

    def __init__(self, body: bytes = b"{}", error: TransportError | None = None) -> None:
        self.answer, self.error, self.sent = Answered(body), error, []

    def send(self, *request: Any) -> Any:
        self.sent.append(request)
        if self.error:
            raise self.error
        return self.answer

    def close(self) -> None: ...


class AsyncWire(Wire):
    async def send(self, *request: Any) -> Any:
        return super().send(*request)

    async def aclose(self) -> None: ...


def test_own_transports(ask: Callable[..., Any]) -> None:
    raw = json.dumps(completion("by pigeon")).encode()
    wires = Wire(raw), AsyncWire(raw)
    provider = BaseProvider(base_url="http://nowhere.test", api_key="sk-test", transport=wires[0], async_transport=wires[1])
    assert ask(provider).body["choices"][0]["message"]["content"] == "by pigeon"
    (used,) = [wire for wire in wires if wire.sent]
    method, url, headers, body, deadline = used.sent[0]
    assert (method, url) == ("POST", "http://nowhere.test/v1/chat/completions")
    assert ("Authorization", "Bearer sk-test") in headers
    assert json.loads(body)["model"] == "test-model"
    assert not deadline.passed
    assert used.answer.closed


def test_an_own_transport_that_fails(ask: Callable[..., Any]) -> None:
    error = TransportError(FailureClass.NOT_SENT, "the pigeon is ill")
    provider = BaseProvider(
        base_url="http://nowhere.test", api_key="t", transport=Wire(error=error), async_transport=AsyncWire(error=error)
    )
    with pytest.raises(ProviderConnectionError, match=r"no answer from nowhere.test: the pigeon is ill"):
        ask(provider)


def test_a_callers_own_client_is_used_and_not_closed(upstream: Upstream) -> None:
    seen = []
    with httpx2.Client(event_hooks={"request": [seen.append]}) as client:
        provider = made(upstream, http_client=client)
        for _ in range(2):
            provider.send(Call(CHAT, "x", {"messages": []}), "m", Limits())
        provider.close()
        assert len(seen) == len(upstream.received) == 2
        assert not client.is_closed


def test_a_callers_own_asynchronous_client_is_used_and_not_closed(upstream: Upstream) -> None:
    seen = []

    async def hear(request: Any) -> None:
        seen.append(request)

    async def main() -> None:
        async with httpx2.AsyncClient(event_hooks={"request": [hear]}) as client:
            provider = made(upstream, http_async_client=client)
            await provider.asend(Call(CHAT, "x", {"messages": []}), "m", Limits())
            await provider.aclose()
            assert not client.is_closed

    asyncio.run(main())
    assert len(seen) == len(upstream.received) == 1


def test_two_event_loops_after_each_other_and_threads_between(upstream: Upstream) -> None:
    provider = made(upstream)
    call = Call(CHAT, "x", {"messages": []})

    async def main() -> Any:
        try:
            return [await provider.asend(call, "m", Limits()) for _ in range(2)]
        finally:
            await provider.aclose()

    answers = asyncio.run(main())
    answers.append(provider.send(call, "m", Limits()))
    answers += asyncio.run(main())
    provider.close()
    provider.close()
    answers.append(provider.send(call, "m", Limits()))  # a closed provider opens again when it is asked
    provider.close()
    assert [one.body["choices"][0]["message"]["content"] for one in answers] == ["Hello!"] * 6
