"""Interface of rotation policies, which decide when a model goes to standby and when it recovers.

The mesh passes a :class:`ModelSnapshot` to a policy after each request, and at the times that the policy schedules. A policy
does no I/O and reads no clock: the snapshot contains the time, so that tests can simulate a day and replay a trace. The
choice among active models is a :class:`~modelmesh.contracts.Strategy`.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable

from attrs import frozen

from modelmesh.contracts.candidates import CandidateStatus


class DeactivationReason(StrEnum):
    """Reason for the standby of a model."""

    ERROR_THRESHOLD = "error_threshold"
    QUOTA_EXHAUSTED = "quota_exhausted"
    BUDGET_EXCEEDED = "budget_exceeded"
    TOKEN_LIMIT = "token_limit"  # noqa: S105 - tokens of a model
    REQUEST_LIMIT = "request_limit"
    MAINTENANCE_WINDOW = "maintenance_window"
    MANUAL = "manual"


@frozen(kw_only=True)
class ModelSnapshot:
    """Figures of one model at one moment. Times are Unix seconds. ``None`` means unknown or never.

    Attributes:
        model_id: The model.
        provider_id: Key of its provider in the configuration.
        now: Time of the snapshot.
        status: Whether it serves requests.
        failure_count: Consecutive failures.
        error_rate: Share of failures in the sliding window, 0 to 1. ``None`` without samples.
        samples: Requests in the window.
        last_status: HTTP status of the last failure, ``None`` when it had none.
        requests: Requests in the current period.
        tokens_used: Tokens in the current period.
        cost_accumulated: USD in the current period.
        quota_used: Used share of the vendor's quota, 0 to 1.
        quota_resets_at: Reset time that the vendor reports.
        latency_avg: Mean latency of answers in seconds.
        last_request: Start of the last request.
        last_failure: Time of the last failure.
        deactivated_at: Start of the standby.
        deactivation_reason: Reason of the standby.
        cooldown_until: End of the cooldown, set by the vendor or by the mesh.
        probe_succeeded: Whether a probe since ``deactivated_at`` succeeded. ``None`` without a probe.
    """

    model_id: str
    provider_id: str
    now: float
    status: CandidateStatus = CandidateStatus.ACTIVE
    failure_count: int = 0
    error_rate: float | None = None
    samples: int = 0
    last_status: int | None = None
    requests: int = 0
    tokens_used: int = 0
    cost_accumulated: float | None = None
    quota_used: float | None = None
    quota_resets_at: float | None = None
    latency_avg: float | None = None
    last_request: float | None = None
    last_failure: float | None = None
    deactivated_at: float | None = None
    deactivation_reason: DeactivationReason | None = None
    cooldown_until: float | None = None
    probe_succeeded: bool | None = None

    @property
    def cooldown_remaining(self) -> float | None:
        """Seconds until ``cooldown_until``, not below 0."""
        return None if self.cooldown_until is None else max(0.0, self.cooldown_until - self.now)


@runtime_checkable
class DeactivationPolicy(Protocol):
    """Policy that puts active models in standby.

    A policy may define ``quota_window`` as ``daily`` or ``monthly``: the period over which its snapshots count requests,
    tokens and money. The default is the pool's ``deactivation.quota_window``, and without one all time.
    """

    def should_deactivate(self, snapshot: ModelSnapshot) -> bool:
        """Return whether the model should go to standby now."""
        ...

    def get_reason(self, snapshot: ModelSnapshot) -> DeactivationReason | None:
        """Return the reason, ``None`` when the model should stay active."""
        ...


@runtime_checkable
class RecoveryPolicy(Protocol):
    """Policy that makes models in standby active again."""

    def should_recover(self, snapshot: ModelSnapshot) -> bool:
        """Return whether the model should become active now."""
        ...

    def get_recovery_schedule(self, snapshot: ModelSnapshot) -> datetime | None:
        """Return the UTC time at which the model should become active, ``None`` when time alone does not decide."""
        ...
