"""Gemini's message rules.

``generateContent`` answers 400 to a request that breaks one of them. :mod:`modelmesh_connector_google.contents` reads Gemini's
parts, which are in ``content_parts`` or have no ``type``. :mod:`modelmesh_connector_google.content` converts the parts of other
vendors.
"""

from __future__ import annotations

from modelmesh_cdk.message_rules import Arguments, Blank, ContentWithCalls, MessageRules, Source, SystemPlace

_PACKAGE = Source("package google-genai 3.4.0, types.Content, types.Part", "2026-11-21")
_ORDER = Source(
    "the API's words 'Please ensure that the number of function response parts is equal to the number of function call parts' "
    "and 'function call turn comes immediately after a user turn': google-gemini/gemini-cli#3814 and #17208",
    "2026-11-30",
)

IMAGES = ("image/png", "image/jpeg", "image/webp", "image/heic", "image/heif")
"""Accepted types of images. GIF is not among them (EvanZhouDev/gemini-ai#3, microsoft/vscode#286628, read 2026-11-30)."""

RULES = MessageRules(
    vendor="Gemini",
    roles=("system", "developer", "user", "assistant", "tool"),
    functions=False,
    keys={
        "system": ("role", "content"),
        "developer": ("role", "content"),
        "user": ("role", "content"),
        "assistant": ("role", "content", "tool_calls", "reasoning_content", "extra_content", "content_parts"),
        "tool": ("role", "content", "tool_call_id", "name"),
    },
    call_keys=("id", "type", "function", "custom", "extra_content"),
    part_keys={
        "text": ("type", "text", "extra_content", "prompt_cache_breakpoint"),
        "image_url": ("type", "image_url", "extra_content", "prompt_cache_breakpoint", "mediaResolution"),
    },
    untyped_parts=(
        "text",
        "inlineData",
        "inline_data",
        "fileData",
        "file_data",
        "functionCall",
        "functionResponse",
        "executableCode",
        "codeExecutionResult",
    ),
    blank={"user": Blank.STAND_IN, "system": Blank.LEAVE_OUT, "part": Blank.LEAVE_OUT},
    content_with_calls=ContentWithCalls.NULL,
    null_content=True,
    system=SystemPlace.FIRST,
    system_alone=False,
    opening="(start of the conversation)",
    arguments=Arguments.JSON_OBJECT,
    images=IMAGES,
    max_stop_sequences=5,
    sources={
        "roles": _PACKAGE,
        "functions": _PACKAGE,
        "keys": _PACKAGE,
        "call_keys": _PACKAGE,
        "part_keys": _PACKAGE,
        "untyped_parts": _PACKAGE,
        "blank": Source("microsoft/autogen#6083, aaif-goose/goose#7343", "2026-11-30"),
        "content_with_calls": Source("microsoft/autogen#6083, aaif-goose/goose#7343", "2026-11-30"),
        "null_content": Source("modelmesh_connector_google.contents leaves out turns without parts", "2026-11-30"),
        "system": Source("package google-genai 3.4.0: systemInstruction is a field of the request", "2026-11-21"),
        "system_alone": Source("'contents is not specified': langchain-ai/langchain-google#1298", "2026-11-30"),
        "opening": _ORDER,
        "paired": _ORDER,
        "arguments": Source("package google-genai 3.4.0, types.FunctionCall: args is an object", "2026-11-21"),
        "images": Source("EvanZhouDev/gemini-ai#3, microsoft/vscode#286628", "2026-11-30"),
        "max_stop_sequences": Source("ai.google.dev/api/generate-content, stopSequences: up to 5", "2026-11-30"),
    },
)
