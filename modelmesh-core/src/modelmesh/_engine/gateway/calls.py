"""Construction of calls from HTTP requests."""

from __future__ import annotations

from typing import Any

from modelmesh._engine.gateway import json_codec
from modelmesh._engine.gateway.form_fields import payload_of
from modelmesh._engine.gateway.messages import GatewayRequest, HttpError
from modelmesh._engine.gateway.request_options import options_of
from modelmesh._engine.gateway.routes import Route
from modelmesh.contracts.call import Call, CallOptions
from modelmesh.contracts.operations import CHAT, MODEL_REQUIRED, BodyKind, Operation, OperationScope, StreamKind

_RAW, _SDK = "x-stainless-raw-response", "x-stainless-lang"
"""Headers of an SDK: how the application reads the response, and the SDK's language."""


def decode_json(body: bytes) -> dict[str, Any]:
    """Return the object of a JSON body. An empty body is an empty object.

    Raises:
        HttpError: The body is not a JSON object.
    """
    if not body:
        return {}
    try:
        value = json_codec.decode(body)
    except (ValueError, UnicodeDecodeError) as error:
        message = f"The body is not valid JSON: {error}. Send one JSON object in UTF-8."
        raise HttpError(400, message, code="invalid_json") from None
    if not isinstance(value, dict):
        raise HttpError(400, f"The body must be a JSON object, not {_kind(value)}.", code="invalid_json")
    return value


def build_call(route: Route, request: GatewayRequest, payload: dict[str, Any], defaults: CallOptions) -> Call:
    """Build the call of a request.

    Args:
        route: The operation and the arguments of the path.
        request: The HTTP request.
        payload: The decoded body, which becomes part of the call.
        defaults: Options of every request of this gateway.

    Raises:
        HttpError: A required argument is missing or has the wrong type.
    """
    operation = route.target
    assert isinstance(operation, Operation)
    in_query = operation.body is BodyKind.NONE
    if in_query:
        payload = payload_of(request.query)
    payload.update(route.arguments)
    pool = _pool(operation, payload, request) if operation.scope is OperationScope.MODEL else ""
    for name in operation.required_arguments:
        if payload.get(name) is None:
            raise HttpError(400, f"{operation.name} needs {name!r}. Set it.", code="missing_required_parameter", param=name)
    if "messages" in operation.required_arguments and not isinstance(payload["messages"], list):
        raise HttpError(400, f"'messages' must be a list, not {_kind(payload['messages'])}.", param="messages")
    streams = _streams(operation, payload, request)
    return Call(operation, pool, payload, streams, options_of(request, defaults, query=not in_query), relay=operation is CHAT)


def _pool(operation: Operation, payload: dict[str, Any], request: GatewayRequest) -> str:
    """Remove and return the name of the pool. An operation whose ``model`` is optional has a pool by its capability."""
    model = payload.pop("model", None)
    if model is None and operation.name not in MODEL_REQUIRED:
        return operation.capability
    if not isinstance(model, str) or not model:
        empty = "" if payload or request.body else "Empty request body. "
        raise HttpError(400, f"{empty}'model' must be the name of a pool, a capability or a model. Set it.", param="model")
    return model


def _streams(operation: Operation, payload: dict[str, Any], request: GatewayRequest) -> bool:
    """Remove ``stream`` and return whether the answer is streamed.

    A body of bytes is streamed unless an SDK reads it as a whole. A whole answer can fail over until its last byte.
    """
    stream = payload.pop("stream", None)
    if stream is not None and not isinstance(stream, bool):
        raise HttpError(400, f"'stream' must be true or false, not {_kind(stream)}.", param="stream")
    if stream and operation.stream is None:
        raise HttpError(400, f"{operation.name} does not stream. Omit 'stream'.", code="unsupported_parameter", param="stream")
    if operation.stream is not StreamKind.BYTES:
        return bool(stream)
    if payload.get("stream_format") == "sse":
        return True
    return request.headers.get(_RAW) == "stream" or _SDK not in request.headers


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a string", bool: "a boolean", int: "a number", float: "a number"}
    return names.get(type(value), "null")
