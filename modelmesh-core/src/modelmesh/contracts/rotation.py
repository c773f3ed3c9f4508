"""What decides when a model goes to standby and when it comes back: two pure policies over a snapshot.

Whoever keeps the numbers makes a :class:`ModelSnapshot` after each request, and at times asks the policies. They do no
I/O and read no clock: the time is in the snapshot, so a day can be tested in a moment and a trace can be played again.
The third part of a rotation, which active model goes first, is :class:`~modelmesh.contracts.Strategy`.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable

from attrs import frozen

from modelmesh.contracts.candidates import CandidateStatus


class DeactivationReason(StrEnum):
    """Why a model went to standby."""

    ERROR_THRESHOLD = "error_threshold"
    QUOTA_EXHAUSTED = "quota_exhausted"
    BUDGET_EXCEEDED = "budget_exceeded"
    TOKEN_LIMIT = "token_limit"  # noqa: S105 - tokens of a model
    REQUEST_LIMIT = "request_limit"
    MAINTENANCE_WINDOW = "maintenance_window"
    MANUAL = "manual"


class RecoveryTrigger(StrEnum):
    """What brings a model back."""

    COOLDOWN_EXPIRED = "cooldown_expired"
    QUOTA_RESET = "quota_reset"
    PROBE_SUCCESS = "probe_success"
    MANUAL = "manual"
    STARTUP_PROBE = "startup_probe"


@frozen(kw_only=True)
class ModelSnapshot:
    """What is known of one model at one moment. Times are Unix seconds; ``None`` is unknown, or never.

    Attributes:
        model_id: The model.
        provider_id: Key of its provider in the configuration.
        now: The moment.
        status: Whether it serves requests.
        failure_count: Failures since the last success.
        error_rate: Share of failures in the sliding window, 0 to 1; ``None`` without samples.
        samples: Requests in the window.
        last_status: HTTP status of the last failure; ``None`` when it had none.
        requests: Requests in the current period.
        tokens_used: Tokens in the current period.
        cost_accumulated: USD in the current period.
        quota_used: Share of the vendor's own quota, 0 to 1.
        quota_resets_at: When the vendor says that it starts again.
        latency_avg: Mean seconds of an answer.
        last_request: When the last request began.
        last_failure: When the last failure was.
        deactivated_at: When it went to standby.
        deactivation_reason: Why.
        cooldown_until: When the vendor, or the mesh, says that it may be asked again.
        probe_succeeded: Whether a probe since ``deactivated_at`` went well; ``None`` when there was none.
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
    """When an active model goes to standby.

    A policy may have an attribute ``quota_window``, ``daily`` or ``monthly``: the period over which its snapshots count
    requests, tokens and money. Where it has none, that is the pool's ``deactivation.quota_window``, and without one all time.
    """

    def should_deactivate(self, snapshot: ModelSnapshot) -> bool:
        """Whether the model should go to standby now."""
        ...

    def get_reason(self, snapshot: ModelSnapshot) -> DeactivationReason | None:
        """Return why it should; ``None`` when it should not."""
        ...


@runtime_checkable
class RecoveryPolicy(Protocol):
    """When a model in standby comes back."""

    def should_recover(self, snapshot: ModelSnapshot) -> bool:
        """Whether the model may be asked again now."""
        ...

    def get_recovery_schedule(self, snapshot: ModelSnapshot) -> datetime | None:
        """Return when it may be asked again, in UTC; ``None`` when no time brings that about."""
        ...
