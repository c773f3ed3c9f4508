"""Scripted Mistral: IDs of nine letters and digits, no unknown field, reasoning in signed chunks."""

from __future__ import annotations

import json
import re
from typing import Any

from scripted import Say, Vendor, answered_calls, expect, last_asked, unknown_keys

PARAMETERS = "model messages tools stream max_tokens reasoning_effort"
FIELDS = {
    "system": "role content",
    "user": "role content",
    "assistant": "role content tool_calls prefix",
    "tool": "role content tool_call_id name",
}
ID = re.compile(r"[a-zA-Z0-9]{9}")


class Mistral(Vendor):
    name = "mistral"
    connector = "mistral.api.v1"
    model = "mistral-medium-3-5"

    def __init__(self) -> None:
        super().__init__()
        self.said: dict[str, Any] = {}
        """Content of each message with tool calls, by the ID of its first call."""

    def asked(self, body: dict[str, Any]) -> tuple[str, int]:
        unknown_keys(body, PARAMETERS, "body")
        for place, message in enumerate(body["messages"]):
            unknown_keys(message, FIELDS[message["role"]], f"messages[{place}]")
            calls = message.get("tool_calls") or []
            for call in calls:
                unknown_keys(call, "id type function index", f"messages[{place}].tool_calls")
            given = [call["id"] for call in calls] + ([message["tool_call_id"]] if message["role"] == "tool" else [])
            for one in given:
                expect(ID.fullmatch(one), f"Tool call id was {one} but must be a-z, A-Z, 0-9, with a length of 9.")
            if calls and calls[0]["id"] in self.said:
                expect(message.get("content") == self.said[calls[0]["id"]], f"messages[{place}]: thinking was altered")
            elif calls:
                expect(not isinstance(message.get("content"), list), f"messages[{place}]: thinking that is not this model's")
        answered_calls(body["messages"])
        return last_asked(body["messages"])

    def whole(self, say: Say) -> dict[str, Any]:
        thought = {"type": "thinking", "thinking": [{"type": "text", "text": say.thought}], "signature": f"c2ln{self.number()}"}
        content = [thought, {"type": "text", "text": say.text}] if say.text else [thought]
        message: dict[str, Any] = {"role": "assistant", "content": content}
        if say.calls:
            message["tool_calls"] = [
                {"id": f"M{self.number():08}", "type": "function", "function": {"name": name, "arguments": json.dumps(given)}}
                for name, given in say.calls
            ]
            self.said[message["tool_calls"][0]["id"]] = content
        choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if say.calls else "stop"}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        head = {"id": "test", "object": "chat.completion", "created": 1, "model": self.model}
        return {**head, "choices": [choice], "usage": usage}

    def events(self, answer: dict[str, Any]) -> list[Any]:
        choice = answer["choices"][0]
        message = choice["message"]
        thought = message["content"][0]
        said = thought["thinking"][0]["text"]
        pieces = [{"type": "thinking", "thinking": [{"type": "text", "text": half}]} for half in (said[:3], said[3:])]
        pieces[-1]["signature"] = thought["signature"]
        deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}, *({"content": [one]} for one in pieces)]
        deltas += [{"content": chunk["text"]} for chunk in message["content"][1:]]
        deltas.append({"tool_calls": [{**call, "index": place} for place, call in enumerate(message.get("tool_calls", ()))]})
        head = {**answer, "object": "chat.completion.chunk"}
        del head["usage"]
        chunks: list[Any] = [{**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
        last = {**head, "choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": choice["finish_reason"]}]}
        return [*chunks, {**last, "usage": answer["usage"]}, "[DONE]"]
