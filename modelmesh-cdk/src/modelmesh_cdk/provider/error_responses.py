"""Errors of one attempt: of error responses, of error bodies under a success status, and of the transport."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from modelmesh._engine.plugins import attribution
from modelmesh.contracts import EMBEDDINGS, Billed, FailureClass
from modelmesh.errors import ProviderError, ProviderTimeoutError
from modelmesh_cdk.provider.common_errors import find_explanation
from modelmesh_cdk.provider.error_bodies import is_page, read_error, reading_once
from modelmesh_cdk.provider.error_mapping import find_unsupported_parameter
from modelmesh_cdk.provider.provider_errors import (
    DELAYED,
    bad_hook_result,
    provider_error,
    response_error,
    scrub_key,
    show_vendor_text,
)
from modelmesh_cdk.transport.interfaces import TransportError, TransportTimeoutError
from modelmesh_cdk.wire import json_codec

if TYPE_CHECKING:
    from modelmesh.contracts.call import Call, Limits
    from modelmesh_cdk.provider.hooks import ProviderHooks

# ruff: noqa: SLF001 - hooks are protected methods of the provider

PAGE_IS_OUTAGE = frozenset({*range(400, 500), 501, 505}) - {401, 402, 407, 408, 413, 414, 425, 429, 431}
"""Statuses that mean nothing when the body is an HTML page. Every other status keeps its class."""

_BAD_REQUEST = 400
_FILE_CONTENT = "files.content"
_STATUS_OF_CODE = {
    "too_many_requests": 429,
    "invalid_api_key": 401,
    "model_not_found": 404,
    "request_timeout": 408,
    "internal_error": 500,
    "bad_gateway": 502,
    "service_unavailable": 503,
    "gateway_timeout": 504,
    "overloaded": 529,
    "rate_limit_exceeded": 429,
    "rate_limit_error": 429,
    "insufficient_quota": 429,
    "overloaded_error": 529,
    "server_error": 500,
    "api_error": 500,
    "internal_server_error": 500,
    "invalid_request_error": 400,
    "authentication_error": 401,
    "permission_error": 403,
    "not_found_error": 404,
    "context_length_exceeded": 400,
}


def is_success(status: int) -> bool:
    """Return whether an HTTP status is one of success."""
    return 200 <= status < 300  # noqa: PLR2004 - RFC 9110, 15.3


def map_error_response(provider: ProviderHooks, status: int, headers: Mapping[str, str], raw: bytes) -> ProviderError:
    """Return the error of an error response: the default of the hook ``_map_error_response``."""
    try:
        body: Any = json_codec.decode(raw)
    except ValueError:
        body = raw.decode("utf-8", "replace")[:2000]
    if status in PAGE_IS_OUTAGE and is_page(headers.get("content-type", ""), raw):
        return _page_error(provider, status, headers, body)
    return build_error(provider, status, headers, body)


def build_error(provider: ProviderHooks, status: int, headers: Mapping[str, str], body: Any) -> ProviderError:
    """Return the error of a decoded error body: failure class, code, message and delay from the connector's hooks."""
    with reading_once(body):
        return _build(provider, status, headers, body)


def _build(provider: ProviderHooks, status: int, headers: Mapping[str, str], body: Any) -> ProviderError:
    code = _error_code(provider, body)
    kind: Any = provider._classify(status, code, headers, body)
    text: Any = provider._error_text(body)
    if not isinstance(kind, FailureClass):
        kinds = ", ".join(f"FailureClass.{one.name}" for one in FailureClass)
        raise bad_hook_result(provider, "_classify", kind, f"one of {kinds}")
    if not isinstance(text, str):
        raise bad_hook_result(provider, "_error_text", text, "a str, empty where there is none")
    delay = provider._stated_delay(headers, body) if kind in DELAYED else None
    made = response_error(kind, status, headers, body, code=code, text=text, key=provider.api_key, delay=delay)
    known = find_explanation(status, code, body, provider.error_mappings) if kind is FailureClass.CAPABILITY else None
    if known is not None:
        made.too_long = known.too_long
        made.feature = scrub_key(find_unsupported_parameter(known, read_error(body)), provider.api_key)
    return made


