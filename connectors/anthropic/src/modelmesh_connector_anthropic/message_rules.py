"""Anthropic's message rules.

The Messages API answers 400 to a request that breaks one of them. Blocks of Anthropic's own travel in ``content_blocks``, and are
left to :mod:`modelmesh_connector_anthropic.messages`.
"""

from __future__ import annotations

from modelmesh_cdk.message_rules import Arguments, Blank, ContentWithCalls, MessageRules, Source, SystemPlace

_PACKAGE = Source("package anthropic 2.11.0, types/message_param.py and content_block_param.py", "2026-11-21")
_BLANK = Source(
    "the API's words 'text content blocks must be non-empty' and 'must contain non-whitespace text': "
    "anthropics/anthropic-sdk-python#461, anthropics/claude-code#23440, LibreChat-AI/agents#124",
    "2026-11-30",
)
_PAIRS = Source(
    "the API's words 'tool_use ids were found without tool_result blocks immediately after' and 'unexpected tool_use_id found in "
    "tool_result blocks': anthropics/claude-code#8210, tghamm/Anthropic.SDK#184",
    "2026-11-30",
)

USER_BLOCKS = ("text", "image", "document", "search_result", "container_upload")
"""Anthropic's own blocks of a user turn, tool results apart."""

RESULT_BLOCKS = ("text", "image", "document", "search_result", "tool_reference")
"""Anthropic's own blocks of a tool result."""

_TEXT_KEYS = ("type", "text", "cache_control", "citations", "prompt_cache_breakpoint")

RULES = MessageRules(
    vendor="Anthropic",
    roles=("system", "developer", "user", "assistant", "tool"),
    functions=False,
    keys={
        "system": ("role", "content"),
        "developer": ("role", "content"),
        "user": ("role", "content"),
        "assistant": ("role", "content", "tool_calls", "thinking_blocks", "reasoning_content", "content_blocks"),
        "tool": ("role", "content", "tool_call_id", "is_error", "cache_control", "toolset_name"),
    },
    call_keys=("id", "type", "function", "custom", "cache_control", "caller", "toolset_name"),
    parts={
        "system": ("text",),
        "developer": ("text",),
        "user": (*USER_BLOCKS, "image_url", "file", "document_url"),
        "assistant": ("text", "refusal"),
        "tool": (*RESULT_BLOCKS, "image_url", "file", "document_url"),
    },
    part_keys={
        "text": _TEXT_KEYS,
        "image_url": ("type", "image_url", "cache_control", "prompt_cache_breakpoint"),
        "file": ("type", "file", "cache_control", "citations", "context", "title", "prompt_cache_breakpoint"),
    },
    blank={"user": Blank.STAND_IN, "system": Blank.LEAVE_OUT, "part": Blank.LEAVE_OUT},
    content_with_calls=ContentWithCalls.NULL,
    null_content=True,
    trims_last_assistant=True,
    system=SystemPlace.FIRST,
    system_alone=False,
    opening="(start of the conversation)",
    arguments=Arguments.JSON_OBJECT,
    images=("image/png", "image/jpeg", "image/gif", "image/webp"),
    accepts_blank_stops=False,
    single_choice=True,
    sources={
        "roles": _PACKAGE,
        "functions": _PACKAGE,
        "keys": Source(f"{_PACKAGE.text}; 'Extra inputs are not permitted': run-llama/llama_index#14701", "2026-11-30"),
        "call_keys": _PACKAGE,
        "parts": _PACKAGE,
        "part_keys": _PACKAGE,
        "blank": _BLANK,
        "content_with_calls": _BLANK,
        "null_content": Source("modelmesh_connector_anthropic.messages leaves out turns without blocks", "2026-11-30"),
        "trims_last_assistant": Source("crewAIInc/crewAI#4413, langchain-ai/langchain#35071", "2026-11-30"),
        "system": Source("package anthropic 2.11.0: system is a parameter of the request", "2026-11-21"),
        "system_alone": Source("'at least one message is required': BerriAI/litellm#13769", "2026-11-30"),
        "opening": Source("'first message must use the user role': docs.anthropic.com, Messages API", "2026-11-30"),
        "arguments": Source("package anthropic 2.11.0, types/tool_use_block_param.py: input is an object", "2026-11-21"),
        "images": Source("package anthropic 2.11.0, types/base64_image_source_param.py", "2026-11-21"),
        "accepts_blank_stops": Source("BerriAI/litellm#3286 and #7484", "2026-11-30"),
        "single_choice": Source("package anthropic 2.11.0, types/message_create_params.py has no such field", "2026-11-21"),
        "paired": _PAIRS,
    },
)
