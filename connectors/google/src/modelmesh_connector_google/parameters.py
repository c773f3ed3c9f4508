"""OpenAI's chat parameters as a body for Gemini's ``generateContent``.

Names and values on both sides are those of openai 3.52.0 (``completion_create_params.py``) and google-genai 3.4.0
(``types.GenerationConfig``, ``ThinkingConfig``, ``models._GenerateContentConfig_to_mldev``), read 2026-11-21. A parameter
that is neither translated nor dropped here is sent unchanged, such as Gemini's ``safetySettings`` or ``cachedContent``.
Parameters of ``generationConfig`` are moved there. A mere change of name is not an adaptation, because nothing is lost.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from modelmesh_cdk import invalid_parameter, unsupported_parameter
from modelmesh_cdk.message_rules import is_neutral
from modelmesh_connector_google.contents import conversation
from modelmesh_connector_google.tools import tooling

if TYPE_CHECKING:
    from modelmesh_cdk import WireRequest

_NO_SUCH = frozenset(
    {
        "audio", "logit_bias", "metadata", "moderation", "prediction", "prompt_cache_key", "prompt_cache_options",
        "prompt_cache_retention", "safety_identifier", "user", "verbosity", "web_search_options",
    }
)  # fmt: skip
_RENAMED = {
    "frequency_penalty": "frequencyPenalty",
    "n": "candidateCount",
    "presence_penalty": "presencePenalty",
    "seed": "seed",
    "temperature": "temperature",
    "top_k": "topK",
    "top_logprobs": "logprobs",
    "top_p": "topP",
}
IN_CONFIG = frozenset(
    {
        "audioTranscriptionConfig", "candidateCount", "continuationToken", "enableEnhancedCivicAnswers", "frequencyPenalty",
        "imageConfig", "maxOutputTokens", "mediaResolution", "presencePenalty", "responseFormat", "responseJsonSchema",
        "responseLogprobs", "responseMimeType", "responseModalities", "responseSchema", "speechConfig", "stopSequences",
        "thinkingConfig", "topK", "topP", "translationConfig",
    }
)  # fmt: skip
_AT_TOP = {"cached_content": "cachedContent", "safety_settings": "safetySettings"}
_TRANSLATED = frozenset(
    {
        "contents", "function_call", "functions", "generationConfig", "generation_config", "logprobs", "max_completion_tokens",
        "max_tokens", "messages", "modalities", "model", "parallel_tool_calls", "reasoning_effort", "response_format",
        "serviceTier", "service_tier", "stop", "stream", "stream_options", "systemInstruction", "system_instruction",
        "toolConfig", "tool_choice", "tool_config", "tools",
    }
)  # fmt: skip

_BUDGETS = {"none": 0, "minimal": 512, "low": 1024, "medium": 8192, "high": 24576}
"""Thinking tokens for models before Gemini 3, which have no levels. 0 is off (google-genai 3.4.0, ``types.ThinkingConfig``). The
other values are those of gateways (tashfeenahmed/freellmapi#160, read 2026-11-21), because Google states none."""

_LEVELS = {"minimal": "MINIMAL", "low": "LOW", "medium": "MEDIUM", "high": "HIGH", "xhigh": "XHIGH"}
_BUDGETED = re.compile(r"(models/)?gemini-(pro-|flash-)?[12](\D|$)")
_TIERS = {"default": "standard", "flex": "flex", "priority": "priority"}
_NO_TIER = frozenset({"scale", "fast"})


_CONVERTED = _TRANSLATED | _RENAMED.keys()


def body_of(request: WireRequest) -> dict[str, Any]:
    """Return the body of a request. ``request.adapted`` receives its adaptations.

    Raises:
        ProviderError: Gemini's format cannot represent the request. Nothing was sent.
    """
    payload, adapted = request.payload, request.adapted
    body: dict[str, Any] = {}
    system, body["contents"] = conversation(payload, request.model, adapted)
    if system is not None:
        body["systemInstruction"] = system
    body |= tooling(payload, adapted) | _tier(payload, adapted)
    config = _config(payload, request.model, adapted)
    if config:
        body["generationConfig"] = config
    for name, value in payload.items():
        if name in _CONVERTED or _camel(name) in IN_CONFIG:
            continue
        if name in _NO_SUCH:
            if not is_neutral(name, value):
                adapted.append(f"{name} dropped: Gemini has no such parameter")
        else:
            body[_AT_TOP.get(name, name)] = value
    adapted[:] = dict.fromkeys(adapted)
    return body


def _config(payload: Mapping[str, Any], model: str, adapted: list[str]) -> Any:
    native = payload.get("generationConfig", payload.get("generation_config"))
    if native is not None and not isinstance(native, Mapping):
        return native  # the vendor reports the mistake
    made = {ours: payload[name] for name, ours in _RENAMED.items() if payload.get(name) is not None}
    made |= _most_tokens(payload, adapted) | _format(payload.get("response_format"), adapted)
    stop = payload.get("stop")
    if stop is not None:
        made["stopSequences"] = [stop] if isinstance(stop, str) else stop
    if payload.get("logprobs") is not None:
        made["responseLogprobs"] = payload["logprobs"]
    wanted = payload.get("modalities")
    if isinstance(wanted, list) and wanted != ["text"]:
        made["responseModalities"] = [str(word).upper() for word in wanted]
    made |= {_camel(name): value for name, value in payload.items() if _camel(name) in IN_CONFIG and name not in _CONVERTED}
    made |= native or {}
    effort = _thinking(payload.get("reasoning_effort"), model, adapted)
    thinking = made.get("thinkingConfig", made.pop("thinking_config", None))
    if effort and (thinking is None or isinstance(thinking, Mapping)):
        thinking = {**effort, **(thinking or {})}
    return made if thinking is None else {**made, "thinkingConfig": thinking}


@lru_cache(maxsize=512)
def _camel(name: str) -> str:
    """Return a name in camel case. Google's Python package uses underscores."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _most_tokens(payload: Mapping[str, Any], adapted: list[str]) -> dict[str, Any]:
    new, old = payload.get("max_completion_tokens"), payload.get("max_tokens")
    if new is not None and old not in (None, new):
        adapted.append("max_tokens dropped: max_completion_tokens was given too")
    most = old if new is None else new
    return {} if most is None else {"maxOutputTokens": most}


def _format(response_format: Any, adapted: list[str]) -> dict[str, Any]:
    kind = response_format.get("type") if isinstance(response_format, Mapping) else None
    if response_format is None or kind == "text":
        return {}
    if kind not in ("json_object", "json_schema"):
        raise unsupported_parameter("response_format", f"is {kind or type(response_format).__name__!r}, unsupported by Gemini")
    made: dict[str, Any] = {"responseMimeType": "application/json"}
    inner = response_format.get("json_schema")
    schema = inner.get("schema") if isinstance(inner, Mapping) else None
    if schema is not None:
        made["responseJsonSchema"] = schema
    elif kind == "json_schema":
        adapted.append("response_format sent as JSON without a schema: none was given")
    return made


def _thinking(effort: Any, model: str, adapted: list[str]) -> dict[str, Any]:
    if effort is None:
        return {}
    if not isinstance(effort, str):
        raise invalid_parameter("reasoning_effort", f"is {type(effort).__name__}, not text", "'low'")
    if effort == "none" or (effort in _BUDGETS and _BUDGETED.match(model)):
        return {"thinkingBudget": _BUDGETS[effort]}
    if effort not in _LEVELS or _BUDGETED.match(model):
        adapted.append(f"reasoning_effort {effort!r} dropped: Gemini's thinkingConfig has nothing like it for {model}")
        return {}
    return {"thinkingLevel": _LEVELS[effort]}


def _tier(payload: Mapping[str, Any], adapted: list[str]) -> dict[str, Any]:
    if payload.get("serviceTier") is not None:
        return {"serviceTier": payload["serviceTier"]}
    tier = payload.get("service_tier")
    if tier is None or tier == "auto":
        return {}
    if tier in _NO_TIER:
        adapted.append(f"service_tier {tier!r} dropped: Gemini has standard, flex and priority")
        return {}
    return {"serviceTier": _TIERS.get(tier, tier)}
