"""Perplexity's Agent API, which has the format of OpenAI's responses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from fakevendors.requests import Answer, Asked, Request, expect, texts
from fakevendors.vendors import Vendor

KEYS = {"authorization": "Bearer "}
"""Headers of the key, with their prefixes."""


def path_holds(path: str) -> bool:
    return path.endswith("/v1/agent")


def asked(request: Request, vendor: Vendor) -> Asked:
    """Check a request by the rules of the Agent API."""
    body = request.body
    items = body.get("input")
    expect(isinstance(items, list) and items, "input: field required")
    waiting: list[str] = []
    for place, item in enumerate(items):
        kind = item.get("type")
        expect(kind in ("message", "function_call", "function_call_output"), f"input.{place}.type: {kind!r}")
        if kind == "message":
            expect(item.get("role") in ("system", "developer", "user", "assistant"), f"input.{place}.role: {item.get('role')!r}")
            expect(texts(item.get("content"), f"input.{place}").strip(), f"input.{place}.content: must not be empty")
        elif kind == "function_call":
            expect(isinstance(json.loads(item["arguments"]), dict), f"input.{place}.arguments: not an object")
            waiting.append(item["call_id"])
        else:
            expect(item["call_id"] in waiting, f"input.{place}.call_id: no call before it")
            waiting.remove(item["call_id"])
    expect(not waiting, f"input: no output of {waiting}")
    for unknown in ("stop", "n", "messages", "max_tokens"):
        expect(unknown not in body, f"{unknown}: unknown field")
    users = [place for place, item in enumerate(items) if item.get("role") == "user"]
    last = texts(items[users[-1]]["content"], "input") if users else ""
    results = sum(item["type"] == "function_call_output" for item in items[users[-1] :]) if users else 0
    prompt = " ".join(texts(item.get("content"), "input") for item in items if item["type"] == "message")
    tools = tuple(tool["name"] for tool in body.get("tools") or () if tool["type"] == "function")
    limit = body.get("max_output_tokens")
    return Asked(body.get("model", ""), prompt, bool(body.get("stream")), limit, last, results, tools=tools)


def whole(asked: Asked, answer: Answer, vendor: Vendor) -> dict[str, Any]:
    """Build a plain answer."""
    content = [{"type": "output_text", "text": answer.text, "annotations": []}]
    output: list[Any] = [{"type": "message", "id": "m", "role": "assistant", "content": content}] if not answer.calls else []
    output += _calls(answer)
    ended: dict[str, Any] = {"status": "completed"}
    if answer.finish == "length":
        ended = {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
    usage = {
        "input_tokens": answer.prompt,
        "output_tokens": answer.completion,
        "total_tokens": answer.prompt + answer.completion,
    }
    head = {"id": f"resp_{answer.number}", "object": "response", "created_at": 1, "model": asked.model}
    return {**head, "output": output, "usage": usage, **ended}


def events(asked: Asked, answer: Answer, vendor: Vendor) -> Iterator[str]:
    """Build a stream: the first event carries no content."""
    final = whole(asked, answer, vendor)
    yield _event("created", response={**final, "output": [], "status": "in_progress", "usage": None})
    for piece in answer.pieces:
        yield _event("output_text.delta", delta=piece)
    for call in _calls(answer):
        yield _event("output_item.done", item=call)
    yield _event("completed", response=final)


def _calls(answer: Answer) -> list[dict[str, Any]]:
    return [
        {
            "type": "function_call",
            "id": f"f{place}",
            "call_id": f"call_{answer.number:08}_{place:02}",
            "name": name,
            "arguments": json.dumps(given),
            "status": "completed",
        }
        for place, (name, given) in enumerate(answer.calls)
    ]


def _event(kind: str, **data: Any) -> str:
    return f"event: response.{kind}\ndata: {json.dumps({'type': f'response.{kind}', 'sequence_number': 0, **data})}\n\n"
