"""Parts that several paths share: model names, headers of replies, errors."""

from __future__ import annotations

from typing import Any

_ERRORS = {
    "400": "The request is wrong, or no model can serve it.",
    "401": "The token is missing or invalid.",
    "403": "The token does not permit this.",
    "404": "There is no such pool, model, resource or path.",
    "405": "The path has no such method.",
    "408": "The request arrived too slowly.",
    "413": "The body is too large.",
    "415": "The media type of the body is not accepted.",
    "429": "A rate limit, a quota or a budget is exhausted.",
    "431": "The headers are too large.",
    "502": "Every provider failed.",
    "503": "No model is available now, or the server is at its limit. See Retry-After.",
    "504": "The time limit has passed.",
    "4XX": "The vendor refused the request with this status.",
    "5XX": "The vendor failed with this status.",
}
_HEADERS = {
    "x-request-id": "ID of the request: the vendor's, the caller's or a new one.",
    "x-modelmesh-model": "Model that answered.",
    "x-modelmesh-provider": "Key of its provider.",
    "x-modelmesh-attempts": "Number of attempts.",
    "x-modelmesh-cost": "Cost in USD, for a complete answer with a known cost. A stream ends with a comment instead.",
    "x-modelmesh-adapted": "What the vendor's format could not express.",
}


KEYS = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "anthropic": {"type": "apiKey", "in": "header", "name": "x-api-key"},
    "google": {"type": "apiKey", "in": "header", "name": "x-goog-api-key"},
    "azure": {"type": "apiKey", "in": "header", "name": "api-key"},
}
"""Headers with a token of the proxy, by the vendor of the clients that send it."""

_KEYS_OF = {"OpenAI": ("bearer", "azure"), "Anthropic": ("anthropic", "bearer"), "Google": ("google", "bearer")}


def security(tag: str) -> list[dict[str, Any]]:
    """Return the headers with a token that the clients of a vendor send. A proxy without tokens needs none."""
    return [{}, *({name: []} for name in _KEYS_OF.get(tag, ()))]


def model_name() -> dict[str, Any]:
    """Return the schema of a model's name."""
    return {"type": "string", "minLength": 1, "description": "A pool, an alias, a capability or a model."}


def reply_headers() -> dict[str, Any]:
    """Return the headers of a reply."""
    return {name: {"description": text, "schema": {"type": "string"}} for name, text in _HEADERS.items()}


def errors(*, anthropic: bool = False, google: bool = False) -> dict[str, Any]:
    """Return the responses to a failed request, in the format of a vendor."""
    name = "AnthropicError" if anthropic else "GoogleError" if google else "OpenAIError"
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}
    return {status: {"description": text, "content": content} for status, text in _ERRORS.items()}


ERROR_SCHEMAS: dict[str, Any] = {
    "OpenAIError": {
        "type": "object",
        "required": ["error"],
        "properties": {
            "error": {
                "type": "object",
                "required": ["message", "type", "param", "code"],
                "properties": {
                    "message": {"type": "string"},
                    "type": {"type": "string"},
                    "param": {"type": ["string", "null"]},
                    "code": {"type": ["string", "integer", "null"]},
                },
            }
        },
    },
    "AnthropicError": {
        "type": "object",
        "required": ["type", "error"],
        "properties": {
            "type": {"const": "error"},
            "error": {
                "type": "object",
                "required": ["type", "message"],
                "properties": {"type": {"type": "string"}, "message": {"type": "string"}},
            },
            "request_id": {"type": "string"},
        },
    },
    "GoogleError": {
        "type": "object",
        "required": ["error"],
        "properties": {
            "error": {
                "type": "object",
                "required": ["code", "message", "status"],
                "properties": {"code": {"type": "integer"}, "message": {"type": "string"}, "status": {"type": "string"}},
            }
        },
    },
}
"""Schemas of errors by vendor."""
