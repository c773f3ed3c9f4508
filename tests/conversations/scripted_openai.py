"""Scripted OpenAI: strict about fields and the length of IDs. Its responses have no further fields."""

from __future__ import annotations

import json
from typing import Any

from scripted import Say, Vendor, answered_calls, expect, last_asked, unknown_keys

PARAMETERS = "model messages tools stream stream_options max_completion_tokens reasoning_effort"
FIELDS = {
    "developer": "role content name",
    "system": "role content name",
    "user": "role content name",
    "assistant": "role content name refusal audio function_call tool_calls annotations",  # annotations as it sends them
    "tool": "role content tool_call_id",
}


class OpenAI(Vendor):
    name = "openai"
    connector = "openai.llm.v1"
    model = "gpt-6.1-terra"

    def asked(self, body: dict[str, Any]) -> tuple[str, int]:
        unknown_keys(body, PARAMETERS, "body")
        for place, message in enumerate(body["messages"]):
            unknown_keys(message, FIELDS[message["role"]], f"messages[{place}]")
            expect(message.get("content") is not None or message.get("tool_calls"), f"messages[{place}]: content is required")
            for call in message.get("tool_calls") or ():
                unknown_keys(call, "id type function index", f"messages[{place}].tool_calls")
                expect(len(call["id"]) <= 40, f"Invalid 'messages[{place}].tool_calls[0].id': string too long")
                json.loads(call["function"]["arguments"])
        answered_calls(body["messages"])
        return last_asked(body["messages"])

    def whole(self, say: Say) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": say.text or None, "refusal": None, "annotations": []}
        calls = [
            {"id": f"call_{self.number():024}", "type": "function", "function": {"name": name, "arguments": json.dumps(given)}}
            for name, given in say.calls
        ]
        if calls:
            message["tool_calls"] = calls
        choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if calls else "stop", "logprobs": None}
        return {
            "id": "chatcmpl-test",
            "object": "chat.completion",
            "created": 1,
            "model": self.model,
            "choices": [choice],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
        }

    def events(self, answer: dict[str, Any]) -> list[Any]:
        message, finish = answer["choices"][0]["message"], answer["choices"][0]["finish_reason"]
        text = message["content"] or ""
        deltas: list[dict[str, Any]] = [{"role": "assistant", "content": "" if message["content"] else None, "refusal": None}]
        deltas += [{"content": piece} for piece in (text[:5], text[5:]) if piece]
        for index, call in enumerate(message.get("tool_calls", ())):
            said = call["function"]["arguments"]
            deltas.append({"tool_calls": [{**call, "index": index, "function": {**call["function"], "arguments": ""}}]})
            deltas += [{"tool_calls": [{"index": index, "function": {"arguments": half}}]} for half in (said[:4], said[4:])]
        head = {**answer, "object": "chat.completion.chunk", "usage": None}
        chunks = [{**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
        return [*chunks, {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]}, "[DONE]"]
