"""Paths of the operations table."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from modelmesh.client.parameters import FILE_ARGUMENTS, parameter_class
from modelmesh.contracts.operations import MESSAGES, MODEL_REQUIRED, BodyKind, Operation, OperationScope, ReplyKind, StreamKind
from modelmesh_proxy.openapi.parts import errors, model_name, reply_headers, security
from modelmesh_proxy.openapi.type_schemas import parameter_schemas

_MESSAGES: Mapping[str, Any] = {
    "messages": {"type": "array", "items": {"type": "object"}, "minItems": 1},
    "max_tokens": {"type": "integer", "minimum": 1},
    "system": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "object"}}]},
    "stop_sequences": {"type": "array", "items": {"type": "string"}},
    "tools": {"type": "array", "items": {"type": "object"}},
    "tool_choice": {"type": "object"},
    "thinking": {"type": "object"},
    "metadata": {"type": "object"},
}
"""Parameters of the Messages API, for which clients of the mesh have no class (anthropic 2.11.0, read 2026-11-30)."""


def path_item(operation: Operation) -> dict[str, Any]:
    """Return the entry of an operation."""
    dialect = "Anthropic" if operation is MESSAGES else "OpenAI"
    entry: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [dialect],
        "summary": f"{operation.name} of {dialect}'s interface",
        "security": security(dialect),
        "responses": {"200": _reply(operation), **errors(anthropic=operation is MESSAGES)},
    }
    known = parameters_of(operation)
    in_path = re.findall(r"\{(\w+)\}", operation.path)
    if in_path:
        entry["parameters"] = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}} for name in in_path
        ]
    if operation.body is BodyKind.NONE:
        rest = {name: schema for name, schema in known.items() if name not in in_path}
        entry.setdefault("parameters", []).extend(
            {"name": name, "in": "query", "schema": _not_null(schema)} for name, schema in rest.items()
        )
    else:
        kind = "multipart/form-data" if operation.body is BodyKind.MULTIPART else "application/json"
        schema = _body(operation, known, in_path)
        entry["requestBody"] = {"required": bool(schema.get("required")), "content": {kind: {"schema": schema}}}
    return entry


def parameters_of(operation: Operation) -> dict[str, Any]:
    """Return the schemas of the parameters of an operation."""
    if operation is MESSAGES:
        return dict(_MESSAGES)
    shape = parameter_class(operation.name)
    return {} if shape is None else parameter_schemas(shape)


def _body(operation: Operation, known: Mapping[str, Any], in_path: list[str]) -> dict[str, Any]:
    properties = {name: schema for name, schema in known.items() if name not in in_path}
    required = [name for name in operation.required_arguments if name not in in_path]
    if operation.scope is OperationScope.MODEL:
        properties["model"] = model_name()
        required = ["model", *required] if operation.name in MODEL_REQUIRED else required
    if operation.streams:
        properties["stream"] = {"type": "boolean", "default": False}
    for name in FILE_ARGUMENTS.get(operation.name, ()):
        properties[name] = {"type": "string", "contentMediaType": "application/octet-stream"}
    for name in required:
        properties.setdefault(name, {})
    found: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": True}
    return {**found, "required": required} if required else found


def _reply(operation: Operation) -> dict[str, Any]:
    content: dict[str, Any] = {}
    if operation.reply is ReplyKind.JSON:
        schema: dict[str, Any] = {"type": "object"}
        if operation.required_keys:
            schema["required"] = list(operation.required_keys)
        content["application/json"] = {"schema": schema}
    else:
        content["*/*"] = {"schema": {"type": "string", "contentMediaType": "application/octet-stream"}}
    if operation.capability == "speech-to-text":
        content["text/plain"] = {"schema": {"type": "string"}}
    if operation.stream not in (None, StreamKind.BYTES):
        content["text/event-stream"] = {"schema": {"description": "Server-sent events, with stream: true."}}
    return {"description": "The answer.", "headers": reply_headers(), "content": content}


def _not_null(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of a query parameter, which is never null."""
    choices = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    if not choices:
        return dict(schema)
    return dict(choices[0]) if len(choices) == 1 else {"anyOf": choices}
