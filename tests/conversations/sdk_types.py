"""Check of requests against the types of the vendors' packages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest


def check(vendor: str, body: dict[str, Any]) -> None:
    """Raise the error of the vendor's package for a request that its types reject."""
    {"openai": _openai, "anthropic": _anthropic, "gemini": _gemini, "cohere": _cohere, "mistral": _mistral}[vendor](body)


def _typed_dict(kind: Any, body: dict[str, Any]) -> None:
    pydantic = pytest.importorskip("pydantic")
    adapter = pydantic.TypeAdapter(dict[str, kind], config=pydantic.ConfigDict(extra="forbid"))
    _read_through(adapter.validate_python({"body": body}))


def _read_through(value: Any) -> None:
    """Read lazily validated values: pydantic checks an Iterable only during iteration."""
    if isinstance(value, Mapping):
        for inner in value.values():
            _read_through(inner)
    elif isinstance(value, list | Iterator) or type(value).__name__ == "ValidatorIterator":
        for inner in value:
            _read_through(inner)


def _openai(body: dict[str, Any]) -> None:
    types = pytest.importorskip("openai.types.chat.completion_create_params")
    answered = ("annotations",)  # in the package's messages, not in its parameters: its users send it all the time
    messages = [{name: value for name, value in one.items() if name not in answered} for one in body["messages"]]
    calls = [call for one in messages for call in one.get("tool_calls") or ()]
    assert all(isinstance(call["function"]["arguments"], str) for call in calls)
    streamed = body.get("stream", False)
    kind = types.CompletionCreateParamsStreaming if streamed else types.CompletionCreateParamsNonStreaming
    _typed_dict(kind, {**body, "messages": [_without_index(one) for one in messages]})


def _without_index(message: dict[str, Any]) -> dict[str, Any]:
    """Drop the index of calls, which callers that join deltas also send to OpenAI."""
    calls = message.get("tool_calls")
    return {**message, "tool_calls": [{**call} for call in map(_plain, calls)]} if calls else message


def _plain(call: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in call.items() if name != "index"}


def _anthropic(body: dict[str, Any]) -> None:
    types = pytest.importorskip("anthropic.types.message_create_params")
    streamed = body.get("stream", False)
    _typed_dict(types.MessageCreateParamsStreaming if streamed else types.MessageCreateParamsNonStreaming, body)


def _gemini(body: dict[str, Any]) -> None:
    types = pytest.importorskip("google.genai.types")
    contents = [types.Content.model_validate(content) for content in body["contents"]]
    assert all(content.parts for content in contents)
    beside = {name: body[name] for name in ("systemInstruction", "tools") if name in body}
    types.GenerateContentConfig.model_validate({**body["generationConfig"], **beside})


def _cohere(body: dict[str, Any]) -> None:
    cohere = pytest.importorskip("cohere")
    shapes = {
        "system": cohere.SystemChatMessageV2,
        "user": cohere.UserChatMessageV2,
        "assistant": cohere.AssistantChatMessageV2,
        "tool": cohere.ToolChatMessageV2,
    }
    for message in body["messages"]:
        read = shapes[message["role"]].model_validate(message)
        assert not read.model_extra, read.model_extra
        for call in message.get("tool_calls") or ():
            assert not cohere.ToolCallV2.model_validate(call).model_extra
    for tool in body["tools"]:
        assert not cohere.ToolV2.model_validate(tool).model_extra


def _mistral(body: dict[str, Any]) -> None:
    models = pytest.importorskip("mistralai.client.models")
    read = models.ChatCompletionRequest.model_validate(body)
    for given, message in zip(body["messages"], read.messages, strict=True):
        known = {field.alias or name for name, field in type(message).model_fields.items()}
        assert given.keys() <= known, given.keys() - known
    sent = read.model_dump(mode="json", by_alias=True, exclude_unset=True)
    assert sent["messages"] == body["messages"]
