"""Rotation policy with thresholds: standby after failures or at limits, and recovery at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal, Self

from attrs import field, fields_dict, frozen, validators
from attrs.converters import optional

from modelmesh._engine.health.cron import Cron
from modelmesh._engine.limits.window import Period, Window
from modelmesh.contracts import parse_duration
from modelmesh.contracts.rotation import DeactivationReason, ModelSnapshot
from modelmesh.contracts.strategy import SelectionRequest
from modelmesh_cdk.strategy.base import BaseStrategy

_LIMITS = (
    DeactivationReason.QUOTA_EXHAUSTED,
    DeactivationReason.BUDGET_EXCEEDED,
    DeactivationReason.TOKEN_LIMIT,
    DeactivationReason.REQUEST_LIMIT,
)
_DAY, _MONTH = Window(Period.DAY).end, Window(Period.MONTH).end
_ENDS = {"daily": _DAY, "daily_utc": _DAY, "monthly": _MONTH}
_SERVERS_FAULT = 500
_THROTTLED = 429
_MODEL, _PROVIDER = 1000.0, 500.0


def _cron(text: str | Cron) -> Cron:
    return text if isinstance(text, Cron) else Cron.parse(text)


@frozen(kw_only=True)
class ThresholdRotationConfig:
    """Settings, named as in ``deactivation``, ``recovery`` and ``selection`` of a pool.

    Attributes:
        retry_limit: Consecutive failures.
        error_rate_threshold: Share of failures in the window.
        min_samples: Requests in the window that the error rate requires.
        error_codes: Statuses that count as failures. ``None`` counts 429, 5xx and failures without a status.
        request_limit: Requests in a period.
        token_limit: Tokens in a period.
        budget_limit: USD in a period.
        quota_window: Period of the limits: ``daily`` or ``monthly``, ``None`` for one without end.
        maintenance_window: Cron expression, in UTC, of the minutes in which the model is in standby.
        cooldown: Seconds of standby after failures.
        on_quota_reset: Whether an exhausted quota of the vendor ends the standby at its reset.
        quota_reset_schedule: Time of the reset where the vendor reports none: ``daily_utc`` or ``monthly``.
        model_priority: Models that go first, in this order.
        provider_priority: Providers that go first, in this order.
    """

    retry_limit: int = 3
    error_rate_threshold: float = 0.5
    min_samples: int = 10
    error_codes: frozenset[int] | None = field(default=None, converter=optional(frozenset))
    request_limit: int | None = None
    token_limit: int | None = None
    budget_limit: float | None = None
    quota_window: Literal["daily", "monthly"] | None = field(default=None, validator=validators.in_((None, "daily", "monthly")))
    maintenance_window: Cron | None = field(default=None, converter=optional(_cron))
    cooldown: float = field(default=60.0, converter=parse_duration)
    on_quota_reset: bool = True
    quota_reset_schedule: Literal["daily_utc", "monthly"] = field(
        default="monthly", validator=validators.in_(("daily_utc", "monthly"))
    )
    model_priority: Sequence[str] = field(default=(), converter=tuple)
    provider_priority: Sequence[str] = field(default=(), converter=tuple)

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Self:
        """Read a mapping, in sections or flat. Keys of other strategies are ignored.

        Raises:
            ValueError: A duration or a cron expression is invalid.
        """
        flat: dict[str, Any] = dict(settings)
        for section in ("deactivation", "recovery", "selection"):
            flat |= flat.pop(section, None) or {}
        for alias, name in (("failure_threshold", "retry_limit"), ("cooldown_seconds", "cooldown")):
            if alias in flat:
                flat.setdefault(name, flat.pop(alias))
        return cls(**{name: value for name, value in flat.items() if name in fields_dict(cls)})


class ThresholdRotationPolicy(BaseStrategy):
    """Deactivation policy, recovery policy and strategy in one.

    It has no state, and the time comes from the snapshot. Override one method to change one rule.

    Example:
        ::

            policy = ThresholdRotationPolicy({"retry_limit": 5, "request_limit": 1000, "quota_window": "daily"})
            policy.get_reason(ModelSnapshot(model_id="a", provider_id="p", now=time.time(), requests=1000))
    """

    id: ClassVar[str] = "modelmesh.threshold.v1"

    def __init__(self, config: Mapping[str, Any] | ThresholdRotationConfig | None = None) -> None:
        given = config if isinstance(config, ThresholdRotationConfig) else None
        super().__init__(None if given else config)  # type: ignore[arg-type]
        self.thresholds = given or ThresholdRotationConfig.of(self.config)

    @property
    def quota_window(self) -> Literal["daily", "monthly"] | None:
        """Period over which the mesh counts requests, tokens and money."""
        return self.thresholds.quota_window

    # -- standby -------------------------------------------------------------------------------------------------

    def should_deactivate(self, snapshot: ModelSnapshot) -> bool:
        """Return whether the model should go to standby now."""
        return self.get_reason(snapshot) is not None

    def get_reason(self, snapshot: ModelSnapshot) -> DeactivationReason | None:
        """Return the first threshold that is reached: failures, requests, tokens, money, quota, maintenance."""
        limits = self.thresholds
        if self._fails(snapshot):
            return DeactivationReason.ERROR_THRESHOLD
        if limits.request_limit is not None and snapshot.requests >= limits.request_limit:
            return DeactivationReason.REQUEST_LIMIT
        if limits.token_limit is not None and snapshot.tokens_used >= limits.token_limit:
            return DeactivationReason.TOKEN_LIMIT
        spent = snapshot.cost_accumulated
        if limits.budget_limit is not None and spent is not None and spent >= limits.budget_limit:
            return DeactivationReason.BUDGET_EXCEEDED
        if snapshot.quota_used is not None and snapshot.quota_used >= 1:
            return DeactivationReason.QUOTA_EXHAUSTED
        if limits.maintenance_window is not None and limits.maintenance_window.matches(snapshot.now):
            return DeactivationReason.MAINTENANCE_WINDOW
        return None

    def _fails(self, snapshot: ModelSnapshot) -> bool:
        limits = self.thresholds
        if snapshot.failure_count and not self.counts(snapshot.last_status):
            return False
        if snapshot.failure_count >= max(1, limits.retry_limit):
            return True
        rate = snapshot.error_rate
        return rate is not None and snapshot.samples >= max(1, limits.min_samples) and rate >= limits.error_rate_threshold

    def counts(self, status: int | None) -> bool:
        """Return whether a failure with this status concerns the health of the model. ``None`` is a failure without a status."""
        codes = self.thresholds.error_codes
        if codes is not None:
            return status in codes
        return status is None or status == _THROTTLED or status >= _SERVERS_FAULT

    # -- recovery ---------------------------------------------------------------------------------------------------

    def should_recover(self, snapshot: ModelSnapshot) -> bool:
        """Return whether a model in standby becomes active: its time is over, or a probe after a failure succeeded."""
        reason = snapshot.deactivation_reason
        if reason is DeactivationReason.ERROR_THRESHOLD and snapshot.probe_succeeded:
            return True
        at = self._recovers_at(snapshot)
        return at is not None and at <= snapshot.now

    def get_recovery_schedule(self, snapshot: ModelSnapshot) -> datetime | None:
        """Return when the model becomes active in UTC, ``None`` for a recovery by hand only."""
        at = self._recovers_at(snapshot)
        return None if at is None else datetime.fromtimestamp(at, UTC)

    def _recovers_at(self, snapshot: ModelSnapshot) -> float | None:
        since = snapshot.deactivated_at if snapshot.deactivated_at is not None else snapshot.now
        reason, at = snapshot.deactivation_reason, None
        if reason is DeactivationReason.MANUAL:
            return None
        if reason is DeactivationReason.MAINTENANCE_WINDOW:
            window = self.thresholds.maintenance_window
            at = window.ends(snapshot.now) if window else snapshot.now
        elif reason is DeactivationReason.QUOTA_EXHAUSTED:
            at = self._quota_resets_at(snapshot, since)
        elif reason in _LIMITS:
            at = _ENDS[self.thresholds.quota_window](since) if self.thresholds.quota_window else None
        else:
            at = since + self.thresholds.cooldown
        cooldown_until = snapshot.cooldown_until
        return at if at is None or cooldown_until is None else max(at, cooldown_until)

    def _quota_resets_at(self, snapshot: ModelSnapshot, since: float) -> float | None:
        if not self.thresholds.on_quota_reset:
            return None
        if snapshot.quota_resets_at is not None:
            return snapshot.quota_resets_at
        return _ENDS[self.thresholds.quota_reset_schedule](since)

    # -- selection -------------------------------------------------------------------------------------------

    def score(self, candidate: Any, request: SelectionRequest | None = None) -> float:
        """Return 1000 and more for a listed model, 500 and more for a listed provider, else the share of successes.

        It accepts snapshots as well as candidates.
        """
        listed, providers = self.thresholds.model_priority, self.thresholds.provider_priority
        for place, name in enumerate(listed):
            if name in (
                candidate.model_id,
                f"{candidate.provider_id}.{candidate.model_id}",
                f"{candidate.provider_id}/{candidate.model_id}",
            ):
                return _MODEL + len(listed) - place
        for place, name in enumerate(providers):
            if name in (candidate.provider_id, getattr(candidate, "connector_id", None)):
                return _PROVIDER + len(providers) - place
        return 1.0 - (candidate.error_rate or 0.0)
