"""Fake of Anthropic's API on loopback. It records requests and returns configured responses."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

import modelmesh
from modelmesh_cdk.testing import Script, Upstream

MODEL = "claude-sonnet-5-5"
HELLO = {
    "id": "msg_test_1",
    "type": "message",
    "role": "assistant",
    "model": MODEL,
    "content": [{"type": "text", "text": "Hello."}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 12, "output_tokens": 3},
}


class Vendor(Upstream):
    """Answers ``Hello.`` in the vendor's format unless it is told otherwise."""

    def __init__(self) -> None:
        super().__init__()
        self.always(Script(body=json.dumps(HELLO).encode()))

    def answers(self, answer: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> None:
        """Say what the next request is answered: a JSON value, or the bytes of a stream."""
        stream = isinstance(answer, bytes) and status == 200
        raw = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        kind = "text/event-stream; charset=utf-8" if stream else "application/json"
        self.then(Script(status, raw, headers or {}, kind))


class Sync:
    """Asks as a thread does."""

    name = "sync"

    def ask(self, config: dict[str, Any], **arguments: Any) -> Any:
        with modelmesh.create(config=config) as client:
            return client.chat.completions.create(model="chat", **arguments)

    def stream(self, config: dict[str, Any], **arguments: Any) -> tuple[list[dict[str, Any]], Any, Exception | None]:
        chunks: list[dict[str, Any]] = []
        with (
            modelmesh.create(config=config) as client,
            client.chat.completions.create(model="chat", stream=True, **arguments) as stream,
        ):
            try:
                chunks.extend(chunk.model_dump() for chunk in stream)
            except modelmesh.ModelMeshError as error:
                return chunks, stream, error
            return chunks, stream, None


class Async:
    """Asks as a task does."""

    name = "async"

    def ask(self, config: dict[str, Any], **arguments: Any) -> Any:
        async def go() -> Any:
            async with modelmesh.create_async(config=config) as client:
                return await client.chat.completions.create(model="chat", **arguments)

        return asyncio.run(go())

    def stream(self, config: dict[str, Any], **arguments: Any) -> tuple[list[dict[str, Any]], Any, Exception | None]:
        async def go() -> tuple[list[dict[str, Any]], Any, Exception | None]:
            chunks: list[dict[str, Any]] = []
            async with (
                modelmesh.create_async(config=config) as client,
                await client.chat.completions.create(model="chat", stream=True, **arguments) as stream,
            ):
                try:
                    async for chunk in stream:
                        chunks += [chunk.model_dump()]
                except modelmesh.ModelMeshError as error:
                    return chunks, stream, error
                return chunks, stream, None

        return asyncio.run(go())


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_AUTH_TOKEN",
        "ANTHROPIC_BASE_URL",
        "ANTHROPIC_CUSTOM_HEADERS",
        "ANTHROPIC_PROFILE",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    with Vendor() as one:
        yield one


@pytest.fixture
def config(vendor: Vendor) -> Any:
    """Return a configuration with the vendor as its only provider; keyword arguments are the provider's options."""

    def make(**options: Any) -> dict[str, Any]:
        provider = {
            "connector": "anthropic.claude.v1",
            "api_key": "test-key",
            "base_url": vendor.url,
            "max_retries": 0,
            **options,
        }
        return {
            "providers": {"anthropic": provider},
            "models": {MODEL: {"provider": "anthropic", "capabilities": ["chat-completion"]}},
            "pools": {"chat": {"capability": "chat-completion"}},
        }

    return make


@pytest.fixture(params=[Sync(), Async()], ids=lambda way: way.name)
def way(request: pytest.FixtureRequest) -> Any:
    return request.param


def sse(*events: dict[str, Any]) -> bytes:
    return b"".join(b"event: %s\ndata: %s\n\n" % (event["type"].encode(), json.dumps(event).encode()) for event in events)


def begin(**usage: Any) -> dict[str, Any]:
    message = {
        **HELLO,
        "id": "msg_test_2",
        "content": [],
        "stop_reason": None,
        "usage": {"input_tokens": 25, "output_tokens": 1, **usage},
    }
    return {"type": "message_start", "message": message}


def block(index: int, content: dict[str, Any], *deltas: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"type": "content_block_start", "index": index, "content_block": content},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]


def text(*pieces: str) -> list[dict[str, Any]]:
    return [{"type": "text_delta", "text": piece} for piece in pieces]


