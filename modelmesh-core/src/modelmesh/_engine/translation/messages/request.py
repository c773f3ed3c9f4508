"""Conversion of a request of the Messages API to a chat completion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh._engine.translation.findings import Findings
from modelmesh._engine.translation.interfaces import ChatTranslation
from modelmesh._engine.translation.messages.native import native_payload
from modelmesh._engine.translation.messages.tools import chat_tooling
from modelmesh._engine.translation.messages.turns import messages_of
from modelmesh._engine.translation.refusals import refused
from modelmesh.contracts.call import Call

_NATIVE = {
    "container": "a container is stored at one account",
    "inference_geo": "chat completions have no choice of the region",
    "mcp_servers": "chat completions have no MCP servers",
}
"""Parameters that only a provider of the Messages API can serve."""

_LOST = {
    "betas": "they name features of Anthropic's API",
    "cache_control": "chat completions cache by content part",
    "context_management": "chat completions do not edit a conversation",
    "diagnostics": "chat completions have none",
    "fallbacks": "the mesh selects other models by its pools",
    "speed": "chat completions have service_tier",
    "user_profile_id": "it belongs to an account at Anthropic",
    "workspace_id": "it belongs to an account at Anthropic",
}
_CONVERTED = frozenset(
    {
        "max_tokens", "messages", "metadata", "model", "output_config", "output_format", "service_tier", "stop_sequences",
        "stream", "system", "thinking", "tool_choice", "tools", *_NATIVE, *_LOST,
    }
)  # fmt: skip
_EFFORTS = ((4096, "low"), (16_384, "medium"))
"""Efforts for budgets of thinking below a number of tokens. A larger budget is ``high``."""

_USER_LENGTH = 64
"""Longest ``user`` that OpenAI accepts."""

_TIERS = {"standard_only": "default"}


def chat_request(call: Call) -> ChatTranslation:
    """Return the chat completion of a request.

    Raises:
        BadRequestError: The request has no messages or no ``max_tokens``, or a message is invalid.
    """
    given = {name: value for name, value in call.payload.items() if value is not None}
    if not given.get("messages"):
        raise refused("messages", "is missing or empty", "Give messages=[{'role': 'user', 'content': '…'}]")
    limit = given.get("max_tokens")
    if not isinstance(limit, int) or isinstance(limit, bool):
        raise refused("max_tokens", "is missing or not a whole number", "Give max_tokens=1024 or another limit")
    findings = Findings()
    native = native_payload(given, findings)
    payload: dict[str, Any] = {"messages": messages_of(given, findings), "max_tokens": limit}
    payload |= {name: value for name, value in given.items() if name not in _CONVERTED}
    payload |= chat_tooling(given, findings) | _output(given, findings) | _metadata(given, findings)
    if given.get("stop_sequences"):
        payload["stop"] = given["stop_sequences"]
    if "service_tier" in given:
        payload["service_tier"] = _TIERS.get(str(given["service_tier"]), given["service_tier"])
    findings.read_fields(given, native=_NATIVE, lost=_LOST)
    if call.stream:
        payload["stream_options"] = {"include_usage": True}
    return ChatTranslation(payload, findings.lost, findings.native_only, findings.account, native, limit)


def _output(given: Mapping[str, Any], findings: Findings) -> dict[str, Any]:
    """Return ``response_format`` and ``reasoning_effort``."""
    found: dict[str, Any] = {}
    config = given.get("output_config")
    config = config if isinstance(config, Mapping) else {}
    form = config.get("format") or given.get("output_format")
    if isinstance(form, Mapping):
        schema = {"name": "output", "schema": form.get("schema"), "strict": True}
        found["response_format"] = {"type": "json_schema", "json_schema": schema}
    effort = config.get("effort") or _effort(given.get("thinking"), findings)
    if effort is not None:
        found["reasoning_effort"] = effort
    for name in config:
        if name not in ("effort", "format"):
            findings.lose(f"output_config.{name}", "chat completions have no such parameter")
    return found


def _effort(thinking: Any, findings: Findings) -> str | None:
    if not isinstance(thinking, Mapping):
        return None
    kind, budget = thinking.get("type"), thinking.get("budget_tokens")
    if kind == "enabled" and isinstance(budget, int):
        effort = next((name for most, name in _EFFORTS if budget < most), "high")
        findings.convert(f"thinking.budget_tokens {budget} sent as reasoning_effort {effort!r}")
        return effort
    if kind != "adaptive":  # the model decides, as without a parameter
        findings.lose(f"thinking {kind!r}", "chat completions have reasoning_effort only")
    return None


def _metadata(given: Mapping[str, Any], findings: Findings) -> dict[str, Any]:
    metadata = given.get("metadata")
    if not isinstance(metadata, Mapping):
        return {}
    for name in metadata:
        if name != "user_id":
            findings.lose(f"metadata.{name}", "Anthropic's metadata has user_id only")
    user = metadata.get("user_id")
    if isinstance(user, str) and len(user) > _USER_LENGTH:
        findings.lose("metadata.user_id", f"a user of a chat completion has at most {_USER_LENGTH} characters")
        return {}
    return {} if user is None else {"user": user}
