"""OpenAI's message rules. Unknown keys and new types of parts are sent unchanged."""

from __future__ import annotations

from modelmesh_cdk.message_rules import CallIds, MessageRules, Source

LONGEST_ID = 40
_PACKAGE = Source("package openai 3.52.0, types/chat/*_message_param.py", "2026-11-30")

RULES = MessageRules(
    vendor="OpenAI",
    roles=("system", "developer", "user", "assistant", "tool", "function"),
    custom_calls=True,
    refusals=True,
    parts={"system": ("text",), "developer": ("text",), "assistant": ("text", "refusal"), "tool": ("text",)},
    refused_parts=("video_url", "document_url", "audio_url", "document", "image", "thinking", "reference"),
    call_ids=CallIds(f".{{1,{LONGEST_ID}}}", 24, "call_", f"IDs of tool calls over {LONGEST_ID} letters shortened"),
    names="a-zA-Z0-9_-",
    images=("image/png", "image/jpeg", "image/gif", "image/webp"),
    max_stop_sequences=4,
    ranges={"temperature": (0, 2), "top_p": (0, 1), "presence_penalty": (-2, 2), "frequency_penalty": (-2, 2)},
    sources={
        "custom_calls": Source("package openai 3.52.0, ChatCompletionMessageCustomToolCallParam", "2026-11-30"),
        "roles": _PACKAGE,
        "refusals": _PACKAGE,
        "parts": _PACKAGE,
        "refused_parts": Source(
            "types of Mistral, OpenRouter, vLLM and Anthropic that the openai package 3.52.0 lacks", "2026-11-30"
        ),
        "call_ids": Source("vercel/ai#5171, agno-agi/agno#5382", "2026-11-21"),
        "names": Source("'does not match the pattern ^[a-zA-Z0-9_-]+$', jekalmin/extended_openai_conversation#251", "2026-11-30"),
        "images": Source("'one of the following formats: png, jpeg, gif, webp', vercel/ai#1544", "2026-11-30"),
        "max_stop_sequences": Source("package openai 3.52.0, types/chat/completion_create_params.py", "2026-11-30"),
        "ranges": Source("package openai 3.52.0, types/chat/completion_create_params.py", "2026-11-30"),
    },
)
