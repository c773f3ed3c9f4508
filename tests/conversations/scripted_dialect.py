"""Scripted vendors of OpenAI's format with their own rules and fields, each bound to the rules of its connector."""

from __future__ import annotations

import importlib
import json
from typing import Any, ClassVar

from scripted import Say, Vendor, answered_calls, expect, last_asked
from scripted_openai import OpenAI

from modelmesh_cdk.message_rules import MessageRules, find_violations

ADDED: dict[str, dict[str, Any]] = {
    "deepseek": {"reasoning_content": "Two lookups."},
    "groq": {"reasoning": "Two lookups."},
    "xai": {"reasoning_content": "Two lookups.", "refusal": None},
    "together": {"reasoning": "Two lookups."},
    "fireworks": {"reasoning_content": "Two lookups."},
    "openrouter": {"reasoning": "Two lookups.", "reasoning_details": [{"type": "reasoning.text", "text": "Two lookups.", "signature": "c2ln"}]},
    "huggingface": {"reasoning": "Two lookups."},
    "ollama": {"reasoning": "Two lookups."},
    "vllm": {"reasoning_content": "Two lookups.", "reasoning": "Two lookups.", "annotations": None, "audio": None, "function_call": None},
    "lmstudio": {},
    "localai": {},
}  # fmt: skip
"""Fields that each vendor adds to OpenAI's format."""

CONNECTORS = {
    "deepseek": "deepseek.api.v1",
    "groq": "groq.api.v1",
    "xai": "xai.grok.v1",
    "together": "together.api.v1",
    "fireworks": "fireworks.api.v1",
    "openrouter": "openrouter.gateway.v1",
    "huggingface": "huggingface.inference.v1",
    "ollama": "ollama.local.v1",
    "vllm": "vllm.local.v1",
    "lmstudio": "lmstudio.local.v1",
    "localai": "localai.local.v1",
}


class Dialect(Vendor):
    """A vendor of OpenAI's format. Its responses have its own fields, and its requests must break none of its rules."""

    rules: ClassVar[Any]

    def rules_of(self, body: dict[str, Any]) -> MessageRules:
        return self.rules.rules_of(self.model, body) if hasattr(self.rules, "rules_of") else self.rules.RULES

    def asked(self, body: dict[str, Any]) -> tuple[str, int]:
        broken = find_violations(body, self.rules_of(body))
        expect(not broken, "; ".join(broken))
        answered_calls(body["messages"])
        return last_asked(body["messages"])

    def whole(self, say: Say) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": say.text, **ADDED[self.name]}
        if say.calls:
            message["tool_calls"] = [
                {
                    "id": f"{self.name}-tool-{self.number():032}",
                    "type": "function",
                    "function": {"name": name, "arguments": json.dumps(given)},
                }
                for name, given in say.calls
            ]
        choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if say.calls else "stop"}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        head = {"id": f"{self.name}-test", "object": "chat.completion", "created": 1, "model": self.model}
        return {**head, "choices": [choice], "usage": usage}

    events = OpenAI.events


DIALECTS: list[type[Vendor]] = [
    type(
        name.title(),
        (Dialect,),
        {
            "name": name,
            "connector": connector,
            "model": f"{name}-test",
            "rules": importlib.import_module(f"modelmesh_connector_{name}.message_rules"),
        },
    )
    for name, connector in CONNECTORS.items()
]
