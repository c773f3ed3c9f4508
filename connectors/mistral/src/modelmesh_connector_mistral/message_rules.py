"""Mistral's message rules.

The API answers 400 or 422 to a request that breaks a rule.
"""

from __future__ import annotations

from modelmesh_cdk.message_rules import (
    Arguments,
    Blank,
    CallIds,
    ContentWithCalls,
    LastAssistant,
    MessageRules,
    Source,
    SystemPlace,
)

_PACKAGE = Source("package mistralai 3.7.0, models/*message.py and *chunk.py", "2026-11-21")
_VALIDATOR = Source("mistralai/mistral-common, protocol/instruct/validator.py, serving mode", "2026-11-30")
_ORDER = Source(f"{_VALIDATOR.text}, BerriAI/litellm#17761, zed-industries/zed#37021", "2026-11-30")

_SPOKEN = ("text", "reference", "thinking")
_PARTS = ("text", "image_url", "document_url", "input_audio", "file", "reference", "thinking", "resource", "resource_link")

RULES = MessageRules(
    vendor="Mistral",
    roles=("system", "user", "assistant", "tool"),
    replaced_roles={"developer": "system"},
    functions=False,
    keys={
        "system": ("role", "content"),
        "user": ("role", "content"),
        "assistant": ("role", "content", "tool_calls", "prefix"),
        "tool": ("role", "content", "tool_call_id", "name"),
    },
    call_keys=("id", "type", "function", "index"),
    parts={"system": ("text", "thinking"), "user": _PARTS, "assistant": _SPOKEN, "tool": _PARTS},
    part_keys={"text": ("type", "text"), "image_url": ("type", "image_url")},
    blank={"assistant": Blank.LEAVE_OUT},
    content_with_calls=ContentWithCalls.NULL,
    system=SystemPlace.FIRST,
    system_alone=False,
    bridge="OK.",
    last_assistant=LastAssistant.ASK_TO_CONTINUE,
    arguments=Arguments.JSON_OBJECT,
    call_ids=CallIds("[a-zA-Z0-9]{9}", 9, note="IDs of tool calls spelled in nine letters and digits"),
    names="a-zA-Z0-9_-",
    ranges={"temperature": (0, 1.5), "top_p": (0, 1)},
    unsupported=("logit_bias", "user", "store", "safety_identifier"),
    sources={
        "roles": _PACKAGE,
        "replaced_roles": _PACKAGE,
        "functions": _PACKAGE,
        "keys": Source(f"{_PACKAGE.text}, unknown keys are refused: BerriAI/litellm#30835", "2026-11-21"),
        "call_keys": _PACKAGE,
        "parts": _PACKAGE,
        "part_keys": _PACKAGE,
        "blank": _VALIDATOR,
        "content_with_calls": _VALIDATOR,
        "system": _VALIDATOR,
        "system_alone": Source("error message 'Expected last role User or Tool', 0xPlaygrounds/rig#1130", "2026-11-30"),
        "bridge": _ORDER,
        "last_assistant": _ORDER,
        "arguments": Source("mistralai/mistral-common, protocol/instruct/normalize.py: arguments become an object", "2026-11-30"),
        "call_ids": Source(f"{_VALIDATOR.text}, anomalyco/opencode#1680, nearai/ironclaw#1241", "2026-11-21"),
        "names": _VALIDATOR,
        "ranges": Source("docs.mistral.ai/api, chat completions", "2026-11-21"),
        "unsupported": Source("package mistralai 3.7.0, models/chatcompletionrequest.py has no such field", "2026-11-21"),
    },
)
