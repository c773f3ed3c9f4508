"""Standby policies of a pool: when they are called, and what their decisions do.

A runner exists only for a pool with such a policy in its strategy or its configuration. Its policies are called under the mesh's
lock: after each settled attempt, at the times that they return, and after a successful probe.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from attrs import define, field

from modelmesh._engine.foundation.suspension_reasons import SuspensionReason
from modelmesh._engine.health.circuit_breaker import BreakerState
from modelmesh._engine.health.model_health import ModelHealth
from modelmesh._engine.limits.window import Period, Window
from modelmesh._engine.plugins import attribution
from modelmesh._engine.routing.plugin_errors import policy_raised
from modelmesh._engine.routing.standby_records import StandbyRecord
from modelmesh.contracts.rotation import DeactivationPolicy, DeactivationReason, ModelSnapshot, RecoveryPolicy
from modelmesh.errors import ConnectorError

if TYPE_CHECKING:
    from modelmesh._engine.health.health_registry import HealthRegistry
    from modelmesh._engine.limits.reservations import Reservations
    from modelmesh._engine.routing.candidates import Candidate
    from modelmesh.errors import ProviderError

COOLDOWN_S = 60.0
"""Default standby of a deactivation policy without a recovery policy."""

EXTENSION_S = 30.0
"""Time until a recovery policy is called again that extends a standby without a later time of its own."""

_PERIODIC = frozenset(
    {DeactivationReason.BUDGET_EXCEEDED, DeactivationReason.TOKEN_LIMIT, DeactivationReason.REQUEST_LIMIT},
)
"""Reasons that end with the period."""


@define(eq=False, kw_only=True)
class StandbyPolicyRunner:
    """Runs the standby policies of one pool.

    Attributes:
        pool: Name of the pool.
        deactivation: Decides which models go to standby, ``None`` to follow the circuit breakers.
        recovery: Decides when they become active, ``None`` to follow the cooldown or the end of the period.
        reservations: Limits of the mesh, and its clock.
        period: Period over which requests, tokens and money are counted.
        cooldown: Seconds of standby without a recovery policy.
        window: Seconds over which the error rate is computed.
        error: What a policy raised when a timer called it. The pool's next request raises it.
    """

    pool: str
    deactivation: DeactivationPolicy | None
    recovery: RecoveryPolicy | None
    reservations: Reservations
    period: Window = field(factory=lambda: Window(Period.TOTAL))
    cooldown: float = COOLDOWN_S
    window: float = 30.0
    error: ConnectorError | None = None
    _records: dict[int, StandbyRecord] = field(factory=dict, init=False, repr=False)

    # -- events that call a policy ----------------------------------------------------------------------------------

    def record_attempt(
        self,
        candidate: Candidate,
        health: HealthRegistry,
        now: float,
        *,
        error: ProviderError | None = None,
        usage: Mapping[str, Any] | None = None,
        seconds: float | None = None,
    ) -> None:
        """Record how an attempt ended, and put the model in standby if the policy decides so.

        Raises:
            ConnectorError: The policy raised.
        """
        record = self._record(candidate, now)
        if error is None:
            record.record_success(usage, seconds, now)
        else:
            record.record_failure(error, now)
        if candidate.health.standby_policy is not None:
            return
        decided, reason = self._deactivates(candidate, now)
        if not decided:
            return
        record.record_standby(reason, now)
        candidate.health.enter_standby(self)
        try:
            until = self._standby_until(candidate, now)
        except ConnectorError:
            candidate.health.leave_standby()
            raise
        health.suspend(candidate.health, SuspensionReason.POLICY, until)

    def _deactivates(self, candidate: Candidate, now: float) -> tuple[bool, Any]:
        """Return whether the model goes to standby, and the reason."""
        if self.deactivation is None:
            return candidate.health.state is BreakerState.OPEN, DeactivationReason.ERROR_THRESHOLD
        snapshot = self.snapshot(candidate, now)
        if not self._call_policy(self.deactivation, self.deactivation.should_deactivate, snapshot):
            return False, None
        return True, self._call_policy(self.deactivation, self.deactivation.get_reason, snapshot, _check_reason)

    def extends_until(self, model: ModelHealth, now: float, /) -> float | None:
        """Return the new end of a standby that is due, ``None`` when the model becomes active."""
        return self._extends_until(self._records[id(model)].candidate, now)

    def _extends_until(self, candidate: Candidate, now: float) -> float | None:
        if self.recovery is None:
            return None
        try:
            if self._call_policy(self.recovery, self.recovery.should_recover, self.snapshot(candidate, now)):
                return None
            until = self._standby_until(candidate, now)
        except ConnectorError as error:
            self.error = error  # the current request may be one of another pool
            until = now
        return until if until > now else now + EXTENSION_S

    def record_probe(self, candidate: Candidate, health: HealthRegistry, now: float) -> None:
        """Record a successful probe of the model's account. The policy may make the model active for it."""
        self._record(candidate, now).probe_succeeded = True
        if candidate.health.standby_policy is not self or self.recovery is None:
            return
        if self._extends_until(candidate, now) is None:
            candidate.health.leave_standby()
            health.resume(candidate.health, SuspensionReason.POLICY)

    def reset(self, candidate: Candidate) -> None:
        """Forget the figures of a model that was recovered by hand."""
        self._records.pop(id(candidate.health), None)

    def raise_pending(self, *, keep: bool) -> None:
        """Raise the error that a policy raised when a timer called it.

        Args:
            keep: Leave the error for the next request as well.

        Raises:
            ConnectorError: There is such an error.
        """
        error = self.error
        if error is None:
            return
        if not keep:
            self.error = None
        raise error

    # -- figures of a model -----------------------------------------------------------------------------------------

    def snapshot(self, candidate: Candidate, now: float) -> ModelSnapshot:
        """Return the figures of a model."""
        in_standby = candidate.health.standby_policy is self
        return self._record(candidate, now).snapshot(now, self.reservations, window=self.window, in_standby=in_standby)

    def _record(self, candidate: Candidate, now: float) -> StandbyRecord:
        record = self._records.get(id(candidate.health))
        if record is None:
            record = self._records[id(candidate.health)] = StandbyRecord(candidate)
        record.advance_period(self.reservations.clock.unix(now), self.period)
        return record

    def describe(self, model: ModelHealth, /) -> str:
        """Return the reason of a standby and the name of the policy, for messages."""
        record = self._records.get(id(model))
        reason = None if record is None else record.reason
        policy = self.recovery if self.deactivation is None else self.deactivation
        name = attribution.identify(policy)[0] or attribution.class_of(policy).__name__
        return f"{getattr(reason, 'value', reason) or 'no reason given'}, by {name}"

    # -- persistence ------------------------------------------------------------------------------------------------

    def to_state(self, candidate: Candidate) -> dict[str, Any] | None:
        """Return the figures of a model and its standby as plain data, ``None`` without figures. Times are Unix seconds."""
        record = self._records.get(id(candidate.health))
        if record is None:
            return None
        saved = record.to_state()
        until = candidate.health.suspensions.get(SuspensionReason.POLICY)
        if candidate.health.standby_policy is self and until is not None:
            saved["off_at"] = None if record.deactivated_at is None else self.reservations.clock.unix(record.deactivated_at)
            saved["reason"] = None if record.reason is None else str(record.reason)
            saved["until"] = None if math.isinf(until) else self.reservations.clock.unix(until)
        return saved

    def restore(self, candidate: Candidate, saved: Mapping[str, Any], health: HealthRegistry, now: float) -> None:
        """Restore the figures of an earlier run, and continue a standby that was not over."""
        when = self.reservations.clock.unix(now)
        record = self._record(candidate, now)
        record.restore_counts(saved, when)
        if saved.get("off_at") is None:
            return
        record.restore_reason(saved)
        off_at = float(saved["off_at"])
        until = math.inf if saved.get("until") is None else float(saved["until"])
        left = min(until - when, until - off_at)  # not longer than planned, even when the wall clock was set back
        record.deactivated_at = min(self.reservations.clock.monotonic(off_at), now)
        candidate.health.enter_standby(self)
        health.suspend(candidate.health, SuspensionReason.POLICY, now + left)

    # -- end of a standby -------------------------------------------------------------------------------------------

    def _standby_until(self, candidate: Candidate, now: float) -> float:
        """Return when a standby ends that begins or continues now, monotonic seconds."""
        snapshot = self.snapshot(candidate, now)
        if self.recovery is not None:
            at = self._call_policy(self.recovery, self.recovery.get_recovery_schedule, snapshot, _to_unix)
            return math.inf if at is None else self.reservations.clock.monotonic(float(at))
        reason = snapshot.deactivation_reason
        if reason is DeactivationReason.MANUAL:
            return math.inf
        if reason in _PERIODIC:
            return self.reservations.clock.monotonic(self.period.end(snapshot.now))
        if reason is DeactivationReason.QUOTA_EXHAUSTED and snapshot.quota_resets_at is not None:
            return self.reservations.clock.monotonic(snapshot.quota_resets_at)
        return now + self.cooldown

    def _call_policy(
        self,
        policy: Any,
        method: Callable[[ModelSnapshot], Any],
        snapshot: ModelSnapshot,
        convert: Callable[[Any], Any] = lambda it: it,
    ) -> Any:
        try:
            return convert(method(snapshot))
        except Exception as error:
            raise policy_raised(self.pool, policy, method.__name__, error) from error


def _check_reason(reason: Any) -> str | None:
    if reason is not None and not isinstance(reason, str):
        message = f"returned {type(reason).__name__}; it must return a DeactivationReason, or None"
        raise TypeError(message)
    return reason


def _to_unix(at: Any) -> float | None:
    if at is None:
        return None
    if not isinstance(at, datetime):
        message = f"returned {type(at).__name__}; it must return a datetime in UTC, or None"
        raise TypeError(message)
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
