"""Figures of one model that standby policies decide by, and the snapshot that they receive."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from attrs import define, field

from modelmesh._engine.foundation.suspension_reasons import SuspensionReason
from modelmesh._engine.foundation.units import NANO
from modelmesh._engine.health.circuit_breaker import MAX_SAMPLES, BreakerState, CircuitBreaker
from modelmesh._engine.limits.cost import cost_nano_usd
from modelmesh._engine.limits.window import Window
from modelmesh.contracts.candidates import CandidateStatus
from modelmesh.contracts.rotation import DeactivationReason, ModelSnapshot

if TYPE_CHECKING:
    from modelmesh._engine.limits.reservations import Reservations
    from modelmesh._engine.routing.candidates import Candidate
    from modelmesh.errors import ProviderError

_REASONS = frozenset(DeactivationReason)


@define(eq=False)
class StandbyRecord:
    """Figures of one model. Times are monotonic seconds, except for :attr:`period_ends`.

    Attributes:
        candidate: The model.
        samples: ``(time, ok)`` of the latest attempts.
        failures: Consecutive failures.
        last_status: HTTP status of the latest failure.
        last_request: Time of the latest attempt.
        last_failure: Time of the latest failure.
        requests: Attempts in the period.
        tokens: Tokens in the period.
        nano_usd: Cost in the period, ``None`` while every price is unknown.
        answers: Answers with a known duration.
        seconds: Their total duration.
        period_ends: End of the period, Unix seconds.
        deactivated_at: Start of the latest standby.
        reason: Its reason, as the policy gave it.
        probe_succeeded: Whether a probe since then succeeded, ``None`` without a probe.
    """

    candidate: Candidate
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
    period_ends: float = 0.0
    deactivated_at: float | None = None
    reason: Any = None
    probe_succeeded: bool | None = None

    def advance_period(self, when: float, period: Window) -> None:
        """Reset the counts of the period when it is over. Times are Unix seconds."""
        if when < self.period_ends:
            return
        self.requests = 0
        self.tokens = 0
        self.nano_usd = None
        self.period_ends = period.end(when)

    def record_success(self, usage: Mapping[str, Any] | None, seconds: float | None, now: float) -> None:
        """Count an attempt that was answered."""
        self._record_attempt(now, ok=True)
        self.failures = 0
        usage = usage or {}
        counts = [usage.get(name) for name in ("prompt_tokens", "completion_tokens")]
        self.tokens += sum(count for count in counts if isinstance(count, int))
        cost = cost_nano_usd(self.candidate.info.pricing, usage)
        if cost is not None:
            self.nano_usd = (self.nano_usd or 0) + cost
        if seconds is not None:
            self.answers += 1
            self.seconds += seconds

    def record_failure(self, error: ProviderError, now: float) -> None:
        """Count an attempt that failed."""
        self._record_attempt(now, ok=False)
        self.failures += 1
        self.last_failure = now
        self.last_status = error.status

    def _record_attempt(self, now: float, *, ok: bool) -> None:
        self.last_request = now
        self.requests += 1
        self.samples.append((now, ok))

    def record_standby(self, reason: Any, now: float) -> None:
        """Record that a policy put the model in standby."""
        self.deactivated_at = now
        self.reason = reason
        self.probe_succeeded = None

    # -- persistence ----------------------------------------------------------------------------------------------------

    def to_state(self) -> dict[str, Any]:
        """Return the counts as plain data."""
        return {
            "failures": self.failures,
            "requests": self.requests,
            "tokens": self.tokens,
            "nano_usd": self.nano_usd,
            "ends": None if math.isinf(self.period_ends) else self.period_ends,
        }

    def restore_counts(self, saved: Mapping[str, Any], when: float) -> None:
        """Restore the counts of an earlier run. Those of a period that is over are dropped."""
        ends = math.inf if saved.get("ends") is None else float(saved["ends"])
        if when < ends:
            self.period_ends = min(ends, self.period_ends)
            self.requests = int(saved.get("requests", 0))
            self.tokens = int(saved.get("tokens", 0))
            self.nano_usd = None if saved.get("nano_usd") is None else int(saved["nano_usd"])
        self.failures = int(saved.get("failures", 0))

    def restore_reason(self, saved: Mapping[str, Any]) -> None:
        """Restore the reason of a standby of an earlier run."""
        reason = saved.get("reason")
        self.reason = DeactivationReason(reason) if reason in _REASONS else reason

    # -- snapshot -------------------------------------------------------------------------------------------------------

    def snapshot(self, now: float, reservations: Reservations, *, window: float, in_standby: bool) -> ModelSnapshot:
        """Return the figures as policies receive them.

        Args:
            now: Monotonic seconds.
            reservations: Limits of the mesh, and its clock.
            window: Seconds over which the error rate is computed.
            in_standby: Whether the policy of this record put the model in standby.
        """

        def unix(at: float | None) -> float | None:
            return None if at is None else clock.unix(at)

        candidate, clock = self.candidate, reservations.clock
        recent = [ok for at, ok in self.samples if at > now - window]
        deactivated_at = self.deactivated_at if in_standby else None
        quota_used, quota_resets_at = _quota(candidate, now, reservations)
        return ModelSnapshot(
            model_id=candidate.model_id,
            provider_id=candidate.provider_id,
            now=clock.unix(now),
            status=candidate.status if deactivated_at is None else CandidateStatus.STANDBY,
            failure_count=self.failures,
            error_rate=recent.count(False) / len(recent) if recent else None,
            samples=len(recent),
            last_status=self.last_status,
            requests=self.requests,
            tokens_used=self.tokens,
            cost_accumulated=None if self.nano_usd is None else self.nano_usd / NANO,
            quota_used=quota_used,
            quota_resets_at=quota_resets_at,
            latency_avg=self.seconds / self.answers if self.answers else None,
            last_request=unix(self.last_request),
            last_failure=unix(self.last_failure),
            deactivated_at=unix(deactivated_at),
            deactivation_reason=self.reason if in_standby else None,
            cooldown_until=unix(_cooldown_until(candidate.health, candidate.account)),
            probe_succeeded=self.probe_succeeded,
        )


def _quota(candidate: Candidate, now: float, reservations: Reservations) -> tuple[float | None, float | None]:
    """Return the used share of the vendor's quota that is nearest to its end, and its reset in Unix seconds."""
    clock = reservations.clock
    when = clock.unix(now)
    shares = [
        ((counter.used + counter.reserved) / counter.limit.amount, counter.resets_at(when))
        for counter in (*reservations.counters_of(candidate.health), *reservations.counters_of(candidate.account))
        if counter.limit.reason is SuspensionReason.QUOTA_EXHAUSTED and counter.limit.amount
    ]
    for row in candidate.rate_limits(now):
        resets_at = math.inf if row.resets_in is None else clock.unix(candidate.answered_at + row.resets_in)
        shares.append((1.0 - row.ratio, resets_at))
    if not shares:
        return None, None
    share, resets_at = max(shares)
    return share, None if math.isinf(resets_at) else resets_at


def _cooldown_until(*breakers: CircuitBreaker) -> float | None:
    """Return when the last of the open breakers becomes half-open."""
    times = (one.until for one in breakers if one.state is BreakerState.OPEN and not math.isinf(one.until))
    return max(times, default=None)
