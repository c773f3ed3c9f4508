"""Conversion of a ``generateContent`` request to a chat completion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh._engine.translation.findings import Findings
from modelmesh._engine.translation.generate_content.field_names import in_camel_case
from modelmesh._engine.translation.generate_content.native import native_payload
from modelmesh._engine.translation.generate_content.schemas import json_schema
from modelmesh._engine.translation.generate_content.tools import chat_tooling
from modelmesh._engine.translation.generate_content.turns import messages_of
from modelmesh._engine.translation.interfaces import ChatTranslation
from modelmesh._engine.translation.refusals import refused
from modelmesh.contracts.call import Call

_RENAMED = {
    "candidateCount": "n",
    "frequencyPenalty": "frequency_penalty",
    "maxOutputTokens": "max_tokens",
    "presencePenalty": "presence_penalty",
    "responseLogprobs": "logprobs",
    "seed": "seed",
    "stopSequences": "stop",
    "temperature": "temperature",
    "topK": "top_k",
    "topP": "top_p",
}
_CONVERTED = frozenset(
    {
        "logprobs", "responseFormat", "responseJsonSchema", "responseMimeType", "responseModalities", "responseSchema",
        "thinkingConfig", *_RENAMED,
    }
)  # fmt: skip
_LOST = {
    "labels": "they belong to an account of Google",
    "safetySettings": "chat completions have none",
    "serviceTier": "its values are Google's",
    "store": "chat completions store by account",
}
_NATIVE = {"cachedContent": "the cache is stored at one account of Google"}
_TOP = frozenset({"contents", "generationConfig", "model", "systemInstruction", "toolConfig", "tools", *_LOST, *_NATIVE})
_EFFORTS = ((1, "none"), (1024, "minimal"), (4096, "low"), (16_384, "medium"))
"""Efforts for budgets of thinking below a number of tokens. A larger budget is ``high``."""


def chat_request(call: Call) -> ChatTranslation:
    """Return the chat completion of a request.

    Raises:
        BadRequestError: The request has no contents, a content is invalid, or the request is nested too deep.
    """
    try:
        return _chat_request(call)
    except RecursionError:
        raise refused("the request", "is nested too deep", "Send fewer levels") from None


def _chat_request(call: Call) -> ChatTranslation:
    given = {name: value for name, value in in_camel_case(call.payload).items() if value is not None}
    findings = Findings()
    payload: dict[str, Any] = {"messages": messages_of(given, findings)}
    payload |= _config(given.get("generationConfig"), findings) | chat_tooling(given, findings)
    findings.read_fields(given, native=_NATIVE, lost=_LOST)
    stated = {name: value for name, value in call.payload.items() if value is not None}
    payload |= {name: value for name, value in stated.items() if not in_camel_case({name: None}).keys() <= _TOP}
    native = native_payload(stated)
    if call.stream:
        payload["stream_options"] = native["stream_options"] = {"include_usage": True}
    limit = payload.get("max_tokens")
    limit = limit if isinstance(limit, int) and not isinstance(limit, bool) else None
    return ChatTranslation(payload, findings.lost, findings.native_only, findings.account, native, limit)


def _config(config: Any, findings: Findings) -> dict[str, Any]:
    if not isinstance(config, Mapping):
        return {}
    found = {ours: config[name] for name, ours in _RENAMED.items() if config.get(name) is not None}
    if config.get("logprobs") is not None:
        found |= {"logprobs": True, "top_logprobs": config["logprobs"]}
    found |= _response_format(config, findings) | _modalities(config.get("responseModalities"), findings)
    effort = _effort(config.get("thinkingConfig"), findings)
    if effort is not None:
        found["reasoning_effort"] = effort
    for name, value in config.items():
        if name not in _CONVERTED and value is not None:
            findings.lose(f"generationConfig.{name}", "chat completions have no such parameter")
    return found


def _response_format(config: Mapping[str, Any], findings: Findings) -> dict[str, Any]:
    kind, schema = config.get("responseMimeType"), config.get("responseJsonSchema")
    if schema is None:
        schema = json_schema(config.get("responseSchema"))
    if config.get("responseFormat"):
        findings.lose("generationConfig.responseFormat", "use responseMimeType and responseSchema")
    if kind in (None, "text/plain"):
        return {}
    if kind == "text/x.enum":
        findings.convert("responseMimeType 'text/x.enum' sent as JSON schema: the answer is a quoted text")
    elif kind != "application/json":
        findings.lose(f"responseMimeType {str(kind)[:60]!r}", "chat completions have text and JSON")
        return {}
    if schema is None:
        return {"response_format": {"type": "json_object"}}
    return {"response_format": {"type": "json_schema", "json_schema": {"name": "output", "schema": schema}}}


def _modalities(wanted: Any, findings: Findings) -> dict[str, Any]:
    names = [str(one).lower() for one in wanted] if isinstance(wanted, list | tuple) else []
    if "audio" in names:
        findings.require_native("generationConfig.responseModalities: the voice is set in speechConfig of Google's API")
    return {"modalities": names} if names and names != ["text"] else {}


def _effort(thinking: Any, findings: Findings) -> str | None:
    if not isinstance(thinking, Mapping):
        return None
    level, budget = thinking.get("thinkingLevel"), thinking.get("thinkingBudget")
    if thinking.get("includeThoughts"):
        findings.convert("thinkingConfig.includeThoughts: the answer has thoughts if the model shows them")
    if isinstance(level, str) and level and level != "THINKING_LEVEL_UNSPECIFIED":
        return level.lower()
    if not isinstance(budget, int) or isinstance(budget, bool) or budget < 0:  # with a negative budget, the model decides
        return None
    effort = next((name for most, name in _EFFORTS if budget < most), "high")
    findings.convert(f"thinkingConfig.thinkingBudget {budget} sent as reasoning_effort {effort!r}")
    return effort
