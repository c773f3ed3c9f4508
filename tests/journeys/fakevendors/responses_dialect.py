"""OpenAI's Responses API, as OpenAI and other vendors serve it natively."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from fakevendors.requests import Answer, Asked, Request, expect, only, texts
from fakevendors.vendors import TOOL_NAME, Vendor

KEYS = {"authorization": "Bearer "}
"""Headers of the key, with their prefixes."""
BODY = (
    "model input instructions tools tool_choice stream temperature top_p max_output_tokens metadata reasoning text store include "
    "parallel_tool_calls truncation user service_tier background previous_response_id"
)
ITEMS = {
    "message": "type role content id status phase",
    "function_call": "type call_id name arguments id status",
    "function_call_output": "type call_id output id status",
    "reasoning": "type id summary content encrypted_content status",
}
ENCRYPTED = "gAAA"
"""How the vendor's own encrypted reasoning begins."""


def path_holds(path: str) -> bool:
    return path.endswith("/responses")


def asked(request: Request, vendor: Vendor) -> Asked:
    """Check a request by the rules of the API."""
    body = request.body
    only(body, BODY, "body")
    given = body.get("input")
    items = [{"type": "message", "role": "user", "content": given}] if isinstance(given, str) else given
    expect(isinstance(items, list) and items, "Missing required parameter: 'input'.")
    waiting: list[str] = []
    for place, item in enumerate(items):
        kind = item.get("type", "message")
        expect(kind in ITEMS, f"Invalid value: {kind!r}. input[{place}].type")
        only(item, ITEMS[kind], f"input[{place}]")
        expect("mesh" not in str(item.get("id")), f"Item with id {item.get('id')!r} not found.", 404)
        if kind == "function_call":
            expect(isinstance(json.loads(item["arguments"]), dict), f"input[{place}].arguments: not an object")
            waiting.append(item["call_id"])
        elif kind == "function_call_output":
            expect(item["call_id"] in waiting, f"No tool call found for function call output with call_id {item['call_id']}.")
            waiting.remove(item["call_id"])
        elif kind == "reasoning":
            expect(vendor.name in item["id"], f"Item with id {item['id']!r} not found.", 404)
            encrypted = item.get("encrypted_content") or ENCRYPTED
            expect(encrypted.startswith(ENCRYPTED), "The encrypted content could not be verified.")
    expect(not waiting, f"No tool output found for function call {waiting}.")
    tools = [tool for tool in body.get("tools") or () if tool["type"] != "web_search"]
    expect(all(tool["type"] == "function" and TOOL_NAME.fullmatch(tool["name"]) for tool in tools), "Invalid 'tools[0].name'")
    messages = [item for item in items if item.get("type", "message") == "message"]
    users = [place for place, item in enumerate(items) if item.get("role") == "user"]
    last = texts(items[users[-1]]["content"], "input") if users else ""
    results = sum(item.get("type") == "function_call_output" for item in items[users[-1] :]) if users else 0
    prompt = " ".join([body.get("instructions") or "", *(texts(item.get("content"), "input") for item in messages)])
    limit, names = body.get("max_output_tokens"), tuple(tool["name"] for tool in tools)
    return Asked(body.get("model", ""), prompt, bool(body.get("stream")), limit, last, results, tools=names)


def whole(asked: Asked, answer: Answer, vendor: Vendor) -> dict[str, Any]:
    """Build a plain answer."""
    summary = [{"type": "summary_text", "text": "Hm."}]
    output: list[dict[str, Any]] = [{"id": f"rs_{vendor.name}_{answer.number}", "type": "reasoning", "summary": summary}]
    if answer.text or not answer.calls:
        part = {"type": "output_text", "text": answer.text, "annotations": [], "logprobs": []}
        output.append(
            {"id": f"msg_{answer.number}", "type": "message", "role": "assistant", "status": "completed", "content": [part]}
        )
    for place, (name, given) in enumerate(answer.calls):
        call = {"id": f"fc_{answer.number}_{place}", "call_id": f"call_{answer.number}_{place}", "status": "completed"}
        output.append({**call, "type": "function_call", "name": name, "arguments": json.dumps(given)})
    return {**_begun(asked, answer), **_ending(answer), "output": output, "usage": _usage(answer)}


def _begun(asked: Asked, answer: Answer) -> dict[str, Any]:
    head = {"id": f"resp_{answer.number}", "object": "response", "created_at": 1, "model": asked.model, "status": "in_progress"}
    echoed = {"tools": [], "tool_choice": "auto", "parallel_tool_calls": True, "metadata": {}, "instructions": None}
    return {**head, "output": [], "error": None, "incomplete_details": None, "usage": None, **echoed}


def _ending(answer: Answer) -> dict[str, Any]:
    if answer.finish == "length":
        return {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
    return {"status": "completed"}


def _usage(answer: Answer) -> dict[str, Any]:
    return {
        "input_tokens": answer.prompt,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": answer.completion,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": answer.prompt + answer.completion,
    }


def events(asked: Asked, answer: Answer, vendor: Vendor) -> Iterator[str]:
    """Build a stream: the first event carries no content."""
    for number, (kind, data) in enumerate(_events(asked, answer, whole(asked, answer, vendor))):
        yield f"event: {kind}\ndata: {json.dumps({'type': kind, 'sequence_number': number, **data})}\n\n"


def _events(asked: Asked, answer: Answer, response: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "response.created", {"response": _begun(asked, answer)}
    yield "response.in_progress", {"response": _begun(asked, answer)}
    for index, item in enumerate(response["output"]):
        where = {"output_index": index, "item_id": item["id"]}
        if item["type"] == "reasoning":
            part = {**where, "summary_index": 0}
            yield "response.output_item.added", {"output_index": index, "item": {**item, "summary": []}}
            yield "response.reasoning_summary_part.added", {**part, "part": {"type": "summary_text", "text": ""}}
            yield "response.reasoning_summary_text.delta", {**part, "delta": "Hm."}
            yield "response.reasoning_summary_text.done", {**part, "text": "Hm."}
            yield "response.reasoning_summary_part.done", {**part, "part": item["summary"][0]}
        elif item["type"] == "message":
            part = {**where, "content_index": 0}
            yield "response.output_item.added", {"output_index": index, "item": {**item, "status": "in_progress", "content": []}}
            yield "response.content_part.added", {**part, "part": {**item["content"][0], "text": ""}}
            for piece in answer.pieces:
                yield "response.output_text.delta", {**part, "delta": piece, "logprobs": []}
            yield "response.output_text.done", {**part, "text": answer.text, "logprobs": []}
            yield "response.content_part.done", {**part, "part": item["content"][0]}
        else:
            yield (
                "response.output_item.added",
                {"output_index": index, "item": {**item, "status": "in_progress", "arguments": ""}},
            )
            for half in (item["arguments"][:4], item["arguments"][4:]):
                yield "response.function_call_arguments.delta", {**where, "delta": half}
            yield "response.function_call_arguments.done", {**where, "arguments": item["arguments"]}
        yield "response.output_item.done", {"output_index": index, "item": item}
    yield f"response.{response['status']}", {"response": response}
