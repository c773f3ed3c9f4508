"""Requests of the connector, compared with those of the openai package."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import modelmesh
from modelmesh_cdk.testing import Received

openai = pytest.importorskip("openai")

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False}
CALLS: dict[str, dict[str, Any]] = {
    "plain": {},
    "numbers": {"temperature": 0, "top_p": 0.5, "max_completion_tokens": 7, "seed": 0, "n": 1, "frequency_penalty": -1.5},
    "tools": {
        "tools": [{"type": "function", "function": {"name": "weather", "parameters": SCHEMA, "strict": True}}],
        "tool_choice": {"type": "function", "function": {"name": "weather"}},
        "parallel_tool_calls": False,
    },
    "schema": {"response_format": {"type": "json_schema", "json_schema": {"name": "place", "schema": SCHEMA, "strict": True}}},
    "image": {
        "messages": [
            {"role": "developer", "content": "Be brief. Ünïcödé ✓"},
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]},
        ]
    },
    "new": {"reasoning_effort": "xhigh", "verbosity": "low", "service_tier": "flex", "extra_body": {"of_next_year": [1]}},
    "stream": {"stream": True, "stream_options": {"include_usage": True}, "stop": ["a", "b"]},
}
EVENTS = [{"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",
           "choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}]}]  # fmt: skip


def arguments_of(name: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": "Hello"}], **CALLS[name]}


def wire(request: Received) -> tuple[Any, ...]:
    headers = request.headers
    account = tuple(headers.get(name) for name in ("authorization", "openai-organization", "openai-project", "content-type"))
    return request.method, request.path, account, request.json


def mesh_config(upstream: Any) -> dict[str, Any]:
    entry = {"connector": "openai.llm.v1", "models": ["gpt-4o-mini"], "api_key": "sk-test", "base_url": f"{upstream.url}/v1",
             "organization": "org-test", "project": "proj-test"}  # fmt: skip
    return {"providers": {"account": entry}, "pools": {"chat-completion": {}}}


@pytest.mark.parametrize("name", CALLS)
def test_sdk_request_is_identical(upstream: Any, name: str) -> None:
    upstream.body = EVENTS if name == "stream" else upstream.body
    with openai.OpenAI(
        api_key="sk-test", base_url=f"{upstream.url}/v1", organization="org-test", project="proj-test", max_retries=0
    ) as sdk:
        theirs = sdk.chat.completions.create(model="gpt-4o-mini", **arguments_of(name))
        theirs = [one.to_dict() for one in theirs] if name == "stream" else theirs.to_dict()
    with modelmesh.create(config=mesh_config(upstream)) as client:
        ours = client.chat.completions.create(model="chat-completion", **arguments_of(name))
        ours = [one.model_dump() for one in ours] if name == "stream" else ours.model_dump()
    by_sdk, by_mesh = upstream.received
    assert wire(by_mesh) == wire(by_sdk)
    for one in [ours] if isinstance(ours, dict) else ours:
        one["model"] = upstream.body["model"] if isinstance(upstream.body, dict) else "m"
    assert ours == theirs


@pytest.mark.parametrize("name", CALLS)
def test_sdk_async_request_is_identical(upstream: Any, name: str) -> None:
    upstream.body = EVENTS if name == "stream" else upstream.body

    async def run() -> None:
        async with openai.AsyncOpenAI(
            api_key="sk-test", base_url=f"{upstream.url}/v1", organization="org-test", project="proj-test", max_retries=0
        ) as sdk:
            theirs = await sdk.chat.completions.create(model="gpt-4o-mini", **arguments_of(name))
            if name == "stream":
                assert [one async for one in theirs]
        async with modelmesh.create_async(config=mesh_config(upstream)) as client:
            ours = await client.chat.completions.create(model="chat-completion", **arguments_of(name))
            if name == "stream":
                assert [one async for one in ours]

    asyncio.run(run())
    by_sdk, by_mesh = upstream.received
    assert wire(by_mesh) == wire(by_sdk)


def test_catalogue_models_are_in_sdk() -> None:
    from typing import get_args

    from modelmesh_connector_openai import OpenAIProvider

    if openai.__version__ != "3.52.0":
        pytest.skip("the catalogue says that it was read from 3.52.0")
    from openai.types.audio.speech_model import SpeechModel
    from openai.types.realtime import RealtimeSessionCreateRequest

    named = (
        openai.types.ChatModel, openai.types.EmbeddingModel, openai.types.AudioModel, openai.types.ImageModel,
        openai.types.ModerationModel, SpeechModel, *get_args(RealtimeSessionCreateRequest.model_fields["model"].annotation),
    )  # fmt: skip
    known = {name for one in named for name in get_args(one)}
    assert {model.id for model in OpenAIProvider(api_key="sk-test").models()} <= known
