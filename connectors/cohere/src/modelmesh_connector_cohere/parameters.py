"""OpenAI's chat parameters as a body for Cohere's ``/v2/chat``.

Names and ranges on both sides are those of the packages openai 3.52.0 (``completion_create_params.py``) and cohere 7.3.1
(``v2/raw_client.py``, ``types/response_format_v2.py``, ``types/thinking.py``), read 2026-11-21. A parameter that is neither
translated nor dropped here is sent unchanged, so Cohere's own (``documents``, ``safety_mode``, ``thinking``, ``k``, ``p``, …)
can be used.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from modelmesh_cdk import invalid_parameter, unsupported_parameter
from modelmesh_cdk.message_rules import is_neutral
from modelmesh_connector_cohere.messages import conversation
from modelmesh_connector_cohere.tools import tooling

if TYPE_CHECKING:
    from modelmesh_cdk import WireRequest

_NO_SUCH = frozenset(
    {
        "audio", "logit_bias", "metadata", "modalities", "moderation", "prediction", "prompt_cache_key", "prompt_cache_options",
        "prompt_cache_retention", "safety_identifier", "service_tier", "store", "top_logprobs", "user", "verbosity",
        "web_search_options",
    }
)  # fmt: skip
_TRANSLATED = frozenset(
    {
        "frequency_penalty", "function_call", "functions", "k", "max_completion_tokens", "max_tokens", "messages", "model", "n",
        "p", "parallel_tool_calls", "presence_penalty", "reasoning_effort", "response_format", "stop", "stop_sequences", "stream",
        "stream_options", "strict_tools", "thinking", "tool_choice", "tools", "top_k", "top_p",
    }
)  # fmt: skip
_RENAMED = (
    ("max_tokens", "max_completion_tokens"),
    ("p", "top_p"),
    ("k", "top_k"),
    ("stop_sequences", "stop"),
)
"""Cohere's name, and the one that a caller of OpenAI's uses."""

_RANGES = {"top_p": (0.01, 0.99), "frequency_penalty": (0.0, 1.0), "presence_penalty": (0.0, 1.0)}
"""Cohere's ranges of parameters with a wider range at OpenAI. Cohere rejects a request outside them."""

_THINKING = {"none": "disabled", "high": "enabled"}
"""Of OpenAI's efforts, those that Cohere has a counterpart of (docs.cohere.com/docs/compatibility-api, read 2026-11-21)."""


def chat_body(request: WireRequest) -> dict[str, Any]:
    """Return the body of a request. ``request.adapted`` receives its adaptations.

    Args:
        request: The request. Its payload is not changed.

    Raises:
        ProviderError: Cohere's format cannot represent the request. Nothing was sent.
    """
    payload, adapted = request.payload, request.adapted
    body: dict[str, Any] = {"model": request.model, "messages": conversation(payload, adapted)}
    body |= tooling(payload, adapted) | _renamed(payload, adapted) | _thinking(payload, adapted)
    body |= _format(payload.get("response_format"), adapted)
    for name in ("frequency_penalty", "presence_penalty"):
        if payload.get(name) is not None:
            body[name] = _within(name, payload[name], adapted)
    for name, value in payload.items():
        if name in _NO_SUCH:
            if not is_neutral(name, value):
                adapted.append(f"{name} dropped: Cohere has no such parameter")
        elif name not in _TRANSLATED:
            body[name] = value
    if request.stream:
        body["stream"] = True
    adapted[:] = dict.fromkeys(adapted)
    return body


def _renamed(payload: Mapping[str, Any], adapted: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for theirs, ours in _RENAMED:
        native, given = payload.get(theirs), payload.get(ours)
        if theirs == "max_tokens" and given is not None and native not in (None, given):
            adapted.append("max_tokens dropped: max_completion_tokens was given too")
            native = None
        if native is not None:
            if given is not None and given != native:
                adapted.append(f"{ours} dropped: {theirs} was given too")
            found[theirs] = native
        elif given is not None:
            adapted.append(f"{ours} sent as {theirs}")
            found[theirs] = [given] if ours == "stop" and isinstance(given, str) else _within(ours, given, adapted)
    return found


def _within(name: str, value: Any, adapted: list[str]) -> Any:
    least, most = _RANGES.get(name, (None, None))
    if least is None or most is None or not isinstance(value, int | float) or least <= value <= most:
        return value
    kept = min(max(value, least), most)
    adapted.append(f"{name} {value} sent as {kept}: Cohere takes {least} to {most}")
    return kept


def _thinking(payload: Mapping[str, Any], adapted: list[str]) -> dict[str, Any]:
    native, effort = payload.get("thinking"), payload.get("reasoning_effort")
    if native is not None:
        if effort is not None:
            adapted.append("reasoning_effort dropped: thinking was given too")
        return {"thinking": native}
    if effort is None:
        return {}
    if not isinstance(effort, str):
        raise invalid_parameter("reasoning_effort", f"is {type(effort).__name__}, not text", "reasoning_effort='low'")
    if effort not in _THINKING:
        adapted.append(
            f"reasoning_effort {effort!r} dropped: Cohere's thinking is on or off, and on by default where there is any"
        )
        return {}
    adapted.append(f"reasoning_effort {effort!r} sent as thinking {_THINKING[effort]!r}")
    return {"thinking": {"type": _THINKING[effort]}}


def _format(wanted: Any, adapted: list[str]) -> dict[str, Any]:
    if wanted is None:
        return {}
    kind = wanted.get("type") if isinstance(wanted, Mapping) else None
    if kind == "grammar":
        raise unsupported_parameter("response_format", "asks for a grammar, which Cohere does not support")
    if kind != "json_schema":
        return {"response_format": wanted}
    inner = wanted.get("json_schema")
    schema = inner.get("schema") if isinstance(inner, Mapping) else None
    if not isinstance(schema, Mapping):
        instead = "{'type': 'json_schema', 'json_schema': {'name': …, 'schema': {…}}}"
        raise invalid_parameter("response_format.json_schema", "has no schema", instead)
    adapted.append("response_format json_schema sent as json_object with the schema, which has no name, description or strict")
    return {"response_format": {"type": "json_object", "json_schema": schema}}
