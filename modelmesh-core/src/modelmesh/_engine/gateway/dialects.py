"""The format of a request: that of OpenAI, Anthropic or Google. It decides the formats of model lists and errors."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from modelmesh._engine.gateway import error_responses
from modelmesh._engine.gateway.messages import GatewayRequest


class Dialect(StrEnum):
    """Formats of requests."""

    OPENAI = "openai"
    ANTHROPIC = "anthropic"
    GOOGLE = "google"


GOOGLE_PREFIX = "/v1beta/"
_GOOGLE_VERBS = (":generateContent", ":streamGenerateContent", ":countTokens", ":embedContent", ":batchEmbedContents")
_GOOGLE_HEADERS = ("x-goog-api-key", "x-goog-api-client")


def dialect_of(request: GatewayRequest) -> Dialect:
    """Return the format of a request."""
    return dialect_of_head(request.path, request.headers)


def dialect_of_head(path: str, headers: Mapping[str, str]) -> Dialect:
    """Return the format of a request by its path, percent-encoded, and its headers, names in lower case."""
    if path.startswith("/v1/messages"):
        return Dialect.ANTHROPIC
    if path.startswith(GOOGLE_PREFIX) or path.endswith(_GOOGLE_VERBS):
        return Dialect.GOOGLE
    if "anthropic-version" in headers:
        return Dialect.ANTHROPIC
    if path.startswith("/v1/models") and any(name in headers for name in _GOOGLE_HEADERS):
        return Dialect.GOOGLE
    return Dialect.OPENAI


def error_body(dialect: Dialect, error: Exception, request_id: str) -> dict[str, Any]:
    """Return the body of an error in a format, from which the vendor's SDK raises its own class."""
    if dialect is Dialect.ANTHROPIC:
        return error_responses.anthropic_error(error, request_id)
    if dialect is Dialect.GOOGLE:
        return error_responses.google_error(error)
    return {"error": error_responses.openai_error(error)}
