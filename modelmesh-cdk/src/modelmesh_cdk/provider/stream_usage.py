"""The usage of streams: OpenAI and most others report it only to requests that ask for it.

``stream_options.include_usage`` is asked for on every stream. A server that refuses the option is sent the request again
without it, and is not asked a second time: Databricks for models of AWS Bedrock (anomalyco/opencode#4698), some API versions
of Azure (openai/openai-python#2296), older gateways (QuantumNous/new-api#418); all read 2026-11-30.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from modelmesh.contracts import CHAT

if TYPE_CHECKING:
    from modelmesh.errors import ProviderError
    from modelmesh_cdk.wire.request import WireRequest

OPTIONS = "stream_options"
REFUSALS = frozenset({400, 422})


def ask_for_usage(request: WireRequest, payload: dict[str, Any]) -> None:
    """Ask for the usage of a stream in its body; a caller's other stream options stay."""
    if request.call.operation.name != CHAT.name:
        return
    given = payload.get(OPTIONS)
    if not request.usage_refused:
        if given is None or isinstance(given, Mapping):
            payload[OPTIONS] = {**(given or {}), "include_usage": True}
            request.usage_asked = True
    elif isinstance(given, Mapping):
        kept = {name: value for name, value in given.items() if name != "include_usage"}
        if given.get("include_usage"):
            request.adapted.append("stream_options.include_usage dropped: the server refuses it")
        if kept:
            payload[OPTIONS] = kept
        else:
            del payload[OPTIONS]


def refuses_usage(request: WireRequest, error: ProviderError) -> bool:
    """Whether a refusal is about being asked for the usage of a stream."""
    if not request.usage_asked or error.status not in REFUSALS:
        return False
    said = f"{error.message} {json.dumps(error.body, default=str)}"
    return OPTIONS in said or "include_usage" in said
