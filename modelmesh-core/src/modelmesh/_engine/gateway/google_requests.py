"""Requests of Google's clients: paths, streams, embeddings and token counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from attrs import evolve

from modelmesh._engine.gateway.calls import build_call
from modelmesh._engine.gateway.messages import GatewayRequest, HttpError
from modelmesh._engine.gateway.routes import Endpoint, Route
from modelmesh._engine.limits.token_counts import prompt_size
from modelmesh._engine.translation.generate_content.field_names import in_camel_case
from modelmesh._engine.translation.generate_content.request import chat_request
from modelmesh.contracts.call import Call, CallOptions
from modelmesh.contracts.operations import CHAT, EMBEDDINGS, GENERATE_CONTENT, Operation

_VERSIONS = ("/v1beta/", "/v1/")
_COLLECTIONS = ("models/", "tunedModels/")
_TARGETS: Mapping[str, Operation | Endpoint] = {
    "generateContent": GENERATE_CONTENT,
    "streamGenerateContent": GENERATE_CONTENT,
    "embedContent": EMBEDDINGS,
    "batchEmbedContents": EMBEDDINGS,
    "countTokens": Endpoint.COUNT_TOKENS,
}
_NOT_EMBEDDED = ("taskType", "title", "autoTruncate", "embedContentConfig")


def _route(target: Operation | Endpoint, model: str = "", verb: str = "", *, as_array: bool = False) -> Route:
    arguments = (("model", model),) if model else ()
    return Route(target, arguments, verb, is_google=True, as_array=as_array)


def find_google_route(request: GatewayRequest) -> Route:
    """Return the route of a request.

    Raises:
        HttpError: There is no such path, or it has no such method.
    """
    path = next((request.path.removeprefix(one) for one in _VERSIONS if request.path.startswith(one)), "").rstrip("/")
    if path == "models":
        return _of_method(request, "GET", _route(Endpoint.LIST_MODELS))
    collection = next((one for one in _COLLECTIONS if path.startswith(one)), None)
    if collection is None:
        message = f"{request.method} {request.path[:200]} does not exist. Paths start with /v1beta/models, e.g. {_EXAMPLE}."
        raise HttpError(404, message)
    name, colon, verb = unquote(path.removeprefix(collection)).rpartition(":")
    target = _TARGETS.get(verb) if colon else None
    if target is None and request.method == "GET":
        return _route(Endpoint.RETRIEVE_MODEL, unquote(path.removeprefix(collection)))
    if target is None:
        raise HttpError(404, f"{request.path[:200]} does not exist. Google's methods here are {', '.join(_TARGETS)}.")
    as_array = verb.startswith("stream") and dict(request.query).get("alt") != "sse"
    return _of_method(request, "POST", _route(target, name, verb, as_array=as_array))


_EXAMPLE = "/v1beta/models/chat-completion:generateContent"


def _of_method(request: GatewayRequest, method: str, route: Route) -> Route:
    if request.method == method:
        return route
    message = f"{request.path[:200]} does not accept {request.method}. Use {method}."
    raise HttpError(405, message, code="method_not_allowed", allow=method)


def google_call(route: Route, request: GatewayRequest, payload: dict[str, Any], defaults: CallOptions) -> Call:
    """Build the call of a request.

    Raises:
        HttpError: A required argument is missing or has the wrong type.
    """
    plain = evolve(request, query=())  # settings of Google's front, such as alt
    if route.target is EMBEDDINGS:
        given, lost = _embedded(route, payload)
        return evolve(build_call(route, plain, given, defaults), lost=lost)
    payload.pop("stream", None)
    call = build_call(route, plain, payload, defaults)
    return evolve(call, stream=route.verb == "streamGenerateContent")


def _embedded(route: Route, payload: dict[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the request of OpenAI's embeddings, and what it does not express."""
    try:
        body = in_camel_case(payload)
    except RecursionError:
        raise HttpError(400, "The body is nested too deep. Send fewer levels.", code="invalid_json") from None
    rows = body.get("requests") if route.verb == "batchEmbedContents" else [body]
    if not isinstance(rows, list) or not rows or not all(isinstance(row, Mapping) for row in rows):
        raise HttpError(400, "'requests' must be a list of requests. Set it.", param="requests")
    lost = tuple(f"{name} dropped: embeddings have none" for name in _NOT_EMBEDDED if any(row.get(name) for row in rows))
    made: dict[str, Any] = {"input": [_text(row.get("content")) for row in rows]}
    sizes = {row.get("outputDimensionality") for row in rows}
    if len(sizes) > 1:
        raise HttpError(400, "'outputDimensionality' must be the same in all requests.", param="outputDimensionality")
    if sizes != {None}:
        made["dimensions"] = sizes.pop()
    return made, lost


def _text(content: Any) -> str:
    parts = content.get("parts") if isinstance(content, Mapping) else None
    parts = [parts] if isinstance(parts, Mapping) else parts
    given = parts if isinstance(parts, list) else []
    texts = [part["text"] for part in given if isinstance(part, Mapping) and isinstance(part.get("text"), str)]
    if not texts or len(texts) != len(given):
        raise HttpError(400, "'content' must have parts with text. The models of a pool embed text.", param="content")
    return "\n".join(texts)


def google_embeddings(route: Route, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return an answer of OpenAI's embeddings in Google's format."""
    rows = [{"values": row.get("embedding")} for row in body.get("data") or () if isinstance(row, Mapping)]
    usage = body.get("usage")
    prompt = usage.get("prompt_tokens") if isinstance(usage, Mapping) else None
    counted = {} if prompt is None else {"usageMetadata": {"promptTokenCount": prompt}}
    if route.verb == "embedContent":
        return {"embedding": rows[0] if rows else {"values": []}, **counted}
    return {"embeddings": rows, **counted}


def google_token_count(payload: dict[str, Any]) -> dict[str, int]:
    """Return the estimate by which the mesh routes a prompt.

    Raises:
        BadRequestError: The request has no contents, or a content is invalid.
    """
    inner = payload.get("generateContentRequest", payload.get("generate_content_request"))
    given = inner if isinstance(inner, Mapping) else payload
    call = Call(GENERATE_CONTENT, "", {name: value for name, value in given.items() if name != "model"})
    return {"totalTokens": prompt_size(Call(CHAT, "", chat_request(call).payload)).estimated}


def blocked_prompt(error: Exception) -> dict[str, Any] | None:
    """Return Google's answer without candidates when Google blocked the prompt, ``None`` for any other failure."""
    body = getattr(error, "body", None)
    if not isinstance(body, Mapping) or body.get("error") or not isinstance(body.get("promptFeedback"), Mapping):
        return None
    return dict(body)
