"""What a vendor answers: packed, refused, broken; whole and streamed; over whatever transport."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from modelmesh.contracts import CHAT, FailureClass
from modelmesh.contracts.call import Call, Limits
from modelmesh.errors import (
    AuthenticationError,
    BadRequestError,
    BadUpstreamResponseError,
    ProviderConnectionError,
    ProviderError,
    ProviderServerError,
    RateLimitError,
)
from modelmesh_cdk import BaseProvider
from modelmesh_cdk.testing import Script, Upstream
from modelmesh_cdk.testing.upstream import completion, event, text_stream
from modelmesh_cdk.transport import Deadline, TransportError
from modelmesh_cdk.transport.httpcore2_transport import HttpcoreTransport


def made(upstream: Upstream, cls: type[BaseProvider] = BaseProvider, **settings: Any) -> BaseProvider:
    return cls(base_url=upstream.url, **{"api_key": "sk-test", **settings})


def text_of(chunks: Any) -> str:
    return "".join(one["choices"][0]["delta"].get("content") or "" for one in chunks)


# -- what comes back ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_compressed_response_is_decoded(encoding: str, ask: Callable[..., Any], upstream: Upstream) -> None:
    raw = json.dumps(completion("packed")).encode()
    upstream.then(Script(body=gzip.compress(raw) if encoding == "gzip" else raw, headers={"Content-Encoding": encoding}))
    assert ask(made(upstream)).body["choices"][0]["message"]["content"] == "packed"
    assert upstream.last.headers["accept-encoding"] == "gzip, deflate"


def test_compressed_stream_is_decoded(ask: Callable[..., Any], upstream: Upstream) -> None:
    packed = gzip.compress(b"".join(text_stream("pa", "cked")))
    pieces = [packed[place : place + 7] for place in range(0, len(packed), 7)]
    upstream.then(Script(body=pieces, headers={"Content-Encoding": "gzip"}, content_type="text/event-stream"))
    assert text_of(ask(made(upstream), stream=True)) == "packed"


class Keyless(BaseProvider):
    requires_key = False


def test_error_body_without_key_is_unchanged(ask: Callable[..., Any], upstream: Upstream) -> None:
    body = {"error": {"message": "no such thing", "code": "a_code"}}
    upstream.reply(body, 400)
    with pytest.raises(BadRequestError, match="no such thing") as caught:
        ask(Keyless(base_url=upstream.url))
    assert (caught.value.body, caught.value.code) == (body, "a_code")


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_finish_reason_error_raises_server_error(stream: bool, ask: Callable[..., Any], upstream: Upstream) -> None:
    if stream:
        upstream.stream(text_stream("HEL", finish="error"))
    else:
        answer = completion("HEL")
        answer["choices"][0]["finish_reason"] = "error"
        upstream.reply(answer)
    with pytest.raises(ProviderServerError, match="broke") as caught:
        ask(made(upstream), stream=stream)
    assert caught.value.failure is FailureClass.SERVER


FAILURES: dict[str, tuple[Script, type[ProviderError], FailureClass]] = {
    "401": (Script(401, b"{}"), AuthenticationError, FailureClass.CREDENTIAL),
    "500 without a body": (Script(500, b""), ProviderServerError, FailureClass.SERVER),
    "500 that is no json": (Script(500, b"\xff<html>"), ProviderServerError, FailureClass.SERVER),
    "400 that is badly packed": (Script(400, b"x", {"Content-Encoding": "gzip"}), BadRequestError, FailureClass.REFUSED),
    "302": (Script(302, b"", {"Location": "http://127.0.0.1:1/"}), BadUpstreamResponseError, FailureClass.MISCONFIGURED),
    "not offered": (Script(200, b"x", {"Content-Encoding": "br"}), BadUpstreamResponseError, FailureClass.PROTOCOL),
    "a bomb": (Script(200, gzip.compress(b"\0" * 5_000_000), {"Content-Encoding": "gzip"}), BadUpstreamResponseError, FailureClass.PROTOCOL),
    "a list": (Script(200, b"[]"), BadUpstreamResponseError, FailureClass.PROTOCOL),
    "an error under 200": (Script(200, b'{"error": {"code": 429, "message": "x"}}'), RateLimitError, FailureClass.THROTTLE),
    "an error of a known type": (Script(200, b'{"error": {"type": "overloaded_error"}}'), ProviderServerError, FailureClass.SERVER),
}  # fmt: skip


@pytest.mark.parametrize("case", FAILURES)
def test_failed_response_raises_error_of_its_class(case: str, ask: Callable[..., Any], upstream: Upstream) -> None:
    script, kind, failure = FAILURES[case]
    upstream.always(script)
    with pytest.raises(kind) as caught:
        ask(made(upstream))
    assert caught.value.failure is failure
    assert "sk-test" not in str(caught.value)


def test_error_has_request_id_and_redacted_body(ask: Callable[..., Any], upstream: Upstream) -> None:
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
    "too long": ([b"data: " + b"x" * (17 << 20)] * 2, FailureClass.PROTOCOL),
}


@pytest.mark.parametrize("case", STREAMS)
def test_unreadable_stream_raises_error_of_its_class(case: str, ask: Callable[..., Any], upstream: Upstream) -> None:
    pieces, failure = STREAMS[case]
    upstream.stream(pieces)
    with pytest.raises(ProviderError) as caught:
        ask(made(upstream), stream=True)
    assert caught.value.failure is failure


@pytest.mark.parametrize("kind", ["application/json", "text/html; charset=utf-8"])
def test_stream_of_other_content_type_raises(kind: str, ask: Callable[..., Any], upstream: Upstream) -> None:
    upstream.then(Script(body=b"{}", content_type=kind))
    with pytest.raises(BadUpstreamResponseError, match="not a stream of events"):
        ask(made(upstream), stream=True)


@pytest.mark.parametrize("value", [float("nan"), {1}, "\ud800"])
def test_unencodable_request_is_not_sent(value: Any, ask: Callable[..., Any], upstream: Upstream) -> None:
    with pytest.raises(BadRequestError, match="cannot be written as JSON"):
        ask(made(upstream), temperature=value)
    assert upstream.received == []


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


def test_custom_transport_sends_the_request(ask: Callable[..., Any]) -> None:
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


def test_invalid_header_value_is_not_quoted(upstream: Upstream) -> None:
    wire = HttpcoreTransport(upstream.url)
    with pytest.raises(TransportError) as caught:
        wire.send("POST", upstream.url, [("X-Key", "sk-test\n")], b"", Deadline(connect=9, phase=9, total=9, gap=9))
    wire.close()
    assert str(caught.value) == "LocalProtocolError: Illegal header value"
    assert upstream.received == []


def test_custom_transport_error_is_a_provider_error(ask: Callable[..., Any]) -> None:
    error = TransportError(FailureClass.CONNECT, "the pigeon is ill")
    provider = BaseProvider(
        base_url="http://nowhere.test", api_key="t", transport=Wire(error=error), async_transport=AsyncWire(error=error)
    )
    with pytest.raises(ProviderConnectionError, match=r"no answer from nowhere.test: the pigeon is ill"):
        ask(provider)


def test_sync_client_of_the_caller_is_used_and_not_closed(upstream: Upstream) -> None:
    seen = []
    with httpx2.Client(event_hooks={"request": [seen.append]}) as client:
        provider = made(upstream, http_client=client)
        for _ in range(2):
            provider.send(Call(CHAT, "x", {"messages": []}), "m", Limits())
        provider.close()
        assert len(seen) == len(upstream.received) == 2
        assert not client.is_closed


def test_async_client_of_the_caller_is_used_and_not_closed(upstream: Upstream) -> None:
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


def test_provider_works_in_successive_event_loops(upstream: Upstream) -> None:
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
