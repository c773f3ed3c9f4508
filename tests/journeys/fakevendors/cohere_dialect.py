"""Cohere's chat, version 2."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from fakevendors.openai_dialect import _check_order
from fakevendors.requests import Answer, Asked, Request, expect, only, texts
from fakevendors.vendors import Rules, Vendor

KEYS = {"authorization": "Bearer "}
"""Headers of the key, with their prefixes."""
BODY = (
    "model messages tools documents citation_options response_format safety_mode max_tokens stop_sequences temperature seed "
    "frequency_penalty presence_penalty k p logprobs tool_choice strict_tools stream thinking priority"
)
FIELDS = {
    "system": "role content",
    "user": "role content",
    "assistant": "role content tool_calls tool_plan citations",
    "tool": "role content tool_call_id",
}
FINISH = {"stop": "COMPLETE", "length": "MAX_TOKENS", "tool_calls": "TOOL_CALL"}


def path_holds(path: str) -> bool:
    return path.endswith("/v2/chat")


def asked(request: Request, vendor: Vendor) -> Asked:
    """Check a request by Cohere's rules."""
    body = request.body
    only(body, BODY, "unknown field: parameter", 422)
    messages = body.get("messages")
    expect(isinstance(messages, list) and messages, "invalid request: list of messages must not be empty")
    for place, message in enumerate(messages):
        role = message.get("role")
        expect(role in FIELDS, f"invalid role in messages[{place}]: {role!r}")
        only(message, FIELDS[role], f"messages[{place}]", 422)
        said = message.get("content")
        expect(said or message.get("tool_calls"), f"invalid request: message at index {place} must not be empty in a turn")
        for call in message.get("tool_calls") or ():
            expect(isinstance(json.loads(call["function"]["arguments"]), dict), f"messages[{place}]: arguments: not an object")
    _check_order(messages, Rules())
    expect(messages[-1]["role"] in ("user", "tool"), "invalid request: the last message must be from the user or a tool")
    users = [place for place, message in enumerate(messages) if message["role"] == "user"]
    expect(users, "invalid request: at least one user message is required")
    prompt = " ".join(texts(message.get("content"), "messages") for message in messages)
    tools = tuple(tool["function"]["name"] for tool in body.get("tools") or ())
    last = texts(messages[users[-1]]["content"], "messages")
    results = sum(message["role"] == "tool" for message in messages[users[-1] :])
    return Asked(body.get("model", ""), prompt, bool(body.get("stream")), body.get("max_tokens"), last, results, tools=tools)


def whole(asked: Asked, answer: Answer, vendor: Vendor) -> dict[str, Any]:
    """Build a plain answer."""
    message: dict[str, Any] = {"role": "assistant"}
    if answer.text or not answer.calls:
        message["content"] = [{"type": "text", "text": answer.text}]
    if answer.calls:
        message |= {"tool_plan": "I will look that up.", "tool_calls": _calls(answer)}
    return {
        "id": f"cohere-{answer.number}",
        "finish_reason": FINISH[answer.finish],
        "message": message,
        "usage": _usage(answer),
    }


def events(asked: Asked, answer: Answer, vendor: Vendor) -> Iterator[str]:
    """Build a stream: the first event carries no content."""
    empty = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
    yield _event("message-start", id=f"cohere-{answer.number}", delta={"message": empty})
    if answer.text:
        yield _of("content-start", 0, content={"type": "text", "text": ""})
        for piece in answer.pieces:
            yield _of("content-delta", 0, content={"text": piece})
        yield _event("content-end", index=0)
    for index, call in enumerate(_calls(answer)):
        given = call["function"]["arguments"]
        yield _of("tool-call-start", index, tool_calls={**call, "function": {**call["function"], "arguments": ""}})
        yield _of("tool-call-delta", index, tool_calls={"function": {"arguments": given}})
        yield _event("tool-call-end", index=index)
    yield _event("message-end", delta={"finish_reason": FINISH[answer.finish], "usage": _usage(answer)})


def _calls(answer: Answer) -> list[dict[str, Any]]:
    return [
        {
            "id": f"{name}_{answer.number:08}_{place:02}",
            "type": "function",
            "function": {"name": name, "arguments": json.dumps(given)},
        }
        for place, (name, given) in enumerate(answer.calls)
    ]


def _usage(answer: Answer) -> dict[str, Any]:
    tokens = {"input_tokens": answer.prompt, "output_tokens": answer.completion}
    return {"billed_units": tokens, "tokens": tokens}


def _of(kind: str, index: int, **message: Any) -> str:
    return _event(kind, index=index, delta={"message": message})


def _event(kind: str, **data: Any) -> str:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **data})}\n\n"
