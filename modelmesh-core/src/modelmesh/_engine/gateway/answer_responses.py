"""Complete answers as HTTP responses."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from modelmesh._engine.foundation.lazy_import import LazyModule
from modelmesh._engine.gateway import json_codec
from modelmesh.contracts.conversation import tag_answer
from modelmesh.contracts.headers import FRAMING
from modelmesh.contracts.operations import CHAT, EMBEDDINGS
from modelmesh.contracts.provider import REQUEST_ID_HEADERS, Answer

if TYPE_CHECKING:
    from modelmesh._engine import translation
    from modelmesh._engine.routing.steps import Served
    from modelmesh.contracts.call import Call
else:  # only a translated answer needs it
    translation = LazyModule(globals(), "translation", "modelmesh._engine.translation")

JSON, TEXT, BINARY = "application/json", "text/plain; charset=utf-8", "application/octet-stream"

_KEPT_BACK = FRAMING | {
    "alt-svc",
    "cache-control",
    "content-type",
    "date",
    "nel",
    "report-to",
    "retry-after",
    "server",
    "set-cookie",
    "strict-transport-security",
    "vary",
    "via",
    "x-should-retry",
}
"""Headers that concern the connection to the vendor."""


def is_translated(served: Served, call: Call) -> bool:
    """Return whether the vendor answered a chat completion in place of the operation of the caller."""
    return call.operation.translates and served.sent.operation is CHAT


def answer_content(served: Served, call: Call) -> tuple[bytes, str]:
    """Return the body of a complete answer and its media type."""
    assert isinstance(served.outcome, Answer)
    body = served.outcome.body
    if isinstance(body, bytes | bytearray | memoryview):
        return bytes(body), served.outcome.headers.get("content-type") or BINARY
    if isinstance(body, str):
        return body.encode(), TEXT
    if isinstance(body, dict):
        body = _complete(body, served, call)
    return json_codec.encode(body), JSON


def _complete(body: dict[str, Any], served: Served, call: Call) -> dict[str, Any]:
    """Return a JSON answer with the real model and the fields of OpenAI that some vendors omit."""
    if is_translated(served, call):
        _complete_chat(body, served)
        return translation.TRANSLATIONS[call.operation.name].from_chat(body, call)
    if call.operation is CHAT:
        _complete_chat(body, served)
    elif call.operation is EMBEDDINGS:
        body["model"] = served.candidate.model_id
        body.setdefault("object", "list")
    elif "model" in body:
        body["model"] = served.candidate.model_id
    return body


def _complete_chat(body: dict[str, Any], served: Served) -> None:
    body["model"] = served.candidate.model_id
    body.setdefault("object", "chat.completion")
    tag_answer(body, served.candidate.provider.id)
    for choice in body.get("choices") or ():
        if isinstance(choice, dict) and isinstance(choice.get("message"), dict):
            choice["message"].setdefault("content", None)
    if not body.get("created"):
        body["created"] = int(time.time())


def answer_headers(served: Served, request_id: str) -> list[tuple[str, str]]:
    """Return the vendor's headers and those of the mesh.

    Args:
        served: The answer, or the open stream.
        request_id: ID of the request, for a vendor that sent none.
    """
    outcome, attempt = served.outcome, served.attempts[-1]
    vendor: Mapping[str, str] = outcome.headers if isinstance(outcome, Answer) else outcome.stream.headers
    headers = [(name, value) for name, value in vendor.items() if name not in _KEPT_BACK]
    own = next((vendor[name] for name in REQUEST_ID_HEADERS if name in vendor), request_id)
    if "x-request-id" not in vendor:
        headers.append(("x-request-id", own))
    headers += [
        ("x-modelmesh-model", _ascii(served.candidate.model_id)),
        ("x-modelmesh-provider", _ascii(served.candidate.provider_id)),
        ("x-modelmesh-attempts", str(len(served.attempts))),
    ]
    if attempt.cost is not None:
        headers.append(("x-modelmesh-cost", format(attempt.cost, ".9f")))
    if attempt.adapted:
        headers.append(("x-modelmesh-adapted", _ascii("; ".join(attempt.adapted))))
    return headers


def _ascii(text: str) -> str:
    """Return a text that a header can contain."""
    if text.isascii() and text.isprintable():
        return text
    return text.encode("ascii", "backslashreplace").decode().replace("\r", " ").replace("\n", " ")
