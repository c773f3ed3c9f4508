"""OpenAI's API.

Paths, field names and codes are those of the openai package 3.52.0 (read 2026-11-21): ``resources/``, ``types/chat/``,
``types/create_embedding_response.py``, ``_exceptions.py``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from modelmesh.contracts import OPERATIONS, FailureClass
from modelmesh_cdk.testing.dialects.operation_samples import OPERATION_SAMPLES
from modelmesh_cdk.testing.dialects.protocol import Dialect, Refusal
from modelmesh_cdk.testing.dialects.shape import packed, written
from modelmesh_cdk.testing.upstream import Received, Script, event

_F = FailureClass
_INVALID = "invalid_request_error"
_USUAL = {401: "invalid_api_key", 404: "model_not_found", 429: "rate_limit_exceeded", 500: "server_error"}


def _body(message: str, code: str | None, kind: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def _row(status: int, code: str | None, kind: str, failure: FailureClass) -> Refusal:
    return Refusal(status, _body(f"status {status}", code, kind), failure)


class OpenAIDialect(Dialect):
    """OpenAI's format, which the tests use. Derive from this class for a vendor with few differences."""

    failed_finish_reasons: Sequence[str] = ("error",)  # not OpenAI's, but common to servers of its format
    operations: Collection[str] = frozenset(OPERATION_SAMPLES)
    error_responses: Sequence[Refusal] = (
        _row(400, None, _INVALID, _F.REFUSED),
        _row(400, "context_length_exceeded", _INVALID, _F.CAPABILITY),
        _row(400, "unsupported_parameter", _INVALID, _F.CAPABILITY),
        _row(400, "content_policy_violation", _INVALID, _F.POLICY),
        _row(401, "invalid_api_key", _INVALID, _F.CREDENTIAL),
        _row(402, None, "billing_error", _F.QUOTA),
        _row(403, "unsupported_country_region_territory", "request_forbidden", _F.PERMISSION),
        _row(404, "model_not_found", _INVALID, _F.NOT_FOUND),
        _row(408, None, "timeout", _F.TRANSIENT),
        _row(409, None, "conflict", _F.REFUSED),
        _row(413, None, "request_too_large", _F.REFUSED),
        _row(422, None, _INVALID, _F.REFUSED),
        _row(429, "rate_limit_exceeded", "requests", _F.THROTTLE),
        _row(429, "insufficient_quota", "insufficient_quota", _F.QUOTA),
        _row(500, "server_error", "server_error", _F.SERVER),
        _row(502, None, "server_error", _F.SERVER),
        _row(503, None, "server_error", _F.SERVER),
        _row(504, None, "server_error", _F.SERVER),
        _row(529, None, "overloaded_error", _F.SERVER),
    )

    def path(self, operation: str, model: str) -> str:
        """Return the path of the operation. The model is in the body."""
        del model
        return OPERATIONS[operation].path

    def key(self, received: Received) -> str | None:
        """Return the bearer token."""
        scheme, _, key = received.headers.get("authorization", "").partition(" ")
        return key if scheme == "Bearer" else None

    def read_chat(self, received: Received) -> dict[str, Any]:
        """Return the body."""
        body = received.json
        assert isinstance(body, dict), "the body of a request is a JSON object"
        return body

    def read_embeddings(self, received: Received) -> dict[str, Any]:
        """Return the body."""
        return self.read_chat(received)

    def write_response(self, body: Mapping[str, Any]) -> bytes:
        """Write JSON."""
        return written(body)

    def write_stream(self, chunks: Sequence[Mapping[str, Any]], *, done: bool = True) -> list[bytes]:
        """Write one event for each chunk, and ``[DONE]``."""
        return [event(written(one).decode()) for one in chunks] + (self.write_final_event() if done else [])

    def write_final_event(self) -> list[bytes]:
        """Return ``[DONE]``."""
        return [event("[DONE]")]

    def write_error_event(self) -> list[bytes]:
        """Return an error body as an event, and ``[DONE]``."""
        return [event(_body("down", "server_error", "server_error")), *self.write_final_event()]

    def write_embeddings(self, body: Mapping[str, Any], received: Received) -> bytes:
        """Write the vectors as numbers, or as base64 if requested."""
        if received.json.get("encoding_format") != "base64":
            return written(body)
        return written({**body, "data": [{**row, "embedding": packed(row["embedding"])} for row in body["data"]]})

    def write_error(
        self, status: int, message: str, *, code: str | None = None, wait: float | None = None, request_id: str | None = None
    ) -> Script:
        """Return an error body. Headers have the delay and the request ID."""
        more = {"Retry-After": None if wait is None else f"{wait:g}", "x-request-id": request_id}
        kind = _INVALID if status < 500 else "server_error"  # noqa: PLR2004 - HTTP's line between the two sides
        body = _body(message, code or _USUAL.get(status), kind)
        return Script(status, written(body), {name: value for name, value in more.items() if value is not None})
