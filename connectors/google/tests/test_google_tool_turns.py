"""Three turns with tools: signatures are sent back unchanged, for plain and streamed responses."""

from __future__ import annotations

import json
from typing import Any

import pytest

HI = {"role": "user", "content": "Weather and time in Oslo?"}
TOOLS = [
    {"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": {}}}} for name in ("a", "b")
]
FIRST = [
    {"functionCall": {"id": "fc-1", "name": "a", "args": {"n": 1}}, "thoughtSignature": "c2lnbmVkLTE="},
    {"functionCall": {"name": "b", "args": {}}},
]
SECOND = [{"functionCall": {"name": "a", "args": {"n": 2}}, "thoughtSignature": "c2lnbmVkLTI="}]
THIRD = [{"text": "Rain"}, {"text": ", noon.", "thoughtSignature": "c2lnbmVkLTM="}]


def message_of(reply: Any, *, streamed: bool) -> dict[str, Any]:
    """Return the assistant's message as a caller stores it."""
    if not streamed:
        return dict(reply.model_dump()["choices"][0]["message"])
    kept: dict[str, Any] = {"content": "", "tool_calls": []}
    for chunk in reply:
        delta = chunk["choices"][0]["delta"] if chunk["choices"] else {}
        kept["content"] += delta.get("content") or ""
        kept["tool_calls"] += delta.get("tool_calls") or []
        kept |= {name: value for name, value in delta.items() if name not in ("content", "tool_calls") and value is not None}
    return {name: value for name, value in kept.items() if value or name == "content"}


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_tool_turns_signatures_are_sent_unchanged(upstream: Any, config: Any, way: Any, answer: Any, streamed: bool) -> None:
    messages: list[dict[str, Any]] = [HI]
    settings = config()
    turns: list[list[dict[str, Any]]] = [FIRST, SECOND, THIRD]
    for number, parts in enumerate(turns):
        event = {**answer(*parts), "responseId": f"resp-{number}"}
        if streamed:
            events = [{**event, "candidates": [{"content": {"parts": [part]}, "index": 0}]} for part in parts]
            ending = {**event, "candidates": [{"finishReason": "STOP", "index": 0}]}
            upstream.stream([b"data: " + json.dumps(one).encode() + b"\r\n\r\n" for one in (*events, ending)])
        else:
            upstream.reply(event)
        reply = (way.stream if streamed else way.send)(settings, messages=messages, tools=TOOLS)
        message = message_of(reply, streamed=streamed)
        messages.append(message)
        for call in message.get("tool_calls") or ():
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": f"done {call['function']['name']}"})
    messages.append({"role": "user", "content": "Thanks"})
    upstream.reply(answer({"text": "Bye."}))
    way.send(settings, messages=messages, tools=TOOLS)

    contents = upstream.last.json["contents"]
    assert [content["role"] for content in contents] == ["user", "model", "user", "model", "user", "model", "user"]
    signatures = [
        [part.get("thoughtSignature") for part in content["parts"]] for content in contents if content["role"] == "model"
    ]
    assert signatures == [["c2lnbmVkLTE=", None], ["c2lnbmVkLTI="], [None, "c2lnbmVkLTM="]]
    assert contents[5]["parts"] == THIRD
    calls = [part["functionCall"] for content in contents for part in content["parts"] if "functionCall" in part]
    results = [part["functionResponse"] for content in contents for part in content["parts"] if "functionResponse" in part]
    assert [(call["name"], call["args"]) for call in calls] == [("a", {"n": 1}), ("b", {}), ("a", {"n": 2})]
    assert calls[0]["id"] == "fc-1"
    assert [(result["id"], result["name"]) for result in results] == [(call["id"], call["name"]) for call in calls]
    assert len({call["id"] for call in calls}) == 3
    assert results[0]["response"] == {"output": "done a"}


def test_tool_turns_edited_message_is_sent_as_edited(upstream: Any, config: Any, way: Any, answer: Any) -> None:
    upstream.reply(answer(*THIRD))
    settings = config()
    kept = message_of(way.send(settings, messages=[HI]), streamed=False)
    assert kept["content_parts"] == THIRD
    kept["content"] = "Snow."
    upstream.reply(answer({"text": "Bye."}))
    way.send(settings, messages=[HI, kept, HI])
    assert upstream.last.json["contents"][1]["parts"] == [{"text": "Snow.", "thoughtSignature": "c2lnbmVkLTM="}]
