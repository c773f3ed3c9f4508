"""Decoding of a whole response: an answer in OpenAI's format, or a typed error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from modelmesh._engine.foundation.lazy_import import LazyModule
from modelmesh.contracts import CHAT, EMBEDDINGS
from modelmesh.contracts.provider import Answer
from modelmesh_cdk.provider.error_responses import has_error, invalid_response, is_success
from modelmesh_cdk.provider.provider_errors import bad_hook_result, failed_midway
from modelmesh_cdk.provider.tool_calls import complete_calls
from modelmesh_cdk.provider.vectors import to_requested_encoding, unpack_vectors
from modelmesh_cdk.wire import json_codec
from modelmesh_cdk.wire.limits import TooLargeError

if TYPE_CHECKING:
    from modelmesh_cdk.provider import operation_replies
    from modelmesh_cdk.provider.hooks import ProviderHooks
    from modelmesh_cdk.wire.request import WireRequest
else:  # chat completions and embeddings need none of it
    operation_replies = LazyModule(globals(), "operation_replies", "modelmesh_cdk.provider.operation_replies")

# ruff: noqa: SLF001 - hooks are protected methods of the provider

_JSON = "application/json"
_OF_HOOKS = (CHAT.name, EMBEDDINGS.name)


def decode_body(provider: ProviderHooks, request: WireRequest, status: int, headers: Mapping[str, str], raw: bytes) -> Any:
    """Return the decoded JSON object of a response, or the text or bytes of an operation whose answer is not JSON.

    Args:
        provider: Maps errors.
        request: The request.
        status: Status code.
        headers: Headers without the key.
        raw: The body.

    Raises:
        ProviderError: The response is an error, or its body is not a JSON object.
    """
    if not is_success(status):
        raise provider._map_error_response(status, headers, raw)
    if request.call.operation.name not in _OF_HOOKS:
        return operation_replies.decode_reply(provider, request, headers, raw)
    try:
        many = request.call.operation.name == EMBEDDINGS.name or bool(request.payload.get("logprobs"))
        data = json_codec.decode(raw, numbers=many)
    except TooLargeError as error:
        raise invalid_response(provider, str(error), status, headers) from None
    except ValueError:
        raise invalid_response(provider, "its body is not JSON", status, headers) from None
    if not isinstance(data, dict):
        raise invalid_response(provider, "its body is not a JSON object", status, headers)
    return data


def build_answer(
    provider: ProviderHooks, request: WireRequest, headers: Mapping[str, str], data: Any, raw: bytes | None = None
) -> Answer:
    """Return the answer in the decoded body of a response.

    Args:
        provider: Parses the JSON object.
        request: The request.
        headers: Headers without the key.
        data: The result of :func:`decode_body`.
        raw: The body, where the caller forwards it.

    Raises:
        ProviderError: The response contains an error, or is not an answer.
    """
    if request.call.operation.name not in _OF_HOOKS:
        return operation_replies.build_answer(provider, request, headers, data)
    if has_error(data):
        raise provider._map_embedded_error(data, headers)
    parsed: Any = provider._parse_response(data)
    if not isinstance(parsed, dict):
        raise bad_hook_result(provider, "_parse_response", parsed, "the answer as a dict in OpenAI's format")
    broken = failed_midway(parsed, headers)
    if broken is not None:
        raise broken
    if parsed is not data:
        raw = None
    checked = False
    if request.call.operation.name == EMBEDDINGS.name:
        checked = _complete_embeddings(request, parsed)
    elif complete_calls(parsed):
        raw = None
    limits = provider.reported_rate_limits(headers)
    return Answer(parsed, headers, request.adapted, limits, vectors_checked=checked, raw=raw)


def _complete_embeddings(request: WireRequest, answer: dict[str, Any]) -> bool:
    """Give embeddings the encoding that the caller asked for. Return whether that checked every vector."""
    if request.base64_asked:
        return unpack_vectors(request, answer)
    to_requested_encoding(answer, request.payload.get("encoding_format"))
    return False


def may_be_stream(status: int, headers: Mapping[str, str]) -> bool:
    """Return whether the response to a streamed request can be a stream. JSON is read first, because it may be an error."""
    return is_success(status) and _media_type(headers) != _JSON


def check_is_stream(headers: Mapping[str, str]) -> None:
    """Check the media type of the response to a streamed request.

    Raises:
        ValueError: The response is JSON or an HTML page.
    """
    kind = _media_type(headers)
    if kind in (_JSON, "text/html"):
        message = f"its body is {kind}, not a stream of events"
        raise ValueError(message)


def check_not_a_whole_answer(provider: ProviderHooks, status: int, headers: Mapping[str, str], raw: bytes) -> None:
    """Check a whole body that came in place of a stream. Only an error has one.

    Raises:
        ProviderError: The body is an error under a success status.
        ValueError: The body is something else under a success status.
    """
    if is_success(status):
        body = json_codec.decode(raw)
        if isinstance(body, Mapping) and has_error(body):
            raise provider._map_embedded_error(body, headers)
        check_is_stream(headers)


def _media_type(headers: Mapping[str, str]) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()
