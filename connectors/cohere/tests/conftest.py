"""Fixtures of the Cohere tests: a fake vendor on loopback, and requests from a thread or a task."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from modelmesh_connector_cohere import CohereProvider

from modelmesh.contracts import CHAT, EMBEDDINGS
from modelmesh.contracts.call import Call, Limits
from modelmesh.contracts.provider import Answer
from modelmesh_cdk.testing import Upstream

MODEL = "command-a-03-2025"
LIMITS = Limits(total=20.0, first_content=10.0, gap=10.0, answer=10.0)


def event(data: dict[str, Any]) -> bytes:
    """Return one event in Cohere's format, which contains its type twice."""
    return b"event: %s\ndata: %s\n\n" % (data["type"].encode(), json.dumps(data).encode())


def content(text: str, index: int = 0, kind: str = "text", **more: Any) -> dict[str, Any]:
    return {"type": "content-delta", "index": index, "delta": {"message": {"content": {kind: text}}}, **more}


def block(*texts: str, index: int = 0, kind: str = "text") -> list[dict[str, Any]]:
    begun = {"type": kind, kind: ""}
    return [
        {"type": "content-start", "index": index, "delta": {"message": {"content": begun}}},
        *(content(text, index, kind) for text in texts),
        {"type": "content-end", "index": index},
    ]


def call(index: int, name: str, *pieces: str) -> list[dict[str, Any]]:
    head = {"id": f"{name}_{index}", "type": "function", "function": {"name": name, "arguments": ""}}
    return [
        {"type": "tool-call-start", "index": index, "delta": {"message": {"tool_calls": head}}},
        *(
            {"type": "tool-call-delta", "index": index, "delta": {"message": {"tool_calls": {"function": {"arguments": piece}}}}}
            for piece in pieces
        ),
        {"type": "tool-call-end", "index": index},
    ]


def plan(*pieces: str) -> list[dict[str, Any]]:
    return [{"type": "tool-plan-delta", "delta": {"message": {"tool_plan": piece}}} for piece in pieces]


def cited(index: int, **citation: Any) -> list[dict[str, Any]]:
    return [
        {"type": "citation-start", "index": index, "delta": {"message": {"citations": citation}}},
        {"type": "citation-end", "index": index},
    ]


USAGE = {
    "billed_units": {"input_tokens": 5, "output_tokens": 2},
    "tokens": {"input_tokens": 71.0, "output_tokens": 9},
    "cached_tokens": 16,
}
START = {
    "id": "c14c80c3-test",
    "type": "message-start",
    "delta": {"message": {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}},
}


def end(reason: str | None = "COMPLETE", **delta: Any) -> dict[str, Any]:
    return {"type": "message-end", "delta": {"finish_reason": reason, "usage": USAGE, **delta}}


def stream(*events: Any, done: bool = True) -> bytes:
    flat = [one for item in events for one in (item if isinstance(item, list) else [item])]
    return b"".join(map(event, flat)) + (b"data: [DONE]\n\n" if done else b"")


STREAMS: dict[str, bytes] = {
    "text": stream(START, block("Hel", "lo ✓", "!"), end()),
    "no [DONE]": stream(START, block("Hello"), end("STOP_SEQUENCE"), done=False),
    "thinking": stream(START, block("Let me ", "see.", kind="thinking"), block("It is so.", index=1), end("MAX_TOKENS")),
    "tools": stream(
        START,
        plan("I will ", "look."),
        call(0, "weather", '{"city":', ' "Oslo"}'),
        call(1, "clock"),
        end("TOOL_CALL"),
    ),
    "thought and tools": stream(
        START, block("Hm.", kind="thinking"), call(1, "weather", '{"city": "Oslo"}'), call(2, "weather", "{}"), end("TOOL_CALL")
    ),
    "citations": stream(
        START,
        block("It is 24°C."),
        cited(0, start=6, end=10, text="24°C", sources=[{"type": "tool", "id": "weather_0:0"}], type="TEXT_CONTENT"),
        end(),
    ),
}


@pytest.fixture(autouse=True)
def _clear_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove environment variables that would change the tests."""
    for name in list(os.environ):
        if name.endswith(("_API_KEY", "_BASE_URL", "_API_URL", "_HOST", "_TOKEN")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as server:
        yield server


@pytest.fixture
def made(upstream: Upstream) -> Callable[..., CohereProvider]:
    """Return a function that creates a provider of the fake vendor."""
    return lambda **settings: CohereProvider({"base_url": upstream.url, "api_key": "test-key", **settings})


@pytest.fixture(params=["thread", "task"])
def send(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Return a function that sends one request, returns the response or the chunks, and closes the provider."""

    async def asked(provider: CohereProvider, one: Call) -> Any:
        try:
            answer = await provider.asend(one, MODEL, LIMITS)
            if isinstance(answer, Answer):
                return answer
            try:
                return [chunk async for chunk in answer]
            finally:
                await answer.aclose()
        finally:
            await provider.aclose()

    def go(provider: CohereProvider, *, operation: Any = CHAT, stream: bool = False, strict: bool = False, **payload: Any) -> Any:
        if operation is CHAT:
            payload = {"messages": [{"role": "user", "content": "Hello"}], **payload}
        one = Call(operation, "pool", payload, stream=stream, strict=strict)
        if request.param == "task":
            return asyncio.run(asked(provider, one))
        try:
            answer = provider.send(one, MODEL, LIMITS)
            if isinstance(answer, Answer):
                return answer
            try:
                return list(answer)
            finally:
                answer.close()
        finally:
            provider.close()

    return go


@pytest.fixture
def embed(send: Callable[..., Any]) -> Callable[..., Any]:
    return lambda provider, **payload: send(provider, operation=EMBEDDINGS, **payload)


@pytest.fixture
def wire() -> Any:
    """The functions above that build events, for tests with other streams."""

    class Wire:
        pass

    for name in ("event", "content", "block", "call", "plan", "cited", "end", "stream", "START", "USAGE", "STREAMS"):
        value = globals()[name]
        setattr(Wire, name, staticmethod(value) if callable(value) else value)
    return Wire


@pytest.fixture(params=list(STREAMS))
def recorded(request: pytest.FixtureRequest) -> tuple[str, bytes]:
    return request.param, STREAMS[request.param]


@pytest.fixture
def reply() -> Callable[..., dict[str, Any]]:
    """Return a function that builds a reply of the vendor."""

    def make(*blocks: dict[str, Any], reason: Any = "COMPLETE", message: Any = None, **more: Any) -> dict[str, Any]:
        body = {"role": "assistant", "content": list(blocks), **(message or {})}
        return {"id": "c14c80c3-test", "finish_reason": reason, "message": body, "usage": USAGE, **more}

    return make
