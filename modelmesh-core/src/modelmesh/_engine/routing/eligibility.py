"""Eligibility of a candidate: whether a request may try it, else the reasons and their end.

``availability`` derives the value from circuit breakers and suspensions, ``request_eligibility`` also from the request.
"""

from __future__ import annotations

from enum import StrEnum

from attrs import frozen

from modelmesh.contracts.candidates import CandidateStatus


class IneligibilityReason(StrEnum):
    """Why a candidate is not tried. The values of suspensions are those of :class:`.SuspensionReason`."""

    MANUAL_STANDBY = "manual_standby"
    MAINTENANCE_WINDOW = "maintenance_window"
    BUDGET_EXCEEDED = "budget_exceeded"
    QUOTA_EXHAUSTED = "quota_exhausted"
    COOLDOWN = "cooldown"
    """The breaker is open for a time that the mesh estimated."""
    RETRY_AFTER = "retry_after"
    """The breaker is open for a time that the vendor stated."""
    PROBING = "probing"
    """The breaker is half-open, and a probe is in flight."""
    TOKEN_LIMIT = "token_limit"  # noqa: S105 - a count of tokens
    REQUEST_LIMIT = "request_limit"
    POLICY = "policy"
    HEALTH_CHECK = "health_check"
    DEPRECATED = "deprecated"
    MANUAL = "manual"
    AT_CAPACITY = "at_capacity"
    """The provider account has its maximum of requests in flight."""
    VECTOR_SPACE = "vector_space"
    PROVIDER_NOT_ALLOWED = "provider_not_allowed"
    ACCOUNT = "account"
    """Another account owns what the request refers to."""
    NATIVE_OPERATION = "native_operation"
    """The request cannot be translated, and the provider does not serve its operation."""
    CAPABILITY = "capability"
    PARAMETER_REFUSED = "parameter_refused"
    CONTEXT_WINDOW = "context_window"
    LIMIT = "limit"
    """The request does not fit a configured limit or budget."""
    NOT_REACHED = "not_reached"
    """The request ended before the candidate was tried."""


@frozen
class Eligibility:
    """Whether a candidate may be tried.

    Attributes:
        reason: The first reason against it, ``None`` when it may be tried.
        until: Monotonic seconds at which the reasons end, ``inf`` when no time is known.
        texts: Every reason in words, the first one first.
    """

    reason: IneligibilityReason | None = None
    until: float = 0.0
    texts: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether it may be tried."""
        return self.reason is None

    @property
    def status(self) -> CandidateStatus:
        """``STANDBY`` when the candidate is unavailable for every request."""
        return CandidateStatus.STANDBY if self.reason in _STANDBY else CandidateStatus.ACTIVE

    @property
    def text(self) -> str:
        """All reasons in one line, empty when it may be tried."""
        return "; also ".join(self.texts)


_Reason = IneligibilityReason

_STANDBY = frozenset(_Reason) - {
    _Reason.VECTOR_SPACE,
    _Reason.PROVIDER_NOT_ALLOWED,
    _Reason.ACCOUNT,
    _Reason.NATIVE_OPERATION,
    _Reason.CAPABILITY,
    _Reason.PARAMETER_REFUSED,
    _Reason.CONTEXT_WINDOW,
    _Reason.LIMIT,
    _Reason.NOT_REACHED,
}
"""Reasons that hold for every request."""

ELIGIBLE = Eligibility()