def json_pieces(*pieces: str) -> list[dict[str, Any]]:
    return [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]


def end(reason: str, output: int = 40, **more: Any) -> list[dict[str, Any]]:
    return [
        {
            "type": "message_delta",
            "delta": {"stop_reason": reason, "stop_sequence": None},
            "usage": {"output_tokens": output, **more},
        },
        {"type": "message_stop"},
    ]


THOUGHT = {"type": "thinking", "thinking": "", "signature": ""}
SIGNED = {"type": "thinking", "thinking": "Let me see.", "signature": "c2lnbmVk"}
REDACTED = {"type": "redacted_thinking", "data": "b3BhcXVl"}
CALL = {"type": "tool_use", "id": "toolu_test_1", "name": "weather", "input": {}}
SEARCH = {"type": "server_tool_use", "id": "srvtoolu_test_1", "name": "web_search", "input": {}}
FOUND = {
    "type": "web_search_tool_result",
    "tool_use_id": "srvtoolu_test_1",
    "content": [
        {"type": "web_search_result", "url": "https://example.org", "title": "T", "encrypted_content": "e", "page_age": None}
    ],
}
CITATION = {
    "type": "web_search_result_location",
    "url": "https://example.org",
    "title": "T",
    "encrypted_index": "i",
    "cited_text": "c",
}

STREAMS: dict[str, list[dict[str, Any]]] = {
    "text": [begin(), *block(0, {"type": "text", "text": ""}, *text("Hel", "lo, ", "wörld — ✓")), {"type": "ping"}, *end("end_turn")],
    "empty": [begin(), *end("end_turn", 0)],
    "stopped": [begin(), *block(0, {"type": "text", "text": ""}, *text("1, 2")), *end("stop_sequence")],
    "cut": [begin(), *block(0, {"type": "text", "text": ""}, *text("1, 2")), *end("max_tokens")],
    "refused": [
        begin(),
        {
            "type": "message_delta",
            "delta": {"stop_reason": "refusal", "stop_sequence": None, "stop_details": {"type": "refusal", "category": "bio", "explanation": None}},
            "usage": {"output_tokens": 2},
        },
        {"type": "message_stop"},
    ],
    "cached": [
        begin(cache_creation_input_tokens=100, cache_read_input_tokens=2000, service_tier="standard"),
        *block(0, {"type": "text", "text": ""}, *text("ok")),
        *end("end_turn", 7, input_tokens=26, cache_read_input_tokens=2001, cache_creation_input_tokens=None, output_tokens_details={"thinking_tokens": 4}),
    ],
    "tools": [
        begin(),
        *block(0, {"type": "text", "text": ""}, *text("I look.")),
        *block(1, CALL, *json_pieces("", '{"ci', 'ty": "Oslo', '", "days": 0}')),
        *block(2, {**CALL, "id": "toolu_test_2", "name": "time"}, *json_pieces("")),
        *end("tool_use"),
    ],
    "thinking": [
        begin(),
        *block(0, THOUGHT, {"type": "thinking_delta", "thinking": "Let me "}, {"type": "thinking_delta", "thinking": "see."},
               {"type": "signature_delta", "signature": "c2lnbmVk"}),
        *block(1, REDACTED),
        *block(2, CALL, *json_pieces('{"city": "Oslo"}')),
        *end("tool_use"),
    ],
    "search": [
        begin(),
        *block(0, SEARCH, *json_pieces('{"query": ', '"x"}')),
        *block(1, FOUND),
        *block(2, {"type": "text", "text": ""}, *text("It is")),
        *block(3, {"type": "text", "text": "", "citations": []}, {"type": "citations_delta", "citation": CITATION}, *text(" so.")),
        *end("pause_turn"),
    ],
}  # fmt: skip


@pytest.fixture(params=STREAMS)
def recorded(request: pytest.FixtureRequest) -> bytes:
    """The bytes of one stream, of each kind there is."""
    return sse(*STREAMS[request.param])


@pytest.fixture(scope="session")
def wire() -> Any:
    """What streams are made of."""

    class Wire:
        pass

    for name, value in globals().items():
        if name in ("sse", "begin", "block", "text", "json_pieces", "end") or name.isupper():
            setattr(Wire, name, staticmethod(value) if callable(value) else value)
    return Wire
