"""Chat answers, their split into chunks, and calls for the tests of the translations."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

from hypothesis import strategies as st

from modelmesh.contracts.call import Call
from modelmesh.contracts.operations import GENERATE_CONTENT, OPERATIONS

HEAD = {"id": "chatcmpl-1", "created": 1_790_000_000, "model": "fake-1"}
USAGE = {
    "prompt_tokens": 12,
    "completion_tokens": 7,
    "total_tokens": 19,
    "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2},
    "completion_tokens_details": {"reasoning_tokens": 3},
}


def call_of(operation: str, payload: dict[str, Any], *, stream: bool = False) -> Call:
    return Call((OPERATIONS | {GENERATE_CONTENT.name: GENERATE_CONTENT})[operation], "pool", payload, stream=stream)


def chat(message: dict[str, Any] | None = None, reason: str = "stop", usage: Any = USAGE, **further: Any) -> dict[str, Any]:
    """Return a chat answer."""
    choice = {"index": 0, "message": {"role": "assistant", "content": None, **(message or {})}, "finish_reason": reason}
    return {**HEAD, "object": "chat.completion", "choices": [choice], "usage": usage, **further}


def tool_call(
    name: str = "weather", arguments: str = '{"city": "Oslo"}', identity: str = "call_1", **extra: Any
) -> dict[str, Any]:
    return {"id": identity, "type": "function", "function": {"name": name, "arguments": arguments}, **extra}


def chunks_of(body: dict[str, Any], sizes: list[int] | None = None) -> list[dict[str, Any]]:
    """Return the chunks of a chat answer, texts split at the given sizes in turn."""
    rest = list(sizes or [3])
    head = {name: value for name, value in body.items() if name not in ("choices", "usage", "object")}
    head["object"] = "chat.completion.chunk"
    choice = body["choices"][0]
    message = deepcopy(choice["message"])
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]

    def pieces(text: str) -> list[str]:
        found = []
        while text:
            rest.append(size := rest.pop(0))
            found.append(text[:size])
            text = text[size:]
        return found

    order = ("reasoning_content", "reasoning", "thinking_blocks", "content", "refusal")
    connector = message.pop("connector", None)
    for name in (*order, *(name for name in message if name not in (*order, "role", "tool_calls"))):
        value = message.get(name)
        if isinstance(value, str):
            deltas += [{name: piece} for piece in pieces(value)]
        elif value is not None:
            deltas.append({name: value})
    for index, call in enumerate(message.get("tool_calls") or ()):
        kind = call["type"]
        field = "input" if kind == "custom" else "arguments"
        deltas.append({"tool_calls": [{**call, "index": index, kind: {"name": call[kind]["name"], field: ""}}]})
        deltas += [{"tool_calls": [{"index": index, kind: {field: piece}}]} for piece in pieces(call[kind][field])]
    if connector:
        next(one for one in deltas if one.keys() - {"role", "content", "refusal"})["connector"] = connector
    made = [{**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    made.append({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}]})
    if body.get("usage") is not None:
        made.append({**head, "choices": [], "usage": body["usage"]})
    return made


texts = st.text(st.characters(codec="utf-8"), max_size=12)
sizes = st.lists(st.integers(1, 5), min_size=1, max_size=6)


@st.composite
def answers(draw: st.DrawFn) -> dict[str, Any]:
    """Return a chat answer with any of the parts that a message may have."""
    message: dict[str, Any] = {}
    thoughts = draw(texts)
    if thoughts:
        message["reasoning_content"] = thoughts
        if draw(st.booleans()):
            message["thinking_blocks"] = [{"type": "thinking", "thinking": thoughts, "signature": draw(texts)}]
        message["connector"] = "test.vendor.v1"
    message["content"] = draw(texts)
    if draw(st.booleans()):
        message["refusal"] = draw(texts) or None
    calls = [
        tool_call(draw(st.sampled_from(["weather", "time"])), json.dumps({"a": draw(texts)}), f"call_{number}")
        for number in range(draw(st.integers(0, 3)))
    ]
    if calls:
        message["tool_calls"] = calls
    reason = draw(st.sampled_from(["stop", "length", "content_filter", "tool_calls"]))
    return chat(message, reason, draw(st.sampled_from([USAGE, None])))
