"""Error mapping of Anthropic.

Types and codes are those of the anthropic package 2.11.0 (``types/shared/error_type.py``, ``_error_classes.py``, read
2026-11-21). Older errors have no code and are recognized by their messages. "prompt is too long", "exceed context limit"
and "organization has been disabled" were reported against the API (tracker of anthropics/claude-code,
docker/docker-agent#569, entropy-research/Devon#88, read 2026-11-21). No source confirms the other wordings. A body
without a known wording is classified by its status.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from modelmesh.contracts import FailureClass
from modelmesh_cdk import ANY_STATUS, ErrorMapping, RateLimitHeaders, error_mapping

_F = FailureClass

MAPPINGS: tuple[ErrorMapping, ...] = (
    error_mapping(
        _F.QUOTA,
        "billing_error",
        "enforced_spend_limit_reached",
        "contract_spend_limit_reached",
        statuses=ANY_STATUS,
    ),
    # the account is disabled for every request
    error_mapping(_F.CREDENTIAL, "organization_on_hold", "cmek_key_disabled", "cmek_key_network_blocked", statuses=ANY_STATUS),
    # not the account: the customer that this one request names
    error_mapping(
        _F.CAPABILITY,
        "linked_organization_spend_limit_reached",
        "linked_organization_billing_unavailable",
        "user_profile_not_billable",
        "user_profile_billing_not_authorized",
        "organization_not_enrolled_in_beta",
        statuses=ANY_STATUS,
    ),
    # too much for this model
    error_mapping(
        _F.CAPABILITY,
        "request_too_large",
        "request_body_too_large_after_decoding",
        "available_tools_limit_exceeded",
        statuses=ANY_STATUS,
    ),
    error_mapping(_F.CAPABILITY, statuses={413}),
    error_mapping(_F.TRANSIENT, "request_body_timeout", statuses=ANY_STATUS),
    # 404 of something other than the model
    error_mapping(_F.REFUSED, "file_expired", "thread_not_found", statuses=ANY_STATUS),
    error_mapping(_F.POLICY, statuses={400}, words="content filtering policy"),
    error_mapping(
        _F.QUOTA,
        statuses={400, 403, 429},
        words=(r"credit balance is too low", r"usage limits?\b", r"regain access on", r"out of extra usage"),
        source="laravel/ai#864, anthropics/claude-code#38035; read 2026-11-30",
    ),
    error_mapping(
        _F.CAPABILITY,
        statuses={429},
        words=r"usage is required for long context|long context beta is not (yet )?available",
        source="anthropics/claude-code#42616; read 2026-11-30",
        too_long=True,
    ),
    error_mapping(
        _F.CAPABILITY,
        statuses={400},
        words=(
            r"text content blocks must be non-empty",
            r"stop_sequences: each stop sequence must contain non-whitespace",
            r"final assistant content cannot end with trailing whitespace",
            r"messages: at least one message is required",
            r"assistant message prefill",
            r"tool_use ids were found without tool_result",
        ),
        source="anthropics/claude-code#23440, BerriAI/litellm#3286, BerriAI/litellm#13769: rules that other vendors do not have; "
        "read 2026-11-30",
    ),
)
"""Anthropic's rows. The common rows of the kit follow them."""

RATE_LIMITS = tuple(
    RateLimitHeaders(
        kind,
        f"anthropic-ratelimit-{name}-limit",
        f"anthropic-ratelimit-{name}-remaining",
        f"anthropic-ratelimit-{name}-reset",
        "anthropic 2.11.0, reset in RFC 3339; read 2026-11-21",
    )
    for kind, name in (("requests", "requests"), ("tokens", "tokens"), ("tokens", "input-tokens"), ("tokens", "output-tokens"))
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
"""HTTP status by error type, for errors in a response with a success status."""


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
    """Return the status of an error type, ``None`` for an unknown type."""
    return _STATUS_OF_TYPE.get(_type(body) or "")


_REGAIN = re.compile(r"regain access on (\d{4}-\d{2}-\d{2})(?: at (\d{2}:\d{2}))?", re.IGNORECASE)


def delay_of(text: str, wall: float) -> float | None:
    """Return the seconds until an account that reached its usage limit has access again, as the message states it."""
    found = _REGAIN.search(text[:1000])
    if found is None:
        return None
    try:
        moment = datetime.fromisoformat(f"{found[1]}T{found[2] or '00:00'}:00+00:00")
    except ValueError:
        return None
    return max(moment.timestamp() - wall, 0.0)
