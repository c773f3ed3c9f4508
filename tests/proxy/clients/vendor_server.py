"""A vendor of three dialects, whose answers depend on the words of the prompt and carry fields that no client knows.

``fail 429`` fails with that status, ``weather`` calls a tool, ``think`` shows thoughts, ``die`` cuts the stream. A request for JSON
receives a person.
"""

from __future__ import annotations

import base64
import json
import re
import struct
from typing import Any

from modelmesh_cdk.testing import Received, Script, event

TEXT = ["Hello", " from", " the", " vendor", "."]
PERSON = {"name": "Ada", "age": 36}
CALL = {"city": "Paris"}
AFTER = ["It is sunny", " in Paris."]
USAGE = {
    "prompt_tokens": 11,
    "completion_tokens": 7,
    "total_tokens": 18,
    "prompt_tokens_details": {"cached_tokens": 3, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 2, "audio_tokens": 0},
}
GOOGLE_USAGE = {
    "promptTokenCount": 11,
    "candidatesTokenCount": 5,
    "thoughtsTokenCount": 2,
    "totalTokenCount": 18,
    "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 11}],
}


def answer(request: Received) -> Script:
    """Answer one request."""
    path = request.path.partition("?")[0]
    if path.endswith("/models"):
        return _json({"object": "list", "data": [{"id": "model-o", "object": "model", "created": 1, "owned_by": "test"}]})
    words = request.body.decode()
    failing = re.search(r"fail (\d{3})", words)
    if failing:
        return _failure(int(failing[1]), path)
    if ":" in path:
        return _google(request, path)
    if path.endswith("/messages"):
        return _anthropic(request)
    if path.endswith("/count_tokens"):
        return _json({"input_tokens": 9})
    if path.endswith("/responses"):  # a server of chat completions only
        return Script(404, b"<html>Not Found</html>", content_type="text/html")
    if path.endswith("/embeddings"):
        return _embeddings(request.json)
    return _openai(request)


def _json(body: Any, status: int = 200) -> Script:
    return Script(status, json.dumps(body).encode(), {"x-request-id": "req_vendor"})


def _sse(events: list[bytes], *, cut: bool = False) -> Script:
    return Script(200, events, {"x-request-id": "req_vendor"}, "text/event-stream", cut=cut)


def _failure(status: int, path: str) -> Script:
    message = f"The vendor failed with {status}."
    if ":" in path:
        names = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED"}
        return _json({"error": {"code": status, "message": message, "status": names.get(status, "INTERNAL")}}, status)
    if path.endswith("/messages"):
        kinds = {400: "invalid_request_error", 401: "authentication_error", 404: "not_found_error", 429: "rate_limit_error"}
        return _json({"type": "error", "error": {"type": kinds.get(status, "api_error"), "message": message}}, status)
    return _json({"error": {"message": message, "type": "test_error", "param": None, "code": "test_code"}}, status)


def _embeddings(body: dict[str, Any]) -> Script:
    given = body["input"]
    texts = [given] if isinstance(given, str) else given
    rows = []
    for place, _ in enumerate(texts):
        vector: Any = [0.5, -0.25, float(place)]
        if body.get("encoding_format") == "base64":
            vector = base64.b64encode(struct.pack("<3f", *vector)).decode()
        rows.append({"object": "embedding", "index": place, "embedding": vector})
    return _json(
        {
            "object": "list",
            "data": rows,
            "model": body["model"],
            "usage": {"prompt_tokens": 4, "total_tokens": 4},
            "x_new": {"a": 1},
        }
    )


# -- OpenAI ------------------------------------------------------------------------------------------------------------------


