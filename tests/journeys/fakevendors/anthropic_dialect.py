"""Anthropic's messages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from fakevendors.requests import Answer, Asked, Request, expect, only, texts
from fakevendors.vendors import TOOL_NAME, Vendor

KEYS = {"x-api-key": "", "authorization": "Bearer "}
"""Headers of the key, with their prefixes."""
BODY = (
    "model max_tokens messages system tools tool_choice stream stop_sequences temperature top_p top_k metadata thinking "
    "output_config service_tier cache_control"
)
BLOCKS = {
    "text": "type text cache_control citations",
    "image": "type source cache_control",
    "document": "type source title context cache_control citations",
    "thinking": "type thinking signature",
    "tool_use": "type id name input cache_control",
    "tool_result": "type tool_use_id content is_error cache_control",
}
ID = re.compile(r"[a-zA-Z0-9_-]+")
FINISH = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use"}


def path_holds(path: str) -> bool:
    return path.endswith("/v1/messages")


def asked(request: Request, vendor: Vendor) -> Asked:
    """Check a request by Anthropic's rules."""
    body = request.body
    expect(request.headers.get("anthropic-version"), "anthropic-version: header is required")
    only(body, BODY, "body")
    limit = body.get("max_tokens")
    expect(isinstance(limit, int) and limit > 0, "max_tokens: Field required")
    system = body.get("system")
    expect(system is None or texts(system, "system").strip(), "system: text content blocks must be non-empty")
    stops = body.get("stop_sequences") or ()
    expect(all(stop.strip() for stop in stops), "stop_sequences: each stop sequence must contain non-whitespace")
    turns = body.get("messages")
    expect(isinstance(turns, list) and turns, "messages: at least one message is required")
    expect(turns[0].get("role") == "user", 'messages: first message must use the "user" role')
    waiting: list[str] = []
    last, results = "", 0
    for place, turn in enumerate(turns):
        where = f"messages.{place}"
        only(turn, "role content", where)
        expect(turn["role"] in ("user", "assistant"), f"{where}.role: Input should be 'user' or 'assistant'")
        content = turn["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        expect(blocks, f"{where}: all messages must have non-empty content")
        found = _check_blocks(blocks, where)
        expect(sorted(found) == sorted(waiting), f"{where}: tool_use ids without tool_result blocks after: {waiting}")
        waiting = [block["id"] for block in blocks if block["type"] == "tool_use"]
        if turn["role"] == "user":
            said = " ".join(block["text"] for block in blocks if block["type"] == "text")
            last, results = (said, 0) if said else (last, results + len(found))
    expect(not waiting, f"messages: tool_use ids without tool_result blocks after: {waiting}")
    if turns[-1]["role"] == "assistant":
        expect(texts(turns[-1]["content"], "x").rstrip() == texts(turns[-1]["content"], "x"), "trailing whitespace")
    tools = tuple(tool["name"] for tool in body.get("tools") or ())
    expect(all(TOOL_NAME.fullmatch(name) for name in tools), "tools.0.name: String should match pattern")
    prompt = " ".join([texts(system, "system"), *(texts(turn["content"], "messages") for turn in turns)])
    return Asked(body.get("model", ""), prompt, bool(body.get("stream")), limit, last, results, tools=tools)


def _check_blocks(blocks: list[dict[str, Any]], where: str) -> list[str]:
    for block in blocks:
        kind = block.get("type")
        expect(kind in BLOCKS, f"{where}.content: Input tag {kind!r} does not match any of the expected tags")
        only(block, BLOCKS[kind], f"{where}.{kind}")
        if kind == "text":
            expect(block["text"].strip(), f"{where}: text content blocks must contain non-whitespace text")
        if kind == "tool_use":
            expect(ID.fullmatch(block["id"]), f"{where}.tool_use.id: String should match pattern")
            expect(isinstance(block["input"], dict), f"{where}.tool_use.input: Input should be a valid dictionary")
    kinds = [block["type"] for block in blocks]
    results = [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]
    expect(kinds[: len(results)] == ["tool_result"] * len(results), f"{where}: tool_result blocks must come first")
    return results


def whole(asked: Asked, answer: Answer, vendor: Vendor) -> dict[str, Any]:
    """Build a plain answer."""
    usage = {"input_tokens": answer.prompt, "output_tokens": answer.completion}
    head = {"id": f"msg_{answer.number}", "type": "message", "role": "assistant", "model": asked.model}
    return {**head, "content": _blocks(answer), "stop_reason": FINISH[answer.finish], "stop_sequence": None, "usage": usage}


def events(asked: Asked, answer: Answer, vendor: Vendor) -> Iterator[str]:
    """Build a stream: the first event carries no content."""
    message = whole(asked, answer, vendor)
    begun = {**message, "content": [], "stop_reason": None, "usage": {**message["usage"], "output_tokens": 0}}
    yield _event("message_start", message=begun)
    for index, block in enumerate(message["content"]):
        if block["type"] == "text":
            yield _event("content_block_start", index=index, content_block={"type": "text", "text": ""})
            for piece in answer.pieces:
                yield _event("content_block_delta", index=index, delta={"type": "text_delta", "text": piece})
        else:
            yield _event("content_block_start", index=index, content_block={**block, "input": {}})
            given = json.dumps(block["input"])
            for half in (given[:4], given[4:]):
                yield _event("content_block_delta", index=index, delta={"type": "input_json_delta", "partial_json": half})
        yield _event("content_block_stop", index=index)
    end = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    yield _event("message_delta", delta=end, usage={"output_tokens": answer.completion})
    yield _event("message_stop")


def _blocks(answer: Answer) -> list[dict[str, Any]]:
    text = [{"type": "text", "text": answer.text}] if answer.text else []
    calls = [
        {"type": "tool_use", "id": f"toolu_{answer.number:020}{place:02}", "name": name, "input": given}
        for place, (name, given) in enumerate(answer.calls)
    ]
    return [*text, *calls]


def _event(kind: str, **data: Any) -> str:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **data})}\n\n"