def map_embedded_error(
    provider: ProviderHooks, body: Mapping[str, Any], headers: Mapping[str, str] | None = None
) -> ProviderError:
    """Return the error of an error body under a success status: the default of the hook ``_map_embedded_error``."""
    headers = headers or {}
    with reading_once(body):
        code = _error_code(provider, body)
        status = read_error(body).status or _STATUS_OF_CODE.get((code or "").lower())
        if status is None and find_explanation(_BAD_REQUEST, code, body, provider.error_mappings) is not None:
            status = _BAD_REQUEST
    if status is not None:
        return build_error(provider, status, headers, dict(body))
    message = f"the provider answered an error as success ({code or 'no code'})"
    return provider_error(FailureClass.PROTOCOL, message, code=code, headers=headers)


def has_error(body: Mapping[str, Any]) -> bool:
    """Return whether a decoded response is an error body."""
    return bool(body.get("error") or body.get("object") == "error")


def invalid_response(provider: ProviderHooks, why: str, status: int, headers: Mapping[str, str]) -> ProviderError:
    """Return the error of a response that cannot be read. One with an error status is an error response without a body."""
    if not is_success(status):
        return provider._map_error_response(status, headers, b"")
    return provider_error(
        FailureClass.PROTOCOL,
        f"the provider answered, but {why}",
        status=status,
        headers=without_key(provider, headers),
    )


def over_limit(provider: ProviderHooks, call: Call, why: str, status: int, headers: Mapping[str, str]) -> ProviderError:
    """Return the error of a body above the limit of its operation.

    The vectors of many inputs are as large as the request makes them, at every vendor, and a file has its size. Another such body
    is an invalid response.
    """
    inputs = call.payload.get("input")
    size = f" ({headers['content-length']} bytes)" if headers.get("content-length", "").isdigit() else ""
    if is_success(status) and call.operation.name == _FILE_CONTENT:
        message = (
            f"the file is too large for the memory: {why}{size}. "
            "Write it to disk with client.files.with_streaming_response.content(...) and response.stream_to_file(path)."
        )
    elif is_success(status) and call.operation.name == EMBEDDINGS.name and isinstance(inputs, list) and len(inputs) > 1:
        message = (
            f"the response to {len(inputs)} inputs is too large: {why}{size}. "
            "Send fewer inputs in one request, or ask for fewer dimensions."
        )
    else:
        return invalid_response(provider, why, status, headers)
    return provider_error(FailureClass.TOO_LARGE, message, status=status, headers=without_key(provider, headers))


def describe_unreadable(provider: ProviderHooks, error: ValueError) -> str:
    """Return why a response cannot be read, with the connector's line where a hook raised the error."""
    place = attribution.locate_exception(error, provider)
    return f"{error} (read at {place})" if place else str(error)


def without_key(provider: ProviderHooks, headers: Mapping[str, str]) -> Mapping[str, str]:
    """Return response headers without the API key. Some gateways echo it, for example as a request ID."""
    key = provider.api_key
    if key is None:
        return headers
    text = key.reveal()
    if not text or text not in "\n".join(headers.values()):  # neither a key nor a header contains a line end
        return headers
    return {name: key.scrub(value) for name, value in headers.items()}


def transport_failure(provider: ProviderHooks, error: TransportError, limits: Limits) -> ProviderError:
    """Return the error of an exchange that the transport could not complete."""
    if error.failure is FailureClass.CALLER:
        message = f"{error}. {provider.show_address()} did not receive the complete request."
        return provider_error(FailureClass.CALLER, message, status=400)
    address = provider.show_address()
    made = provider_error(error.failure, f"no answer from {address}: {error}")
    made.reason = show_vendor_text(str(error), provider.api_key)
    made.address = provider.api_root.partition("://")[0] + "://" + address
    if isinstance(made, ProviderTimeoutError):
        made.timeout_seconds = error.seconds if isinstance(error, TransportTimeoutError) else limits.total
    return made


def _error_code(provider: ProviderHooks, body: Any) -> str | None:
    code: Any = provider._error_code(body)
    if code is not None and not isinstance(code, str):
        raise bad_hook_result(provider, "_error_code", code, "a str, or None where there is none")
    return scrub_key(code, provider.api_key)  # type: ignore[no-any-return]


def _page_error(provider: ProviderHooks, status: int, headers: Mapping[str, str], body: Any) -> ProviderError:
    """Return the error of an HTML page: a gateway before the vendor's API failed, not the request."""
    made = provider_error(
        FailureClass.PROTOCOL,
        f"the provider answered HTTP {status} with a page of HTML instead of JSON",
        status=status,
        headers=without_key(provider, headers),
        body=scrub_key(body, provider.api_key),
    )
    made.billed = Billed.NO
    return made
