"""Scripted Cohere: reasons and plans before it calls, and accepts only its own reasoning."""

from __future__ import annotations

import json
from typing import Any

from scripted import Say, Vendor, answered_calls, expect, last_asked, unknown_keys

PARAMETERS = "model messages tools stream max_tokens thinking"
FIELDS = {
    "system": "role content",
    "user": "role content",
    "assistant": "role content tool_calls tool_plan citations",
    "tool": "role content tool_call_id",
}


class Cohere(Vendor):
    name = "cohere"
    connector = "cohere.nlp.v1"
    model = "command-a-reasoning-08-2025"

    def __init__(self) -> None:
        super().__init__()
        self.said: dict[str, dict[str, Any]] = {}
        """Each message with tool calls, by the ID of its first call."""

    def asked(self, body: dict[str, Any]) -> tuple[str, int]:
        unknown_keys(body, PARAMETERS, "body")
        for place, message in enumerate(body["messages"]):
            unknown_keys(message, FIELDS[message["role"]], f"messages[{place}]")
            if message["role"] == "assistant":
                self._assistant(message, place)
        answered_calls(body["messages"])
        return last_asked(body["messages"])

    def _assistant(self, message: dict[str, Any], place: int) -> None:
        expect(message.get("content") or message.get("tool_calls"), f"messages[{place}]: message must not be empty in a turn")
        content = message.get("content") or []
        for block in content if isinstance(content, list) else ():
            unknown_keys(block, f"type {block['type']}", f"messages[{place}].content")
        calls = message.get("tool_calls") or ()
        for call in calls:
            unknown_keys(call, "id type function", f"messages[{place}].tool_calls")
        ours = self.said.get(calls[0]["id"]) if calls else None
        if ours is not None:
            same = all(message.get(name) == ours.get(name) for name in ("content", "tool_plan", "tool_calls"))
            expect(same, f"messages[{place}]: not the message of this model")
        elif calls:
            thought = isinstance(content, list) and any(block["type"] == "thinking" for block in content)
            expect(not thought and "tool_plan" not in message, f"messages[{place}]: thoughts of another model")

    def whole(self, say: Say) -> dict[str, Any]:
        content: list[Any] = [{"type": "thinking", "thinking": say.thought}]
        content += [{"type": "text", "text": say.text}] if say.text else []
        message: dict[str, Any] = {"role": "assistant", "content": content}
        if say.calls:
            message["tool_plan"] = "I will look that up."
            message["tool_calls"] = [
                {
                    "id": f"{name}_of_a_very_long_winded_kind_{self.number():08}",
                    "type": "function",
                    "function": {"name": name, "arguments": json.dumps(given)},
                }
                for name, given in say.calls
            ]
            self.said[message["tool_calls"][0]["id"]] = message
        usage = {"billed_units": {"input_tokens": 1, "output_tokens": 1}, "tokens": {"input_tokens": 1, "output_tokens": 1}}
        return {"id": "test", "finish_reason": "TOOL_CALL" if say.calls else "COMPLETE", "message": message, "usage": usage}

    def events(self, answer: dict[str, Any]) -> list[Any]:
        message = answer["message"]
        found: list[Any] = [{"type": "message-start", "id": "test", "delta": {"message": {"role": "assistant"}}}]
        for index, block in enumerate(message["content"]):
            kind = block["type"]
            found += [
                _of("content-start", index, {"content": {"type": kind, kind: ""}}),
                *(_of("content-delta", index, {"content": {kind: half}}) for half in (block[kind][:4], block[kind][4:])),
                {"type": "content-end", "index": index},
            ]
        if message.get("tool_plan"):
            found.append({"type": "tool-plan-delta", "delta": {"message": {"tool_plan": message["tool_plan"]}}})
        for index, call in enumerate(message.get("tool_calls", ())):
            said = call["function"]["arguments"]
            begun = {**call, "function": {**call["function"], "arguments": ""}}
            found += [
                _of("tool-call-start", index, {"tool_calls": begun}),
                _of("tool-call-delta", index, {"tool_calls": {"function": {"arguments": said}}}),
                {"type": "tool-call-end", "index": index},
            ]
        end = {"finish_reason": answer["finish_reason"], "usage": answer["usage"]}
        return [(one["type"], one) for one in (*found, {"type": "message-end", "delta": end})]


def _of(kind: str, index: int, message: dict[str, Any]) -> dict[str, Any]:
    return {"type": kind, "index": index, "delta": {"message": message}}
