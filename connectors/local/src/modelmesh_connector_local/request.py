"""From a call to what the library is asked, and what the model cannot do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from modelmesh.contracts.call import Call
from modelmesh.origin import addressed_to
from modelmesh.routing.classes import FailureClass
from modelmesh_cdk.failures import failure
from modelmesh_connector_local.config import LocalConfig

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
        raise failure(FailureClass.CAPABILITY, message, status=400, code="unsupported_parameter")
    adapted: list[str] = []
    request = {**call.payload, "stream": True, "return_progress": True}
    request["messages"] = _messages(addressed_to(ID, call.payload.get("messages"), adapted), config, adapted)
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
    if not isinstance(given, list):
        return given  # the library says what is wrong with it
    messages, renamed = [], False
    for message in given:
        is_developer = isinstance(message, Mapping) and message.get("role") == "developer"
        renamed = renamed or is_developer
        messages.append({**message, "role": "system"} if is_developer else message)
    if renamed:
        adapted.append("role 'developer' renamed to 'system', the one the model was trained with")
    if config.system and not any(isinstance(message, Mapping) and message.get("role") == "system" for message in messages):
        messages.insert(0, {"role": "system", "content": config.system})
        adapted.append("a short system message added, as none was given")
    return messages


def _beyond(call: Call) -> Iterator[str]:
    payload = call.payload
    if call.operation.name != "chat.completions":
        yield f"the operation {call.operation.name}"
    for name in ("tools", "functions"):
        if payload.get(name):
            yield f"{name!r}: it cannot call tools"
    if payload.get("n") not in (None, 1):
        yield f"n={payload['n']!r}: it gives one answer"
    for kind in _kinds_of_parts(payload.get("messages")):
        if kind not in ("text", "refusal"):
            yield f"content of type {kind!r}: it reads text only"


def _kinds_of_parts(messages: Any) -> Iterator[str]:
    for message in messages if isinstance(messages, list) else ():
        content = message.get("content") if isinstance(message, Mapping) else None
        for part in content if isinstance(content, list) else ():
            if isinstance(part, Mapping):
                yield str(part.get("type"))
