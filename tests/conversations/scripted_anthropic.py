"""Scripted Anthropic, version 2026-10-21: its own thinking and calls must return unchanged, without those of other vendors."""

from __future__ import annotations

import json
import re
from typing import Any

from scripted import Say, Vendor, expect, refuse, unknown_keys

PARAMETERS = "model max_tokens messages system tools stream output_config thinking"
FIELDS = {
    "text": "type text",
    "thinking": "type thinking signature",
    "tool_use": "type id name input",
    "tool_result": "type tool_use_id content",
}
ID = re.compile(r"[a-zA-Z0-9_-]+")


class Anthropic(Vendor):
    name = "anthropic"
    connector = "anthropic.claude.v1"
    model = "claude-sonnet-5-5"

    def __init__(self) -> None:
        super().__init__()
        self.signed: dict[str, str] = {}
        self.turns: dict[str, list[Any]] = {}
        """Blocks of each turn with tool calls, by the ID of its first call."""

    def asked(self, body: dict[str, Any]) -> tuple[str, int]:
        unknown_keys(body, PARAMETERS, "body")
        expect(isinstance(body.get("max_tokens"), int), "max_tokens: Field required")
        turns = body["messages"]
        expect([turn["role"] for turn in turns] == (["user", "assistant"] * len(turns))[: len(turns)], "roles must alternate")
        waiting: list[str] = []
        for turn in turns:
            blocks = [{"type": "text", "text": turn["content"]}] if isinstance(turn["content"], str) else turn["content"]
            for block in blocks:
                unknown_keys(block, FIELDS[block["type"]], block["type"])
            results = [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]
            expect(sorted(results) == sorted(waiting), f"tool_use ids {waiting} want results, {results} came")
            waiting = self._called(blocks) if turn["role"] == "assistant" else []
        users = [turn["content"] for turn in turns if turn["role"] == "user"]
        texts = [place for place, said in enumerate(users) if isinstance(said, str)]
        return users[texts[-1]], sum(len(said) for said in users[texts[-1] + 1 :])

    def _called(self, blocks: list[Any]) -> list[str]:
        calls = [block["id"] for block in blocks if block["type"] == "tool_use"]
        for block in blocks:
            if block["type"] == "thinking":
                expect(self.signed.get(block["signature"]) == block["thinking"], "Invalid `signature` in `thinking` block")
            if block["type"] == "text":
                expect(block["text"], "text content blocks must be non-empty")
        expect(all(ID.fullmatch(one) for one in calls), f"tool_use.id: String should match pattern: {calls}")
        if calls and calls[0] in self.turns:
            expect(blocks == self.turns[calls[0]], "`thinking` blocks in a tool-use turn cannot be modified")
        elif calls and any(block["type"] == "thinking" for block in blocks):
            refuse("`thinking` next to calls that this model never made")
        return calls

    def whole(self, say: Say) -> dict[str, Any]:
        signature = f"c2lnbmVk{self.number()}"
        self.signed[signature] = say.thought
        blocks: list[Any] = [{"type": "thinking", "thinking": say.thought, "signature": signature}]
        blocks += [{"type": "text", "text": say.text}] if say.text else []
        calls = [
            {"type": "tool_use", "id": f"toolu_{self.number():022}", "name": name, "input": given} for name, given in say.calls
        ]
        if calls:
            self.turns[calls[0]["id"]] = [*blocks, *calls]
        return {
            "id": "msg_test",
            "type": "message",
            "role": "assistant",
            "model": self.model,
            "content": [*blocks, *calls],
            "stop_reason": "tool_use" if calls else "end_turn",
            "stop_sequence": None,
            "usage": {"input_tokens": 1, "output_tokens": 1},
        }

    def events(self, answer: dict[str, Any]) -> list[Any]:
        start = {**answer, "content": [], "stop_reason": None}
        found: list[Any] = [{"type": "message_start", "message": start}, {"type": "ping"}]
        for index, block in enumerate(answer["content"]):
            for kind, data in _block_events(block):
                found.append({"type": kind, "index": index, **data})
        stop = {"stop_reason": answer["stop_reason"], "stop_sequence": None}
        found += [{"type": "message_delta", "delta": stop, "usage": {"output_tokens": 1}}, {"type": "message_stop"}]
        return [(event["type"], event) for event in found]


def _block_events(block: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    begun: dict[str, Any] = {**block}
    if block["type"] == "thinking":
        begun |= {"thinking": "", "signature": ""}
        deltas = [{"type": "thinking_delta", "thinking": piece} for piece in (block["thinking"][:5], block["thinking"][5:])]
        deltas.append({"type": "signature_delta", "signature": block["signature"]})
    elif block["type"] == "text":
        begun["text"] = ""
        deltas = [{"type": "text_delta", "text": block["text"]}]
    else:
        begun["input"] = {}
        text = json.dumps(block["input"])
        deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in (text[:3], text[3:])]
    events = [("content_block_delta", {"delta": delta}) for delta in deltas]
    return [("content_block_start", {"content_block": begun}), *events, ("content_block_stop", {})]
