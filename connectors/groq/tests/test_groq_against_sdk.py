"""Requests of the connector, compared with those of the groq package."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import modelmesh
from modelmesh_cdk.testing import Received

groq = pytest.importorskip("groq")

CALLS: dict[str, dict[str, Any]] = {
    "plain": {},
    "numbers": {"temperature": 0, "top_p": 0.5, "max_completion_tokens": 7, "seed": 0, "n": 1},
    "tools": {
        "tools": [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}],
        "tool_choice": "required",
        "parallel_tool_calls": False,
    },
    "unicode": {"messages": [{"role": "system", "content": "Ünïcödé ✓"}, {"role": "user", "content": "Grüezi"}]},
    "own": {"reasoning_format": "parsed", "service_tier": "auto", "extra_body": {"of_next_year": [1]}},
    "stream": {"stream": True, "stop": ["a"]},
}
EVENTS = [{"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",
           "choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}]}]  # fmt: skip


def arguments_of(name: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": "Hello"}], **CALLS[name]}


def wire(request: Received) -> tuple[Any, ...]:
    """Return the parts of a request that both send. The mesh also requests the usage of streams."""
    headers, body = request.headers, dict(request.json)
    if body.pop("stream_options", {"include_usage": True}) != {"include_usage": True}:
        raise AssertionError(request.json)
    return request.method, request.path, headers["authorization"], headers["content-type"], body


def mesh_config(upstream: Any) -> dict[str, Any]:
    entry = {"connector": "groq.api.v1", "models": ["llama-3.1-8b-instant"], "api_key": "gsk-test", "base_url": upstream.url}
    return {"providers": {"account": entry}, "pools": {"chat-completion": {}}}


@pytest.mark.parametrize("name", CALLS)
def test_sdk_request_is_identical(upstream: Any, name: str) -> None:
    upstream.body = EVENTS if name == "stream" else upstream.body
    with groq.Groq(api_key="gsk-test", base_url=upstream.url, max_retries=0) as sdk:
        theirs = sdk.chat.completions.create(model="llama-3.1-8b-instant", **arguments_of(name))
        text = next(iter(theirs)).choices[0].delta.content if name == "stream" else theirs.choices[0].message.content
    with modelmesh.create(config=mesh_config(upstream)) as client:
        ours = client.chat.completions.create(model="chat-completion", **arguments_of(name))
        if name == "stream":
            assert "".join(one.choices[0].delta.content for one in ours) == text
        else:
            assert ours.choices[0].message.content == text
    by_sdk, by_mesh = upstream.received
    assert wire(by_mesh) == wire(by_sdk)


def test_sdk_async_request_is_identical(upstream: Any) -> None:
    async def run() -> None:
        async with groq.AsyncGroq(api_key="gsk-test", base_url=upstream.url, max_retries=0) as sdk:
            await sdk.chat.completions.create(model="llama-3.1-8b-instant", **arguments_of("numbers"))
        async with modelmesh.create_async(config=mesh_config(upstream)) as client:
            await client.chat.completions.create(model="chat-completion", **arguments_of("numbers"))

    asyncio.run(run())
    by_sdk, by_mesh = upstream.received
    assert wire(by_mesh) == wire(by_sdk)
