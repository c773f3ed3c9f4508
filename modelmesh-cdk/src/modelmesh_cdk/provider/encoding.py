"""Encoding of a request: address, headers and body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from modelmesh._engine.foundation.lazy_import import LazyModule
from modelmesh._engine.plugins import attribution
from modelmesh.contracts import CHAT, EMBEDDINGS, FailureClass, messages_for_connector
from modelmesh.errors import ProviderError
from modelmesh_cdk.message_rules import adapt
from modelmesh_cdk.provider.hooks import ProviderHooks
from modelmesh_cdk.provider.provider_errors import bad_hook_result, provider_error
from modelmesh_cdk.wire import json_codec

if TYPE_CHECKING:
    from modelmesh_cdk.provider import operation_requests
    from modelmesh_cdk.provider.headers import RequestHeaders
    from modelmesh_cdk.transport.interfaces import RequestBody
    from modelmesh_cdk.wire.request import WireRequest
else:  # chat completions and embeddings need none of it
    operation_requests = LazyModule(globals(), "operation_requests", "modelmesh_cdk.provider.operation_requests")

# ruff: noqa: SLF001 - hooks are protected methods of the provider

Encoded = tuple[str, list[tuple[str, str]], "bytes | RequestBody"]
"""Address, headers and body."""


def call_encode_hook(provider: ProviderHooks, request: WireRequest) -> Encoded:
    """Encode a request with the connector's hook.

    Raises:
        ProviderError: The request cannot be sent, or the connector has a bug. Nothing was sent.
    """
    try:
        encoded = provider._encode_request(request)
    except ProviderError:
        raise
    except RecursionError:  # of a body near the limit of the decoder: the fault of no connector
        message = "The request is nested too deep to be encoded. Nothing was sent. Send fewer levels."
        raise provider_error(FailureClass.CALLER, message, status=400) from None
    except Exception as error:  # noqa: BLE001 - any other exception of a hook is a bug of the connector
        raise attribution.unexpected_exception(provider, error, written=False) from None
    if not (isinstance(encoded, tuple) and tuple(map(type, encoded)) == (str, list, bytes)) and not _is_streamed(encoded):
        right = "a tuple of three: the address (str), a list of headers, the body (bytes)"
        raise bad_hook_result(provider, "_encode_request", encoded, right, written=False)
    return encoded


def _is_streamed(encoded: Any) -> bool:
    """Return whether an encoded request has a body that is read while it is sent."""
    return (
        isinstance(encoded, tuple)
        and tuple(map(type, encoded[:2])) == (str, list)
        and len(encoded) == 3  # noqa: PLR2004 - address, headers and body
        and hasattr(encoded[2], "size")
    )


def encode_request(provider: ProviderHooks, request: WireRequest, headers: RequestHeaders) -> Encoded:
    """Encode a request: the default of the hook ``_encode_request``.

    Raises:
        ProviderError: The request cannot be sent, or a hook returned an unusable value.
    """
    options = request.call.options
    url = _address_of(provider, request)
    if options.query:
        url += ("&" if "?" in url else "?") + _query(options.query)
    if request.call.operation.name not in _OF_HOOKS:
        return _encode_operation(provider, request, headers, url)
    if request.call.operation.name == CHAT.name and "messages" in request.payload:
        _fit_conversation(provider, request)
    payload: Any = provider._build_request_payload(request)
    if not isinstance(payload, dict):
        raise bad_hook_result(provider, "_build_request_payload", payload, "the body as a dict", written=False)
    if request.call.strict:
        _refuse_changes(provider, request)
    try:
        body = json_codec.encode(payload, is_plain=_is_plain(provider, request))
    except (ValueError, TypeError) as error:
        message = f"the request cannot be written as JSON: {error}. Nothing was sent."
        raise provider_error(FailureClass.CALLER, message, status=400) from None
    return url, headers.of_call(provider, options.headers, stream=request.stream), body


def _is_plain(provider: ProviderHooks, request: WireRequest) -> bool:
    """Return whether a payload consists of what a gateway decoded from JSON, and of what the kit added to it."""
    kind, default = type(provider), ProviderHooks
    is_default = kind._build_request_payload is default._build_request_payload and kind._own_messages is default._own_messages
    return is_default and request.call.relay


_OF_HOOKS = (CHAT.name, EMBEDDINGS.name)


def _encode_operation(provider: ProviderHooks, request: WireRequest, headers: RequestHeaders, url: str) -> Encoded:
    query, body, content_type = operation_requests.build_body(provider, request)
    if request.call.strict:
        _refuse_changes(provider, request)
    if query:
        url += ("&" if "?" in url else "?") + query
    accept = operation_requests.accepted_media(provider, request)
    made = headers.of_operation(provider, request.call.options.headers, content_type=content_type, accept=accept)
    if request.call.operation.name == "messages" and not any(name.lower() == _VERSION[0] for name, _ in made):
        made = [*made, _VERSION]
    return url, made, body


_VERSION = ("anthropic-version", "2023-06-01")
"""Header of every request of the anthropic package (2.11.0, ``_client.py``), with the version that other vendors accept
(bentoml.com/llm/model-interaction/anthropic-compatible-api, read 2026-11-30)."""


def _address_of(provider: ProviderHooks, request: WireRequest) -> str:
    plain = request.call.operation.name in _OF_HOOKS
    url: Any = provider._endpoint(request) if plain else operation_requests.build_address(provider, request)
    if not isinstance(url, str) or not url.startswith(("http://", "https://")):
        own = type(provider)._endpoint is not ProviderHooks._endpoint
        raise bad_hook_result(provider, "_endpoint" if own else "_get_completion_endpoint", url, "a whole address", written=False)
    return url


def _fit_conversation(provider: ProviderHooks, request: WireRequest) -> None:
    """Adapt the messages of a chat to the vendor's message rules."""
    messages = messages_for_connector(provider.id, request.payload["messages"], request.adapted)
    if isinstance(messages, list):
        messages = provider._own_messages(messages)
    if messages is not request.payload["messages"]:
        request.payload = {**request.payload, "messages": messages}
    rules = provider._message_rules(request)
    if rules is not None:
        fitted = adapt(request.payload, rules)
        request.payload = fitted.payload
        request.adapted += fitted.notes


def _refuse_changes(provider: ProviderHooks, request: WireRequest) -> None:
    changes = [line for line in request.adapted if line not in request.harmless]
    if changes:
        message = f"{provider.id} would have to change the request ({'; '.join(changes)}), and the pool is strict"
        raise provider_error(FailureClass.CAPABILITY, message, status=400)


def _query(parameters: Mapping[str, Any]) -> str:
    try:
        return urlencode(parameters, doseq=True)
    except UnicodeError:
        message = "an extra query parameter holds half a character (a lone surrogate). Nothing was sent."
        raise provider_error(FailureClass.CALLER, message, status=400) from None
