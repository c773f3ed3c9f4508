"""Token usage of streams, which OpenAI and most vendors report only on request.

Every streamed request contains ``stream_options.include_usage``. When a server rejects the option, the kit repeats the request
without it and omits it from later requests. Known servers: Databricks for models of AWS Bedrock (anomalyco/opencode#4698), some
API versions of Azure (openai/openai-python#2296) and older gateways (QuantumNous/new-api#418), all read 2026-11-30.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from modelmesh.contracts import CHAT
from modelmesh.contracts.operations import COMPLETIONS

if TYPE_CHECKING:
    from modelmesh.errors import ProviderError
    from modelmesh_cdk.wire.request import WireRequest

OPTIONS = "stream_options"
INVALID_REQUEST_STATUSES = frozenset({400, 422})


def ask_for_usage(request: WireRequest, payload: dict[str, Any]) -> None:
    """Ask for the usage of a stream in its body. Other stream options of the caller stay."""
    if request.call.operation.name not in (CHAT.name, COMPLETIONS.name):
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
    """Return whether an error rejects the option for stream usage."""
    if not request.usage_asked or error.status not in INVALID_REQUEST_STATUSES:
        return False
    text = f"{error.message} {json.dumps(error.body, default=str)}"
    return OPTIONS in text or "include_usage" in text
