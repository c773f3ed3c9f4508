"""Complete answers as HTTP responses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from modelmesh._engine.gateway import json_codec
from modelmesh._engine.gateway.model_names import ModelName
from modelmesh._engine.mesh.answer_bodies import complete_body, is_complete_chat
from modelmesh.contracts.headers import FRAMING
from modelmesh.contracts.provider import REQUEST_ID_HEADERS, Answer

if TYPE_CHECKING:
    from modelmesh._engine.routing.steps import Served
    from modelmesh.contracts.call import Call

JSON, TEXT, BINARY = "application/json", "text/plain; charset=utf-8", "application/octet-stream"

COST = "x-modelmesh-cost"
"""Header of a complete answer and comment at the end of a stream: cost in USD."""

_KEPT_BACK = FRAMING | {
    "alt-svc",
    "cache-control",
    "clear-site-data",
    "content-security-policy",
    "content-security-policy-report-only",
    "content-type",
    "date",
    "link",
    "location",
    "nel",
    "permissions-policy",
    "proxy-authenticate",
    "refresh",
    "report-to",
    "reporting-endpoints",
    "retry-after",
    "server",
    "service-worker-allowed",
    "set-cookie",
    "strict-transport-security",
    "vary",
    "via",
    "www-authenticate",
    "x-frame-options",
    "x-should-retry",
}
"""Headers that concern the connection to the vendor, or that would instruct a browser about the address of the mesh."""

_KEPT_BACK_PREFIXES = ("access-control-", "cross-origin-", "x-modelmesh-")
"""Beginnings of headers that only the mesh or the server in front of it may set."""


def answer_content(served: Served, call: Call) -> tuple[bytes, str]:
    """Return the body of a complete answer and its media type."""
    assert isinstance(served.outcome, Answer)
    body = served.outcome.body
    if isinstance(body, bytes | bytearray | memoryview):
        return bytes(body), served.outcome.headers.get("content-type") or BINARY
    if isinstance(body, str):
        return body.encode(), TEXT
    if isinstance(body, dict):
        relayed = _relayed(served.outcome, served)
        if relayed is not None:
            return relayed, JSON
        body = complete_body(body, served, call)
    return json_codec.encode(body), JSON


def _relayed(answer: Answer, served: Served) -> bytes | None:
    """Return the vendor's JSON with the real model, ``None`` where other parts differ in the answer of the mesh."""
    if answer.raw is None or not is_complete_chat(answer.body):
        return None
    return ModelName(served.candidate.model_id).put(answer.raw, answer.body["model"])


def answer_headers(served: Served, request_id: str) -> list[tuple[str, str]]:
    """Return the vendor's headers and those of the mesh.

    Args:
        served: The answer, or the open stream.
        request_id: ID of the request, for a vendor that sent none.
    """
    outcome, attempt = served.outcome, served.attempts[-1]
    vendor: Mapping[str, str] = outcome.headers if isinstance(outcome, Answer) else outcome.stream.headers
    headers = [
        (name, value) for name, value in vendor.items() if name not in _KEPT_BACK and not name.startswith(_KEPT_BACK_PREFIXES)
    ]
    own = next((vendor[name] for name in REQUEST_ID_HEADERS if name in vendor), request_id)
    if "x-request-id" not in vendor:
        headers.append(("x-request-id", own))
    headers += [
        ("x-modelmesh-model", _ascii(served.candidate.model_id)),
        ("x-modelmesh-provider", _ascii(served.candidate.provider_id)),
        ("x-modelmesh-attempts", str(len(served.attempts))),
    ]
    if attempt.cost is not None:
        headers.append((COST, format(attempt.cost, ".9f")))
    if attempt.adapted:
        headers.append(("x-modelmesh-adapted", _ascii("; ".join(attempt.adapted))))
    return headers


def _ascii(text: str) -> str:
    """Return a text that a header can contain."""
    if text.isascii() and text.isprintable():
        return text
    return text.encode("ascii", "backslashreplace").decode().replace("\r", " ").replace("\n", " ")
