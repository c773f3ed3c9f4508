"""From a call to what the library is asked, and what the model cannot do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from modelmesh.contracts import FailureClass, messages_for_connector
from modelmesh.contracts.call import Call
from modelmesh_cdk import provider_error
from modelmesh_cdk.message_rules import adapt
from modelmesh_connector_local.config import LocalConfig
from modelmesh_connector_local.message_rules import RULES

ID = "modelmesh.local.v1"
LENGTHS = ("max_completion_tokens", "max_tokens", "n_predict")


def encode(call: Call, config: LocalConfig) -> tuple[dict[str, Any], list[str]]:
    """Return the request, and a line for each thing that was added or renamed.

    It always asks for a stream: only between two chunks can the library be stopped.

    Raises:
        ProviderError: The model cannot do it.
    """
    for what in _beyond(call):
        message = f"the local model {config.name} cannot serve {what}; ask a pool that has a larger model"
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
        adapted.append(f"temperature={config.temperature} added, as none was given")
    if all(request.get(name) is None for name in LENGTHS):
        request["max_tokens"] = config.max_tokens
        adapted.append(f"max_tokens={config.max_tokens} added, as none was given")
    return request, adapted


def _messages(given: Any, config: LocalConfig, adapted: list[str]) -> Any:
    """Return the messages, with a short system message first when there is none."""
    if not isinstance(given, list):
        return given  # the library returns an error
    if not config.system or any(isinstance(message, Mapping) and message.get("role") == "system" for message in given):
        return given
    adapted.append("a short system message added, as none was given")
    return [{"role": "system", "content": config.system}, *given]


def _beyond(call: Call) -> Iterator[str]:
    payload = call.payload
    if call.operation.name != "chat.completions":
        yield f"the operation {call.operation.name}"
    for name in ("tools", "functions"):
        if payload.get(name):
            yield f"{name!r}: it cannot call tools"
    if payload.get("n") not in (None, 1):
        yield f"n={payload['n']!r}: it gives one answer"
