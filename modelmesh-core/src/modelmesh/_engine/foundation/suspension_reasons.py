"""Reasons for which a model or a provider account is unavailable although no request failed."""

from __future__ import annotations

from enum import StrEnum


class SuspensionReason(StrEnum):
    """Cause of a suspension."""

    QUOTA_EXHAUSTED = "quota_exhausted"
    BUDGET_EXCEEDED = "budget_exceeded"
    TOKEN_LIMIT = "token_limit"  # noqa: S105 - a count of tokens
    REQUEST_LIMIT = "request_limit"
    MAINTENANCE_WINDOW = "maintenance_window"
    POLICY = "policy"
    HEALTH_CHECK = "health_check"
    """The probes of a discovery connector failed."""
    DEPRECATED = "deprecated"
    """The vendor no longer lists the model."""
    MANUAL = "manual"
    """A manual step in one pool. It appears in events only, and suspends nothing in other pools."""


LIMIT_REASONS = frozenset(
    {
        SuspensionReason.QUOTA_EXHAUSTED,
        SuspensionReason.BUDGET_EXCEEDED,
        SuspensionReason.TOKEN_LIMIT,
        SuspensionReason.REQUEST_LIMIT,
    }
)
"""Reasons that end when a limit begins a new window."""
