"""DeepSeek's message rules.

The API answers 400 to a request that breaks a rule. It ignores unknown keys of messages.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import evolve

from modelmesh_cdk.message_rules import Arguments, LastAssistant, MessageRules, Source

_SERDE = "'unknown variant … expected one of system, user, assistant, tool, latest_reminder'"
_THINKING = Source(
    "api-docs.deepseek.com/guides/thinking_mode, openclaw/openclaw#73417, NousResearch/hermes-agent#18263", "2026-11-30"
)

RULES = MessageRules(
    vendor="DeepSeek",
    roles=("system", "user", "assistant", "tool", "latest_reminder"),
    replaced_roles={"developer": "system"},
    functions=False,
    parts={"system": ("text",), "user": ("text", "image_url"), "assistant": ("text",), "tool": ("text",)},
    text_only_roles=("system", "assistant", "tool"),
    joined_text_roles=("user",),
    arguments=Arguments.JSON_OBJECT,
    last_assistant=LastAssistant.ASK_TO_CONTINUE,
    max_stop_sequences=16,
    ranges={"temperature": (0, 2), "top_p": (0, 1), "presence_penalty": (-2, 2), "frequency_penalty": (-2, 2)},
    sources={
        "roles": Source(f"{_SERDE}, decolua/9router#773", "2026-11-30"),
        "replaced_roles": Source(f"{_SERDE}, earendil-works/pi#1048", "2026-11-30"),
        "functions": Source(f"{_SERDE}, decolua/9router#773", "2026-11-30"),
        "parts": Source("'unknown variant image_url, expected text', danny-avila/LibreChat#10756", "2026-11-30"),
        "joined_text_roles": Source(
            "'invalid type: sequence, expected a string', cline/cline#230, BerriAI/litellm#6642", "2026-11-30"
        ),
        "text_only_roles": Source("'invalid type: sequence, expected a string', tailcallhq/forgecode#2008", "2026-11-30"),
        "arguments": Source(
            "deepseek-ai/DeepSeek-V3.2, encoding/encoding_dsv32.py: arguments are parsed as an object", "2026-11-30"
        ),
        "last_assistant": Source("api-docs.deepseek.com/guides/chat_prefix_completion, BerriAI/litellm#8090", "2026-11-30"),
        "max_stop_sequences": Source("api-docs.deepseek.com/api/create-chat-completion", "2026-11-21"),
        "ranges": Source("api-docs.deepseek.com/api/create-chat-completion", "2026-11-21"),
    },
)

WITH_TOOLS = evolve(
    RULES, reasoning_field="reasoning_content", reasoning_placeholder=" ", sources={**RULES.sources, "reasoning_field": _THINKING}
)
"""Rules of a conversation with tools: each assistant message needs ``reasoning_content``, and V4 rejects an empty one."""

_REASONER = Source("error message of deepseek-reasoner: ChatGPTNextWeb/NextChat#6343, Aider-AI/aider#2960", "2026-11-30")
_ORDERED = {"alternating": _REASONER, "opening": _REASONER}


def rules_of(model: str, payload: Mapping[str, Any]) -> MessageRules:
    """Return the message rules of a request.

    Args:
        model: DeepSeek's name of the model.
        payload: The parameters of the call.
    """
    if "reasoner" in model:  # rejects reasoning_content of earlier turns
        return evolve(RULES, alternating=True, opening="Hello.", sources={**RULES.sources, **_ORDERED})
    return WITH_TOOLS if _has_tools(payload) else RULES


def _has_tools(payload: Mapping[str, Any]) -> bool:
    messages = payload.get("messages")
    listed = messages if isinstance(messages, list) else ()
    return bool(payload.get("tools")) or any(_has_tool_content(one) for one in listed if isinstance(one, Mapping))


def _has_tool_content(message: Mapping[str, Any]) -> bool:
    """Return whether a message contains tool calls or a tool result, in OpenAI's format or another one."""
    if message.get("role") not in _PLAIN_ROLES or any(message.get(name) for name in ("tool_calls", "function_call", "type")):
        return True
    content = message.get("content")
    return isinstance(content, list) and any(
        isinstance(part, Mapping) and part.get("type") in _TOOL_PART_TYPES for part in content
    )


_PLAIN_ROLES = ("system", "developer", "user", "assistant")
_TOOL_PART_TYPES = ("tool_use", "tool_result")
