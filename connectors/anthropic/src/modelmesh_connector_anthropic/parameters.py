"""Conversion of OpenAI's chat parameters to a body of Anthropic's Messages API.

Names and values on both sides are those of the packages openai 3.52.0 (``completion_create_params.py``) and anthropic
2.11.0 (``message_create_params.py``), read 2026-11-21. A parameter that is neither converted nor dropped here is sent
unchanged, such as Anthropic's ``thinking``, ``cache_control`` and ``container``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from modelmesh.contracts import FailureClass
from modelmesh_cdk import provider_error
from modelmesh_cdk.message_rules import is_neutral
from modelmesh_connector_anthropic.messages import conversation, lacks_thinking
from modelmesh_connector_anthropic.tools import tooling

if TYPE_CHECKING:
    from modelmesh_cdk import WireRequest

_UNSUPPORTED = frozenset(
    {
        "audio", "frequency_penalty", "logit_bias", "logprobs", "modalities", "moderation", "n", "prediction",
        "presence_penalty", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "seed", "store",
        "top_logprobs", "verbosity", "web_search_options",
    }
)  # fmt: skip
_SAMPLING = frozenset({"temperature", "top_p", "top_k"})
_NEUTRAL_AT_ONE = ("temperature", "top_p")
"""Dropped parameters with the neutral value 1."""

_CONVERTED = frozenset(
    {
        "function_call", "functions", "max_completion_tokens", "max_tokens", "messages", "metadata", "model", "output_config",
        "parallel_tool_calls", "reasoning_effort", "response_format", "safety_identifier", "service_tier", "stop",
        "stop_sequences", "stream", "stream_options", "system", "tool_choice", "tools", "user",
    }
)  # fmt: skip
IN_HEADERS = {
    "betas": "anthropic-beta",
    "user_profile_id": "anthropic-user-profile-id",
    "workspace_id": "anthropic-workspace-id",
}
"""Parameters sent as headers (anthropic 2.11.0, ``resources/messages`` and ``resources/beta/messages``)."""

MAX_TOKENS = 4096
"""Default of ``max_tokens``, which Anthropic requires, for a model outside the catalogue."""

LEAST_THINKING = 1024
"""The smallest ``budget_tokens`` of thinking (anthropic 2.11.0, ``types/thinking_config_enabled_param.py``)."""

_NO_EFFORT = ("none", "minimal")
"""OpenAI's efforts without a counterpart among Anthropic's ``low`` … ``max``."""

_TIERS = {"default": "standard_only"}
_NO_TIER = frozenset({"flex", "scale", "priority", "fast"})


def body_of(request: WireRequest, *, samples: bool, set_max: int | None, known_max: int | None) -> dict[str, Any]:
    """Return the body of a request. ``request.adapted`` receives its adaptations.

    Args:
        request: The request. Its payload is not changed.
        samples: Whether this version of the API has ``temperature``, ``top_p`` and ``top_k``.
        set_max: Configured output tokens, for a request without a limit.
        known_max: Output limit of the model in the catalogue, for a request without a limit and without ``set_max``.

    Raises:
        ProviderError: Anthropic's format cannot represent the request. Nothing was sent.
    """
    payload, adapted = request.payload, request.adapted
    body: dict[str, Any] = {"model": request.model, "max_tokens": _max_tokens(payload, request, set_max, known_max)}
    system, body["messages"] = conversation(payload, adapted)
    if system is not None:
        body["system"] = system
    body |= tooling(payload, adapted)
    body |= _stop(payload, adapted) | _output_config(payload, adapted) | _metadata(payload, adapted) | _tier(payload, adapted)
    for name, value in payload.items():
        if name in _CONVERTED or name in IN_HEADERS:
            continue
        if name in _UNSUPPORTED:
            if not is_neutral(name, value):
                adapted.append(f"{name} dropped: Anthropic has no such parameter")
        elif name in _SAMPLING and not samples:
            if value is None or (name in _NEUTRAL_AT_ONE and value == 1):  # Anthropic's default
                continue
            adapted.append(f"{name} dropped: this version of Anthropic's API has no such parameter (option anthropic_version)")
        else:
            body[name] = value
    thinking = body.get("thinking")
    if isinstance(thinking, Mapping) and thinking.get("type") == "enabled" and lacks_thinking(body["messages"]):
        adapted.append("thinking dropped: the turn's tool calls have no thinking block, which Anthropic requires")
        del body["thinking"]
    _fit_thinking(body, request)
    if request.stream:
        body["stream"] = True
    adapted[:] = dict.fromkeys(adapted)
    return body


def headers_of(payload: Mapping[str, Any]) -> dict[str, str]:
    """Return the headers that some parameters are sent as."""
    given = {header: payload[name] for name, header in IN_HEADERS.items() if name in payload and payload[name] not in (None, [])}
    return {name: ",".join(map(str, value)) if isinstance(value, list) else str(value) for name, value in given.items()}


def _max_tokens(payload: Mapping[str, Any], request: WireRequest, set_max: int | None, known: int | None) -> Any:
    adapted = request.adapted
    new, old = payload.get("max_completion_tokens"), payload.get("max_tokens")
    if new is not None:
        adapted.append("max_completion_tokens sent as max_tokens")
        if old not in (None, new):
            adapted.append("max_tokens dropped: max_completion_tokens was given too")
        return new
    if old is not None:
        limited = request.call.output_limit is not None and set_max is not None
        return min(old, set_max) if limited else old  # the mesh's limit never exceeds the configured one
    if set_max is None and known is not None:
        request.note_harmless(f"max_tokens {known} added, the model's output limit: Anthropic requires one")
        return known
    limit = MAX_TOKENS if set_max is None else set_max
    thinking = payload.get("thinking")
    budget = thinking.get("budget_tokens") if isinstance(thinking, Mapping) else None
    if isinstance(budget, int) and budget >= limit:
        limit += budget  # the budget counts towards max_tokens and must be below it
    request.note_harmless(f"max_tokens {limit} added (option max_tokens): Anthropic requires one")
    return limit


def _fit_thinking(body: dict[str, Any], request: WireRequest) -> None:
    """Reduce ``budget_tokens`` below the mesh's output limit. Anthropic rejects a larger budget."""
    if request.call.output_limit is None:
        return
    thinking, limit, adapted = body.get("thinking"), body["max_tokens"], request.adapted
    budget = thinking.get("budget_tokens") if isinstance(thinking, Mapping) else None
    if not isinstance(thinking, Mapping) or not isinstance(budget, int) or budget < limit:
        return
    if limit // 2 < LEAST_THINKING:
        adapted.append(f"thinking dropped: max_tokens {limit} is too small for it")
        del body["thinking"]
        return
    adapted.append(f"thinking.budget_tokens lowered from {budget} to {limit // 2}: it counts towards max_tokens {limit}")
    body["thinking"] = {**thinking, "budget_tokens": limit // 2}


def _stop(payload: Mapping[str, Any], adapted: list[str]) -> dict[str, Any]:
    native, stop = payload.get("stop_sequences"), payload.get("stop")
    if native is not None:
        if stop is not None:
            adapted.append("stop dropped: stop_sequences was given too")
        kept = [one for one in native if not isinstance(one, str) or one.strip()] if isinstance(native, list) else native
        if kept != native:
            adapted.append("blank stop_sequences left out: Anthropic rejects them")
        return {"stop_sequences": kept} if kept else {}
    if stop is None:
        return {}
    adapted.append("stop sent as stop_sequences")
    return {"stop_sequences": [stop] if isinstance(stop, str) else stop}


def _output_config(payload: Mapping[str, Any], adapted: list[str]) -> dict[str, Any]:
    native = payload.get("output_config")
    if native is not None and not isinstance(native, Mapping):
        return {"output_config": native}  # the vendor rejects it
    made: dict[str, Any] = {}
    effort = payload.get("reasoning_effort")
    if effort in _NO_EFFORT:
        adapted.append(f"reasoning_effort {effort!r} dropped: Anthropic's efforts begin at 'low'; see its parameter thinking")
    elif effort is not None:
        adapted.append("reasoning_effort sent as output_config.effort")
        made["effort"] = effort
    made |= _format(payload.get("response_format"), adapted)
    whole = {**made, **(native or {})}
    return {"output_config": whole} if whole or native is not None else {}


def _format(response_format: Any, adapted: list[str]) -> dict[str, Any]:
    if response_format is None:
        return {}
    kind = response_format.get("type") if isinstance(response_format, Mapping) else None
    if kind == "text":
        return {}  # Anthropic's default
    if kind != "json_schema":
        message = (
            f"response_format {kind or type(response_format).__name__!r} is unsupported: Anthropic's output_config.format "
            "accepts a JSON schema only. Nothing was sent. "
            "Use response_format={'type': 'json_schema', 'json_schema': {'name': …, 'schema': {…}}}."
        )
        raise provider_error(FailureClass.CAPABILITY, message, status=400)
    inner = response_format.get("json_schema")
    schema = (inner if isinstance(inner, Mapping) else response_format).get("schema")
    if not isinstance(schema, Mapping):
        message = (
            "response_format.json_schema has no schema, which Anthropic requires. Nothing was sent. "
            "Add one: {'name': …, 'schema': {'type': 'object', …}}."
        )
        raise provider_error(FailureClass.CALLER, message, status=400)
    adapted.append("response_format sent as output_config.format, which has no name, description or strict")
    return {"format": {"type": "json_schema", "schema": schema}}


def _metadata(payload: Mapping[str, Any], adapted: list[str]) -> dict[str, Any]:
    given = payload.get("metadata")
    if given is not None and not isinstance(given, Mapping):
        return {"metadata": given}
    made: dict[str, Any] = {}
    if given is not None and "user_id" in given:
        made["user_id"] = given["user_id"]
    adapted += [f"metadata.{name} dropped: Anthropic's metadata has user_id only" for name in given or () if name != "user_id"]
    for name in ("safety_identifier", "user"):
        value = payload.get(name)
        if value is None:
            continue
        if made.get("user_id") not in (None, value):
            adapted.append(f"{name} dropped: another identifier of the user was given too")
            continue
        made["user_id"] = value
        adapted.append(f"{name} sent as metadata.user_id")
    return {"metadata": made} if made or given == {} else {}


def _tier(payload: Mapping[str, Any], adapted: list[str]) -> dict[str, Any]:
    tier = payload.get("service_tier")
    if tier is None:
        return {}
    if tier in _NO_TIER:
        adapted.append(f"service_tier {tier!r} dropped: Anthropic has auto and standard_only")
        return {}
    if tier in _TIERS:
        adapted.append(f"service_tier {tier!r} sent as {_TIERS[tier]!r}")
    return {"service_tier": _TIERS.get(tier, tier)}
