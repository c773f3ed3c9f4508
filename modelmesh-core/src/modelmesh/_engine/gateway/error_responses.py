"""Errors as HTTP responses: statuses and bodies from which the official SDKs raise their own classes."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from modelmesh import errors
from modelmesh._engine.foundation.failures import FailureClass
from modelmesh._engine.gateway.messages import HttpError

_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    408: "timeout_error",
    413: "request_too_large",
    415: "invalid_request_error",
    422: "invalid_request_error",
    429: "rate_limit_error",
    431: "invalid_request_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}
"""Types of errors by status, the same at both vendors."""

_OWN_CODES = (
    (errors.BudgetExceededError, 429, "budget_exceeded"),
    (errors.CallerRateLimitError, 429, "rate_limit_exceeded"),
    (errors.ModelNotAllowedError, 403, "model_not_allowed"),
    (errors.StoreUnavailableError, 503, "store_unavailable"),
    (errors.QuotaExceededError, 429, "insufficient_quota"),
    (errors.RateLimitError, 429, "rate_limit_exceeded"),
    (errors.CapabilityNotFoundError, 404, "model_not_found"),
    (errors.ModelNotFoundError, 404, "model_not_found"),
    (errors.ProviderTimeoutError, 504, "timeout"),
    (errors.ProviderConnectionError, 502, "connection_error"),
    (errors.NoActiveModelError, 503, "no_active_model"),
    (errors.SessionModelUnavailableError, 503, "session_model_unavailable"),
    (errors.StreamInterruptedError, 502, "stream_interrupted"),
    (errors.BadUpstreamResponseError, 502, "bad_upstream_response"),
    (errors.AllProvidersExhaustedError, 502, "all_providers_failed"),
    (errors.ConfigurationError, 400, "configuration_error"),
)
"""Status and code by class, the first that fits."""

_PLACE = re.compile(r"(?:, |: | )?(?:[A-Za-z]:)?[\\/][^\s():]*\.py(?::\d+)*")
_VERSION = re.compile(r"\b(of [\w.-]+) \d+\.\d[\w.+-]*")
"""Source files and versions, which an error of a connector names for its author. Responses over HTTP omit them."""

_SERVER_ERROR, _CLIENT_ERROR = 500, 400

LONGEST_SDK_WAIT_S = 8.0
"""Longest wait before a retry of an SDK: the largest delay that the SDKs choose by themselves.

They obey ``retry-after`` up to two minutes and outside of the request's time limit. A retry would then hang until an open circuit
closes.
"""


def status_of(error: Exception) -> int:
    """Return the HTTP status of an error."""
    if isinstance(error, HttpError):
        return error.status
    status = getattr(error, "status", None)
    if isinstance(error, errors.BadRequestError):
        own = isinstance(status, int) and _CLIENT_ERROR <= status < _SERVER_ERROR
        return status if own and status not in {401, 403, 429} else 400  # type: ignore[return-value]
    if isinstance(error, errors.AuthenticationError):
        refused = status == 403 or getattr(error, "failure", None) is FailureClass.PERMISSION  # noqa: PLR2004 - Forbidden
        return 403 if refused else 401
    if isinstance(error, errors.NoActiveModelError) and not error.retryable:
        return 400  # no model of the pool can ever serve the request
    common = _vendor_error(error)
    if common is not None and isinstance(common.status, int) and common.status >= _SERVER_ERROR:
        return common.status
    for kind, own_status, _ in _OWN_CODES:
        if isinstance(error, kind):
            return own_status
    return status if isinstance(status, int) and status >= _SERVER_ERROR else 500


def error_headers(error: Exception, *, retry: bool) -> list[tuple[str, str]]:
    """Return the headers of an error.

    Args:
        error: The error.
        retry: Whether an SDK may retry by its own settings. Otherwise the mesh has retried, and the SDK must not. A failure that
            lasts longer than :data:`LONGEST_SDK_WAIT_S` is never retried.
    """
    seconds = getattr(error, "retry_after", None)
    lasts = isinstance(seconds, int | float) and seconds > LONGEST_SDK_WAIT_S
    found = [("x-should-retry", "true" if retry and getattr(error, "retryable", False) and not lasts else "false")]
    if isinstance(error, HttpError):
        return found + error.headers
    if isinstance(seconds, int | float) and 0 <= seconds < math.inf:
        found += [("retry-after", str(math.ceil(seconds))), ("retry-after-ms", str(math.ceil(seconds * 1000)))]
    return found


def openai_error(error: Exception) -> dict[str, Any]:
    """Return the object of ``error`` in OpenAI's body. It contains the vendor's own fields."""
    code, param = _code(error), getattr(error, "param", None)
    kind = _type(error)
    if isinstance(error, errors.BudgetExceededError) and error.caller:
        kind = "insufficient_quota"
    own = {"message": _message(error), "type": kind, "param": param, "code": code}
    vendor = _vendor_error(error)
    body = vendor.body.get("error") if vendor is not None and isinstance(vendor.body, Mapping) else None
    if not isinstance(body, Mapping):
        return own
    return {**own, **{name: value for name, value in body.items() if value is not None}, "message": own["message"]}


def anthropic_error(error: Exception, request_id: str) -> dict[str, Any]:
    """Return Anthropic's error body."""
    return {"type": "error", "error": {"type": _type(error), "message": _message(error)}, "request_id": request_id}


def google_error(error: Exception) -> dict[str, Any]:
    """Return Google's error body, with the status and the details of Google's own error."""
    from modelmesh._engine.translation.generate_content.errors import error_body  # noqa: PLC0415 - only for clients of Google

    return error_body(_vendor_error(error) or error, status_of(error), _message(error))


def _vendor_error(error: Exception) -> errors.ProviderError | None:
    """Return the vendor's error: the error itself, or the last one of attempts that all failed with the same status."""
    if isinstance(error, errors.BudgetExceededError):
        return None
    if isinstance(error, errors.AllProvidersExhaustedError):  # may also be an error of a vendor
        return error.last_error if len({attempt.status for attempt in error.attempts}) == 1 else None
    return error if isinstance(error, errors.ProviderError) else None


def _type(error: Exception) -> str:
    status = status_of(error)
    return _TYPES.get(status) or ("invalid_request_error" if status < _SERVER_ERROR else "api_error")


def _code(error: Exception) -> str | None:
    code = getattr(error, "code", None)
    if isinstance(code, str):
        return code
    return next((own for kind, _, own in _OWN_CODES if isinstance(error, kind)), None)


def _message(error: Exception) -> str:
    if isinstance(error, HttpError):
        return error.message
    if isinstance(error, errors.ModelMeshError):
        return _VERSION.sub(r"\1", _PLACE.sub("", error.message)) if ".py" in error.message else error.message
    return "The gateway failed with an unexpected error, which its log contains. Report it to the maintainers of ModelMesh."
