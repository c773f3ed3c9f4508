"""What Anthropic's error bodies mean, as a class of failure.

Types and codes are those of the anthropic package 2.11.0 (``types/shared/error_type.py``, ``_error_classes.py``, read
2026-11-21). The older refusals have no code and are known by their words. "prompt is too long", "exceed context limit"
and "organization has been disabled" were reported against the API (tracker of anthropics/claude-code,
docker/docker-agent#569, entropy-research/Devon#88, read 2026-11-21); the other wordings are not confirmed by a source,
and a body that has none of them is classified by its status alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh.routing.classes import FailureClass

_F = FailureClass

_BY_CODE: dict[str, FailureClass] = {
    "billing_error": _F.QUOTA,
    "enforced_spend_limit_reached": _F.QUOTA,
    "contract_spend_limit_reached": _F.QUOTA,
    # the account is off, whatever is asked of it
    "organization_on_hold": _F.CREDENTIAL,
    "cmek_key_disabled": _F.CREDENTIAL,
    "cmek_key_network_blocked": _F.CREDENTIAL,
    # not the account: the customer that this one request names
    "linked_organization_spend_limit_reached": _F.CAPABILITY,
    "linked_organization_billing_unavailable": _F.CAPABILITY,
    "user_profile_not_billable": _F.CAPABILITY,
    "user_profile_billing_not_authorized": _F.CAPABILITY,
    # too much for this model
    "request_too_large": _F.CAPABILITY,
    "request_body_too_large_after_decoding": _F.CAPABILITY,
    "available_tools_limit_exceeded": _F.CAPABILITY,
    # not what was said, but how it came, or who asks
    "request_body_timeout": _F.TRANSIENT,
    "organization_not_enrolled_in_beta": _F.CAPABILITY,
    # 404 of something other than the model
    "file_expired": _F.REFUSED,
    "thread_not_found": _F.REFUSED,
}

_BY_WORDS: tuple[tuple[str, FailureClass], ...] = (
    ("credit balance is too low", _F.QUOTA),
    ("organization has been disabled", _F.CREDENTIAL),
    ("prompt is too long", _F.CAPABILITY),
    ("exceed context limit", _F.CAPABILITY),
    ("maximum allowed number of output tokens", _F.CAPABILITY),
    ("does not support", _F.CAPABILITY),
    ("not supported", _F.CAPABILITY),
    ("content filtering policy", _F.POLICY),
)

_STATUS_OF_TYPE = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "conflict_error": 409,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
"""The status that each type has as a refusal, for errors that come under a status of success."""

_BAD_REQUEST, _TOO_LARGE = 400, 413


def _error(body: Any) -> Mapping[str, Any]:
    error = body.get("error") if isinstance(body, Mapping) else None
    return error if isinstance(error, Mapping) else {}


def _detail(body: Any) -> str | None:
    details = _error(body).get("details")
    code = details.get("error_code") if isinstance(details, Mapping) else None
    return code if isinstance(code, str) else None


def _type(body: Any) -> str | None:
    kind = _error(body).get("type")
    return kind if isinstance(kind, str) else None


def code_of(body: Any) -> str | None:
    """Return the most exact name of the error: ``error.details.error_code``, else ``error.type``."""
    return _detail(body) or _type(body)


def status_of(body: Any) -> int | None:
    """Return the status that an error's type stands for; ``None`` for a type that is not known."""
    return _STATUS_OF_TYPE.get(_type(body) or "")


def known_class(status: int, body: Any, text: str) -> FailureClass | None:
    """Return the class of a refusal that says more than its status does.

    Args:
        status: HTTP status, or the one that the error's type stands for.
        body: The decoded error body.
        text: Its message.

    Returns:
        ``None`` when the status says it all.
    """
    for code in (_detail(body), _type(body)):
        if code in _BY_CODE:
            return _BY_CODE[code]
    if status == _TOO_LARGE:
        return _F.CAPABILITY
    if status == _BAD_REQUEST:
        lowered = text.lower()
        return next((kind for words, kind in _BY_WORDS if words in lowered), None)
    return None
