"""Paths outside the operations table: models, token counts, Google's interface, health."""

from __future__ import annotations

from typing import Any

from modelmesh_proxy.openapi.parts import errors, model_name, reply_headers, security

_OBJECT: dict[str, Any] = {"type": "object"}
_CONTENT: dict[str, Any] = {
    "type": "object",
    "properties": {"role": {"enum": ["user", "model"]}, "parts": {"type": "array", "items": _OBJECT}},
    "required": ["parts"],
}
_GENERATE: dict[str, Any] = {
    "type": "object",
    "required": ["contents"],
    "additionalProperties": True,
    "properties": {
        "contents": {"type": "array", "items": _CONTENT, "minItems": 1},
        "systemInstruction": _CONTENT,
        "tools": {"type": "array", "items": _OBJECT},
        "toolConfig": _OBJECT,
        "safetySettings": {"type": "array", "items": _OBJECT},
        "generationConfig": _OBJECT,
    },
}
_EMBED: dict[str, Any] = {
    "type": "object",
    "required": ["content"],
    "properties": {"content": _CONTENT, "taskType": {"type": "string"}, "outputDimensionality": {"type": "integer"}},
}
_BATCH: dict[str, Any] = {
    "type": "object",
    "required": ["requests"],
    "properties": {"requests": {"type": "array", "items": _EMBED, "minItems": 1}},
}
_COUNT: dict[str, Any] = {
    "type": "object",
    "properties": {"contents": _GENERATE["properties"]["contents"], "generateContentRequest": _GENERATE},
}
_METHODS: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("generateContent", _GENERATE, "candidates"),
    ("countTokens", _COUNT, "totalTokens"),
    ("embedContent", _EMBED, "embedding"),
    ("batchEmbedContents", _BATCH, "embeddings"),
)


def own_paths() -> dict[str, Any]:
    """Return the paths."""
    return {**_models(), **_google(), **_service()}


def _entry(name: str, tag: str, summary: str, schema: dict[str, Any], **further: Any) -> dict[str, Any]:
    google, anthropic = tag == "Google", tag == "Anthropic"
    answer = {"description": "The answer.", "content": {"application/json": {"schema": schema}}}
    responses = {"200": answer, **errors(google=google, anthropic=anthropic)}
    head = {"operationId": name, "tags": [tag], "summary": summary, "security": security(tag)}
    return {**head, "responses": responses, **further}


def _with_keys(*names: str) -> dict[str, Any]:
    return {"type": "object", "required": list(names)}


def _parameter(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": model_name()}


def _body(schema: dict[str, Any]) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _models() -> dict[str, Any]:
    count = {
        "type": "object",
        "required": ["messages"],
        "properties": {"model": model_name(), "messages": {"type": "array", "items": _OBJECT, "minItems": 1}},
    }
    row = _with_keys("id")
    return {
        "/v1/models": {"get": _entry("models.list", "OpenAI", "Pools, aliases and models", _with_keys("data"))},
        "/v1/models/{model}": {
            "get": _entry("models.retrieve", "OpenAI", "One pool, alias or model", row, parameters=[_parameter("model")])
        },
        "/v1/messages/count_tokens": {
            "post": _entry(
                "messages.count_tokens", "Anthropic", "Estimated tokens", _with_keys("input_tokens"), requestBody=_body(count)
            )
        },
    }


def _google() -> dict[str, Any]:
    given = [_parameter("model")]
    found: dict[str, Any] = {
        "/v1beta/models": {"get": _entry("google.models.list", "Google", "Pools, aliases and models", _with_keys("models"))},
        "/v1beta/models/{model}": {
            "get": _entry("google.models.get", "Google", "One pool, alias or model", _with_keys("name"), parameters=given)
        },
    }
    for verb, schema, key in _METHODS:
        entry = _entry(f"google.{verb}", "Google", f"{verb} of Google's interface", _with_keys(key), parameters=given)
        entry["requestBody"] = _body(schema)
        entry["responses"]["200"]["headers"] = reply_headers()
        found[f"/v1beta/models/{{model}}:{verb}"] = {"post": entry}
    whole = found["/v1beta/models/{model}:generateContent"]["post"]
    alt = {"name": "alt", "in": "query", "schema": {"enum": ["sse", "json"]}, "description": "sse for server-sent events."}
    content = {
        "application/json": {"schema": {"type": "array", "items": _OBJECT}},
        "text/event-stream": {"schema": {}},
    }
    answer = {"description": "The events.", "headers": reply_headers(), "content": content}
    found["/v1beta/models/{model}:streamGenerateContent"] = {
        "post": {
            **whole,
            "operationId": "google.streamGenerateContent",
            "summary": "streamGenerateContent of Google's interface",
            "parameters": [*given, alt],
            "responses": {**whole["responses"], "200": answer},
        }
    }
    return found


def _service() -> dict[str, Any]:
    status = _with_keys("status")
    health = _entry("health", "Service", "Whether the process runs", status)
    ready = _entry("ready", "Service", "Whether the proxy should receive requests", status)
    ready["responses"]["503"] = {
        "description": "The server drains, or the store of tokens or budgets cannot be read.",
        "content": {"application/json": {"schema": status}},
    }
    return {"/health": {"get": health}, "/ready": {"get": ready}}
