"""Conversion of a call to the library's request, and rejection of unsupported features."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from modelmesh.contracts import Call, FailureClass, messages_for_connector
from modelmesh_cdk import provider_error
from modelmesh_cdk.message_rules import adapt
from modelmesh_connector_local.config import ID, LocalConfig
from modelmesh_connector_local.message_rules import RULES

LENGTHS = ("max_completion_tokens", "max_tokens", "n_predict")


def encode(call: Call, config: LocalConfig) -> tuple[dict[str, Any], list[str]]:
    """Return the request, and a line for each adaptation.

    The request is always a stream, because the library can only be stopped between two chunks.

    Raises:
        ProviderError: The model does not support a feature of the request.
    """
    for feature in _unsupported(call):
        message = f"the local model {config.name} does not support {feature}. Use a pool that has a larger model"
        raise provider_error(FailureClass.CAPABILITY, message, status=400, code="unsupported_parameter")
    adapted: list[str] = []
    messages = messages_for_connector(ID, call.payload.get("messages"), adapted)
    fitted = adapt({**call.payload, "messages": messages}, RULES)
    adapted += fitted.notes
    request = {**fitted.payload, "stream": True, "return_progress": True}
    request["messages"] = _messages(fitted.payload["messages"], config, adapted)
    options = call.payload.get("stream_options")
    request["stream_options"] = {**(options if isinstance(options, Mapping) else {}), "include_usage": True}
    if request.get("temperature") is None:
        request["temperature"] = config.temperature
        adapted.append(f"temperature={config.temperature} added as default")
    if all(request.get(name) is None for name in LENGTHS):
        request["max_tokens"] = config.max_tokens
        adapted.append(f"max_tokens={config.max_tokens} added as default")
    return request, adapted


def _messages(given: Any, config: LocalConfig, adapted: list[str]) -> Any:
    """Return the messages, with the default system message first if there is none."""
    if not isinstance(given, list):
        return given  # the library returns an error
    if not config.system or any(isinstance(message, Mapping) and message.get("role") == "system" for message in given):
        return given
    adapted.append("a short system message added as default")
    return [{"role": "system", "content": config.system}, *given]


def _unsupported(call: Call) -> Iterator[str]:
    payload = call.payload
    if call.operation.name != "chat.completions":
        yield f"the operation {call.operation.name}"
    for name in ("tools", "functions"):
        if payload.get(name):
            yield f"tools ({name!r})"
    if payload.get("n") not in (None, 1):
        yield f"n={payload['n']!r} (only one choice)"
