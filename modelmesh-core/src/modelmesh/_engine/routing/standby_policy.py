"""A pool's own policies of standby and recovery, and what they are told.

A judge exists only where a strategy or the configuration brings such a policy; nobody else pays for the snapshots. Its
policies are asked under the mesh's lock: after each settled attempt, at the times they name, and when a probe went well.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from attrs import define, field

from modelmesh._engine.foundation.clock import Clock
from modelmesh._engine.foundation.units import NANO
from modelmesh._engine.health.circuit_breaker import MAX_SAMPLES, BreakerState, CircuitBreaker, SuspensionReason
from modelmesh._engine.limits.cost import cost_nano_usd
from modelmesh._engine.limits.window import Period, Window
from modelmesh._engine.plugins import attribution
from modelmesh._engine.routing.plugin_errors import policy_raised
from modelmesh.contracts.candidates import CandidateStatus
from modelmesh.contracts.rotation import DeactivationPolicy, DeactivationReason, ModelSnapshot, RecoveryPolicy
from modelmesh.errors import ConnectorError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelmesh._engine.health.registry import HealthRegistry
    from modelmesh._engine.routing.candidates import Candidate
    from modelmesh.errors import ProviderError

COOLDOWN_S = 60.0
"""Standby by a deactivation policy that comes without one of recovery, where none is configured."""

ASK_AGAIN_S = 30.0
"""When a policy that keeps a model in standby past the time it named itself is asked again."""

_PERIODICAL = frozenset(
    {DeactivationReason.BUDGET_EXCEEDED, DeactivationReason.TOKEN_LIMIT, DeactivationReason.REQUEST_LIMIT},
)

_REASONS = frozenset(DeactivationReason)

_COUNTS = ("failures", "requests", "tokens", "nano_usd")


@define(eq=False)
class _Record:
    """What happened to one model; times are monotonic seconds."""

    samples: deque[tuple[float, bool]] = field(factory=lambda: deque(maxlen=MAX_SAMPLES))
    failures: int = 0
    last_status: int | None = None
    last_request: float | None = None
    last_failure: float | None = None
    requests: int = 0
    tokens: int = 0
    nano_usd: int | None = None
    answers: int = 0
    seconds: float = 0.0
    ends: float = 0.0
    off_at: float | None = None
    reason: Any = None
    probe: bool | None = None


@define(eq=False)
class StandbyPolicyRunner:
    """The policies of one pool.

    Attributes:
        pool: Its name.
        off: Decides who goes to standby; ``None`` leaves that to the circuits.
        back: Decides who comes back; ``None`` leaves that to the cooldown or the end of the period.
        clock: Converts between monotonic and Unix time.
        period: Over which requests, tokens and money are counted.
        cooldown: Seconds of standby without a recovery policy.
        window: Seconds over which the share of failures is taken.
        error: What a policy raised when it was asked at a time of its own; the pool's next request raises it.
    """

    pool: str
    off: DeactivationPolicy | None
    back: RecoveryPolicy | None
    clock: Clock = field(factory=Clock)
    period: Window = field(factory=lambda: Window(Period.TOTAL))
    cooldown: float = COOLDOWN_S
    window: float = 30.0
    error: ConnectorError | None = None
    _records: dict[int, _Record] = field(factory=dict, init=False, repr=False)

    # -- when it is asked -------------------------------------------------------------------------------------------

    def after(
        self,
        candidate: Candidate,
        health: HealthRegistry,
        now: float,
        *,
        error: ProviderError | None = None,
        usage: Mapping[str, Any] | None = None,
        seconds: float | None = None,
    ) -> None:
        """Hear how an attempt ended, and ask whether the model goes to standby.

        Raises:
            ConnectorError: The policy raised.
        """
        record = self._record(candidate, now)
        record.last_request = now
        record.requests += 1
        record.samples.append((now, error is None))
        if error is not None:
            record.failures, record.last_failure, record.last_status = record.failures + 1, now, error.status
        else:
            self._answered(record, candidate, usage, seconds)
        if candidate.health.judge is not None:
            return
        if self.off is None:
            reason: Any = DeactivationReason.ERROR_THRESHOLD
            if candidate.health.state is not BreakerState.OPEN:
                return
        else:
            snapshot = self.snapshot(candidate, now)
            if not self._ask(self.off, self.off.should_deactivate, snapshot):
                return
            reason = self._ask(self.off, self.off.get_reason, snapshot, _named)
        record.off_at, record.reason, record.probe = now, reason, None
        candidate.health.judge = self
        try:
            until = self._scheduled(candidate, now)
        except ConnectorError:
            candidate.health.judge = None
            raise
        health.suspend(candidate.health, SuspensionReason.POLICY, until)

    def _answered(self, record: _Record, candidate: Candidate, usage: Mapping[str, Any] | None, seconds: float | None) -> None:
        record.failures = 0
        counts = [(usage or {}).get(name) for name in ("prompt_tokens", "completion_tokens")]
        record.tokens += sum(count for count in counts if isinstance(count, int))
        cost = cost_nano_usd(candidate.info.pricing, usage)
        if cost is not None:
            record.nano_usd = (record.nano_usd or 0) + cost
        if seconds is not None:
            record.answers, record.seconds = record.answers + 1, record.seconds + seconds

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

    def keeps(self, candidate: Candidate, now: float) -> float | None:
        """Return until when a model whose time has come is withheld for longer, ``None`` when it comes back."""
        if self.back is None:
            return None
        try:
            if self._ask(self.back, self.back.should_recover, self.snapshot(candidate, now)):
                return None
            until = self._scheduled(candidate, now)
        except ConnectorError as error:
            self.error = error  # whoever happens to ask now may be another pool's request
            until = now
        return until if until > now else now + ASK_AGAIN_S

    def probed(self, candidate: Candidate, health: HealthRegistry, now: float) -> None:
        """Hear that a probe of a model's account went well; the policy may let the model come back for it."""
        self._record(candidate, now).probe = True
        if candidate.health.judge is self and self.back is not None and self.keeps(candidate, now) is None:
            candidate.health.judge = None
            health.resume(candidate.health, SuspensionReason.POLICY)

    def forget(self, candidate: Candidate) -> None:
        """Begin anew with a model that a person brought back."""
        self._records.pop(id(candidate), None)

    # -- between runs -----------------------------------------------------------------------------------------------

    def saved(self, candidate: Candidate) -> dict[str, Any] | None:
        """Return what was counted of a model, and whether a policy withholds it, as plain data in Unix seconds."""
        record, until = self._records.get(id(candidate)), candidate.health.suspensions.get(SuspensionReason.POLICY)
        if record is None:
            return None
        kept: dict[str, Any] = {name: getattr(record, name) for name in _COUNTS}
        kept["ends"] = None if math.isinf(record.ends) else record.ends
        if candidate.health.judge is self and until is not None:
            kept["off_at"] = self._unix(record.off_at)
            kept["reason"] = None if record.reason is None else str(record.reason)
            kept["until"] = None if math.isinf(until) else self.clock.unix(until)
        return kept

    def restore(self, candidate: Candidate, saved: Mapping[str, Any], health: HealthRegistry, now: float) -> None:
        """Go on from what was counted in an earlier run; a model that was withheld then still is."""
        when, record = self.clock.unix(now), self._record(candidate, now)
        ends = math.inf if saved.get("ends") is None else float(saved["ends"])
        if when < ends:
            record.ends = min(ends, record.ends)
            record.requests, record.tokens = int(saved.get("requests", 0)), int(saved.get("tokens", 0))
            record.nano_usd = None if saved.get("nano_usd") is None else int(saved["nano_usd"])
        record.failures = int(saved.get("failures", 0))
        if saved.get("off_at") is None:
            return
        reason = saved.get("reason")
        record.reason = DeactivationReason(reason) if reason in _REASONS else reason
        off_at, until = float(saved["off_at"]), math.inf if saved.get("until") is None else float(saved["until"])
        left = min(until - when, until - off_at)  # no longer than it was to be, though the clock was set back
        record.off_at = min(self.clock.monotonic(off_at), now)
        candidate.health.judge = self
        health.suspend(candidate.health, SuspensionReason.POLICY, now + left)

    # -- what it is told --------------------------------------------------------------------------------------------

    def snapshot(self, candidate: Candidate, now: float) -> ModelSnapshot:
        """Return what is known of a model."""
        record, health = self._record(candidate, now), candidate.health
        recent = [ok for at, ok in record.samples if at > now - self.window]
        quota_used, quota_resets_at = self._quota(candidate, now)
        off_at, reason = record.off_at, record.reason
        if health.judge is not self:
            off_at, reason = None, None  # it was off before, and came back
        return ModelSnapshot(
            model_id=candidate.model_id,
            provider_id=candidate.provider_id,
            now=self.clock.unix(now),
            status=CandidateStatus.STANDBY if off_at is not None else candidate.status,
            failure_count=record.failures,
            error_rate=recent.count(False) / len(recent) if recent else None,
            samples=len(recent),
            last_status=record.last_status,
            requests=record.requests,
            tokens_used=record.tokens,
            cost_accumulated=None if record.nano_usd is None else record.nano_usd / NANO,
            quota_used=quota_used,
            quota_resets_at=quota_resets_at,
            latency_avg=record.seconds / record.answers if record.answers else None,
            last_request=self._unix(record.last_request),
            last_failure=self._unix(record.last_failure),
            deactivated_at=self._unix(off_at),
            deactivation_reason=reason,
            cooldown_until=self._unix(_cooldown(health, candidate.account)),
            probe_succeeded=record.probe,
        )

    def _record(self, candidate: Candidate, now: float) -> _Record:
        record = self._records.setdefault(id(candidate), _Record())
        if self.clock.unix(now) >= record.ends:
            record.requests, record.tokens, record.nano_usd = 0, 0, None
            record.ends = self.period.end(self.clock.unix(now))
        return record

    def _quota(self, candidate: Candidate, now: float) -> tuple[float | None, float | None]:
        """The share used of the vendor's quota that is nearest to its end, and when that begins anew."""
        when = self.clock.unix(now)
        counters = [
            m
            for m in (*candidate.health.counters, *candidate.account.counters)
            if m.limit.reason is SuspensionReason.QUOTA_EXHAUSTED
        ]
        shares = [((m.used + m.reserved) / m.limit.amount, m.resets_at(when)) for m in counters if m.limit.amount]
        for row in candidate.rate_limits(now):
            resets = math.inf if row.resets_in is None else self.clock.unix(candidate.answered_at + row.resets_in)
            shares.append((1.0 - row.ratio, resets))
        if not shares:
            return None, None
        share, resets = max(shares)
        return share, None if math.isinf(resets) else resets

    def _unix(self, at: float | None) -> float | None:
        return None if at is None else self.clock.unix(at)

    # -- when it comes back -----------------------------------------------------------------------------------------

    def _scheduled(self, candidate: Candidate, now: float) -> float:
        snapshot = self.snapshot(candidate, now)
        if self.back is not None:
            at = self._ask(self.back, self.back.get_recovery_schedule, snapshot, _moment)
            return math.inf if at is None else self.clock.monotonic(float(at))
        reason = snapshot.deactivation_reason
        if reason is DeactivationReason.MANUAL:
            return math.inf
        if reason in _PERIODICAL:
            return self.clock.monotonic(self.period.end(snapshot.now))
        if reason is DeactivationReason.QUOTA_EXHAUSTED and snapshot.quota_resets_at is not None:
            return self.clock.monotonic(snapshot.quota_resets_at)
        return now + self.cooldown

    def shown(self, candidate: Candidate) -> str:
        """Say who withholds a model and why."""
        reason = self._records[id(candidate)].reason if id(candidate) in self._records else None
        policy = self.back if self.off is None else self.off
        named = attribution.identify(policy)[0] or attribution.class_of(policy).__name__
        return f"{getattr(reason, 'value', reason) or 'no reason given'}, by {named}"

    def _ask(
        self,
        policy: Any,
        method: Callable[[ModelSnapshot], Any],
        snapshot: ModelSnapshot,
        read: Callable[[Any], Any] = lambda it: it,
    ) -> Any:
        try:
            return read(method(snapshot))
        except Exception as error:
            raise policy_raised(self.pool, policy, method.__name__, error) from error


def _cooldown(*circuits: CircuitBreaker) -> float | None:
    """When the last of the circuits that are open turns half-open."""
    return max((c.until for c in circuits if c.state is BreakerState.OPEN and not math.isinf(c.until)), default=None)


def _named(reason: Any) -> str | None:
    if reason is not None and not isinstance(reason, str):
        message = f"returned {type(reason).__name__}; it must return a DeactivationReason, or None"
        raise TypeError(message)
    return reason


def _moment(at: Any) -> float | None:
    if at is None:
        return None
    if not isinstance(at, datetime):
        message = f"returned {type(at).__name__}; it must return a datetime in UTC, or None"
        raise TypeError(message)
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
