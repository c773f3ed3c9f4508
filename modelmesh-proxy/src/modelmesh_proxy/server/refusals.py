"""Responses to requests that do not reach the application, in the format of OpenAI's errors."""

from __future__ import annotations

import os

from attrs import frozen

from modelmesh._engine.gateway import json_codec
from modelmesh._engine.gateway.error_responses import openai_error
from modelmesh._engine.gateway.messages import HttpError
from modelmesh_proxy.asgi import JSON

_PHRASES = {
    400: b"Bad Request",
    408: b"Request Timeout",
    431: b"Request Header Fields Too Large",
    503: b"Service Unavailable",
}


@frozen
class Refusal:
    """The response to a request that cannot be read. The connection closes after the response.

    Attributes:
        status: HTTP status.
        code: Code of the error body.
        message: What is wrong, and what to do.
    """

    status: int
    code: str
    message: str

    def response(self, default_headers: list[tuple[bytes, bytes]]) -> bytes:
        """Return the bytes of the response."""
        body = json_codec.encode({"error": openai_error(HttpError(self.status, self.message, code=self.code))})
        headers = [
            *default_headers,
            JSON,
            (b"content-length", b"%d" % len(body)),
            (b"connection", b"close"),
            (b"x-request-id", b"req_%b" % os.urandom(16).hex().encode()),
            *([(b"retry-after", b"1")] if self.status == 503 else []),  # noqa: PLR2004 - Service Unavailable
        ]
        lines = b"".join(b"%b: %b\r\n" % header for header in headers)
        return b"HTTP/1.1 %d %b\r\n%b\r\n%b" % (self.status, _PHRASES[self.status], lines, body)


class RefusedError(Exception):
    """Raised in a callback of the parser, which stops there.

    Attributes:
        refusal: The response.
    """

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal


INVALID = Refusal(400, "invalid_http", "The request is not valid HTTP/1.1. Correct its head or the framing of its body.")
HEADERS_TOO_LARGE = Refusal(
    431, "headers_too_large", "The head of the request is too large. Send a shorter path and fewer headers."
)
HEAD_TIMEOUT = Refusal(408, "request_timeout", "The head of the request did not arrive in time. Send it again.")
BODY_TIMEOUT = Refusal(408, "request_timeout", "The body of the request did not arrive in time. Send it again.")
TOO_MANY_CONNECTIONS = Refusal(503, "too_many_connections", "The proxy has too many open connections. Try again in a second.")
TOO_MANY_PIPELINED = Refusal(
    503, "too_many_requests", "Too many requests wait on one connection. Wait for the earlier responses."
)
HOST_REQUIRED = Refusal(400, "invalid_host", "A request needs exactly one Host header. Send one.")
HOST_DIFFERS = Refusal(
    400, "invalid_host", "The request line and the Host header name different hosts. Send the same host in both."
)
