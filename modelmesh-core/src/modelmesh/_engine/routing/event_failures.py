"""Failures that a vendor reports in an event of a stream, or in an answer with status 200.

A connector maps them by its own table first. These rules apply to what reaches the mesh unmapped.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh._engine.foundation.failure_rules import QUOTA_CODES, RULES, classify
from modelmesh._engine.foundation.failures import FailureClass
from modelmesh._engine.foundation.wording import one_line
from modelmesh.errors import ProviderError

FAILED_EVENTS = frozenset({"error", "response.failed"})
"""Types of events that report a failure."""

_STATUSES = {
    "rate_limit_exceeded": 429,
    "rate_limit_error": 429,
    "authentication_error": 401,
    "permission_error": 403,
    "overloaded_error": 529,
    "server_error": 500,
    "api_error": 500,
    "timeout_error": 504,
}
"""HTTP status that a code stands for."""

_REFUSALS = ("invalid_", "image_", "unsupported_", "context_length", "content_", "moderation_", "request_too_large")
"""Beginnings of codes that reject the request."""


def event_failure(event: Mapping[str, Any]) -> ProviderError:
    """Return the failure of an event, or of an answer, with ``error``."""
    response = event.get("response")
    found = event.get("error") or (response.get("error") if isinstance(response, Mapping) else None) or event
    error = found if isinstance(found, Mapping) else {"message": found}
    code = next((str(error[name]) for name in ("code", "type") if error.get(name) and error[name] != "error"), None)
    status = _status(code)
    failure = FailureClass.QUOTA if code in QUOTA_CODES else classify(status, code)
    message = one_line(str(error.get("message") or code or "no message"))
    return RULES[failure].error(
        f"the provider reported an error in its answer: {message}",
        failure=failure,
        status=status,
        code=code,
        reason=message,
        billed=RULES[failure].billed,
        body=dict(error),
    )


def _status(code: str | None) -> int:
    if code is None:
        return 500
    return _STATUSES.get(code) or (400 if code.startswith(_REFUSALS) else 500)