def _openai(request: Received) -> Script:
    body = request.json
    head = {
        "id": "chatcmpl-vendor",
        "created": 1_700_000_000,
        "model": body["model"],
        "system_fingerprint": "fp_1",
        "service_tier": "default",
        "x_vendor": {"region": "eu"},
    }
    words, calls, answered = request.body.decode(), None, body["messages"][-1]["role"] == "tool"
    pieces = AFTER if answered else TEXT
    if "response_format" in body:
        pieces = [json.dumps(PERSON)]
    elif "weather" in words and body.get("tools") and not answered:
        name = body["tools"][0]["function"]["name"]
        pieces, calls = [], [{"id": "call_1", "type": "function", "function": {"name": name, "arguments": json.dumps(CALL)}}]
    finish = "tool_calls" if calls else "stop"
    if not body.get("stream"):
        message: dict[str, Any] = {"role": "assistant", "content": "".join(pieces) or None, "refusal": None, "annotations": []}
        if calls:
            message["tool_calls"] = calls
        if "think" in words:
            message["reasoning_content"] = "I think."
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish}
        return _json({**head, "object": "chat.completion", "choices": [choice], "usage": USAGE})
    head["object"] = "chat.completion.chunk"
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": "", "refusal": None}]
    deltas += [{"reasoning_content": "I think."}] if "think" in words else []
    deltas += [{"content": piece} for piece in pieces]
    if calls:
        function = calls[0]["function"]
        deltas.append({"tool_calls": [{"index": 0, **calls[0], "function": {"name": function["name"], "arguments": ""}}]})
        text = function["arguments"]
        deltas += [{"tool_calls": [{"index": 0, "function": {"arguments": one}}]} for one in (text[:5], text[5:])]
    choices = [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": None} for delta in deltas]
    chunks = [{**head, "choices": [choice]} for choice in choices]
    if "die" in words:
        return _sse([event(one) for one in chunks[:4]], cut=True)
    chunks.append({**head, "choices": [{"index": 0, "delta": {}, "logprobs": None, "finish_reason": finish}]})
    if (body.get("stream_options") or {}).get("include_usage"):
        chunks.append({**head, "choices": [], "usage": USAGE})
    return _sse([*map(event, chunks), event("[DONE]")])


# -- Anthropic ---------------------------------------------------------------------------------------------------------------


def _anthropic(request: Received) -> Script:
    body, words = request.json, request.body.decode()
    last = body["messages"][-1]["content"]
    answered = isinstance(last, list) and any(block.get("type") == "tool_result" for block in last)
    blocks: list[dict[str, Any]] = [{"type": "text", "text": "".join(AFTER if answered else TEXT), "citations": None}]
    if "think" in words:
        blocks.insert(0, {"type": "thinking", "thinking": "I think.", "signature": "c2ln"})
    stop = "end_turn"
    if "weather" in words and body.get("tools") and not answered:
        blocks[-1:] = [{"type": "tool_use", "id": "toolu_1", "name": body["tools"][0]["name"], "input": CALL}]
        stop = "tool_use"
    usage = {"input_tokens": 11, "output_tokens": 7, "cache_read_input_tokens": 3, "cache_creation_input_tokens": 0, "x_new": 1}
    head = {"id": "msg_vendor", "type": "message", "role": "assistant", "model": body["model"], "x_vendor": {"region": "eu"}}
    if not body.get("stream"):
        return _json({**head, "content": blocks, "stop_reason": stop, "stop_sequence": None, "usage": usage})
    start = {**head, "content": [], "stop_reason": None, "stop_sequence": None, "usage": {**usage, "output_tokens": 1}}
    events: list[dict[str, Any]] = [{"type": "message_start", "message": start}, {"type": "ping"}]
    for index, block in enumerate(blocks):
        events += _block_events(index, block)
    if "die" in words:
        return _sse([_named(one) for one in events[:5]], cut=True)
    ended = {"stop_reason": stop, "stop_sequence": None}
    events += [{"type": "message_delta", "delta": ended, "usage": usage}, {"type": "message_stop"}]
    return _sse([_named(one) for one in events])


def _block_events(index: int, block: dict[str, Any]) -> list[dict[str, Any]]:
    kind = block["type"]
    if kind == "text":
        empty, deltas = {**block, "text": ""}, [{"type": "text_delta", "text": piece} for piece in _halves(block["text"])]
    elif kind == "thinking":
        empty = {"type": "thinking", "thinking": "", "signature": ""}
        deltas = [
            {"type": "thinking_delta", "thinking": block["thinking"]},
            {"type": "signature_delta", "signature": block["signature"]},
        ]
    else:
        text = json.dumps(block["input"])
        empty, deltas = {**block, "input": {}}, [{"type": "input_json_delta", "partial_json": one} for one in _halves(text)]
    events = [{"type": "content_block_start", "index": index, "content_block": empty}]
    events += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
    return [*events, {"type": "content_block_stop", "index": index}]


def _halves(text: str) -> list[str]:
    return [text[: len(text) // 2], text[len(text) // 2 :]]


def _named(item: dict[str, Any]) -> bytes:
    return f"event: {item['type']}\ndata: {json.dumps(item)}\n\n".encode()


# -- Google ------------------------------------------------------------------------------------------------------------------


def _google(request: Received, path: str) -> Script:
    body, words, verb = request.json, request.body.decode(), path.rpartition(":")[2]
    if verb == "batchEmbedContents":
        return _json({"embeddings": [{"values": [0.5, -0.25, float(place)]} for place, _ in enumerate(body["requests"])]})
    if verb == "countTokens":
        return _json({"totalTokens": 9})
    last = body["contents"][-1]["parts"]
    answered = any("functionResponse" in part for part in last)
    parts: list[dict[str, Any]] = [{"text": piece} for piece in (AFTER if answered else TEXT)]
    if (body.get("generationConfig") or {}).get("responseMimeType") == "application/json":
        parts = [{"text": json.dumps(PERSON)}]
    if "think" in words:
        parts = [{"text": "I think.", "thought": True}, *parts[:-1], {**parts[-1], "thoughtSignature": "c2ln"}]
    if "weather" in words and body.get("tools") and not answered:
        name = body["tools"][0]["functionDeclarations"][0]["name"]
        parts = [{"functionCall": {"name": name, "args": CALL, "id": "c1"}, "thoughtSignature": "c2ln"}]
    if "picture" in words:
        parts.append({"inlineData": {"mimeType": "image/png", "data": "AAAA"}})
    model = path.rpartition("/")[2].partition(":")[0]
    head = {"modelVersion": model, "responseId": "resp-vendor"}
    ratings = [{"category": "HARM_CATEGORY_HARASSMENT", "probability": "NEGLIGIBLE"}]
    if "block" in words:
        return _json(
            {"promptFeedback": {"blockReason": "SAFETY", "safetyRatings": ratings}, "usageMetadata": GOOGLE_USAGE, **head}
        )
    ending = {"finishReason": "STOP", "safetyRatings": ratings, "avgLogprobs": -0.5, "index": 0}
    if verb == "generateContent":
        content = {"role": "model", "parts": parts}
        return _json({"candidates": [{"content": content, **ending}], "usageMetadata": GOOGLE_USAGE, **head})
    events = [{"candidates": [{"content": {"role": "model", "parts": [part]}, "index": 0}], **head} for part in parts]
    if "die" in words:
        return _sse([event(one) for one in events[:2]], cut=True)
    events[-1]["candidates"][0] |= ending
    events[-1]["usageMetadata"] = GOOGLE_USAGE
    return _sse([event(one) for one in events])
