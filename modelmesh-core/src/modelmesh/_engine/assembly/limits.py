"""Counters for the budgets, quotas and caps of the configuration."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, tzinfo
from typing import Any

from modelmesh._engine.assembly.provider_entry import ProviderEntry
from modelmesh._engine.config.schema import BudgetSection, DeactivationSection, PoolSection, QuotaSection, RecoverySection
from modelmesh._engine.foundation.suspension_reasons import SuspensionReason
from modelmesh._engine.foundation.units import NANO
from modelmesh._engine.limits.counter import Limit, LimitCounter, Metric, OnExhausted, Reserve
from modelmesh._engine.limits.reservations import Reservations
from modelmesh._engine.limits.window import Period, Window
from modelmesh._engine.routing.candidates import Candidate

_PERIODS = {"minute": Period.MINUTE, "hour": Period.HOUR, "day": Period.DAY, "month": Period.MONTH}
SCHEDULES = {
    "monthly": Period.MONTH,
    "daily": Period.DAY,
    "daily_utc": Period.DAY,
    "rolling": Period.ROLLING_DAY,
}
_REASONS = {
    Metric.REQUESTS: SuspensionReason.REQUEST_LIMIT,
    Metric.TOKENS: SuspensionReason.TOKEN_LIMIT,
    Metric.COST: SuspensionReason.BUDGET_EXCEEDED,
}


def budget_counters(key: str, section: BudgetSection | None, *, on_exhausted: str | None = None) -> Iterator[LimitCounter]:
    """Yield the counters of a budget.

    Args:
        key: Owner of the budget, e.g. ``provider:openai``.
        section: Section of the configuration.
        on_exhausted: ``rotate`` or ``error`` for a section that states neither. The default is ``error``.
    """
    if section is None:
        return
    reaction = OnExhausted(section.on_budget_exceeded or on_exhausted or "error")
    for period, limit in (
        (Period.DAY, section.daily_limit),
        (Period.MONTH, section.monthly_limit),
        (Period.TOTAL, section.total_limit),
        (Period.REQUEST, section.per_request_limit),
    ):
        if limit is not None:
            budget = Limit(
                key=key,
                metric=Metric.COST,
                amount=round(limit * NANO),
                window=Window(period),
                reason=SuspensionReason.BUDGET_EXCEEDED,
                on_exhausted=reaction,
                enforce=section.enforce,
                alert=None if period is Period.REQUEST else section.alert_threshold,
                unknown_price=section.unknown_price == "allow",
                reserve=Reserve(section.reserve),
            )
            yield LimitCounter(budget)


def quota_counters(key: str, section: QuotaSection | None, source: str = "") -> Iterator[LimitCounter]:
    """Yield the counters of a quota. Of two limits of one window, the stricter one counts."""
    if section is None:
        return
    zone = _zone(section.reset_zone)
    for metric in (Metric.REQUESTS, Metric.TOKENS):
        stated = [(period, getattr(section, f"{metric.value}_per_{name}")) for name, period in _PERIODS.items()]
        total = section.request_limit if metric is Metric.REQUESTS else section.token_limit
        stated.append((SCHEDULES[section.reset_schedule], total))
        limits: dict[Period, int] = {}
        for period, limit in stated:
            if limit is not None:
                limits[period] = min(limit, limits.get(period, limit))
        for period, limit in limits.items():
            quota = Limit(
                key=key,
                metric=metric,
                amount=limit,
                window=Window(period, zone),
                reason=SuspensionReason.QUOTA_EXHAUSTED,
                source=source,
            )
            yield LimitCounter(quota)


def cap_counters(key: str, deactivation: DeactivationSection, recovery: RecoverySection) -> Iterator[LimitCounter]:
    """Yield the counters of a pool's caps for one of its models."""
    window = Window(SCHEDULES[deactivation.quota_window or recovery.quota_reset_schedule or "monthly"])
    if recovery.on_quota_reset is False:
        window = Window(Period.TOTAL)
    money = None if deactivation.budget_limit is None else round(deactivation.budget_limit * NANO)
    for metric, limit in (
        (Metric.REQUESTS, deactivation.request_limit),
        (Metric.TOKENS, deactivation.token_limit),
        (Metric.COST, money),
    ):
        if limit is not None:
            cap = Limit(key=key, metric=metric, amount=limit, window=window, reason=_REASONS[metric], unknown_price=True)
            yield LimitCounter(cap)


def limit_accounts(providers: Iterable[ProviderEntry], reservations: Reservations) -> None:
    """Apply the budget and the quota of each provider to its account."""
    for entry in providers:
        section, account = entry.section, entry.account
        key = f"provider:{entry.key}"
        reservations.attach(account, budget_counters(key, section.budget))
        reservations.attach(account, quota_counters(key, section.quota, "the configuration"))


class ModelLimits:
    """Applies quotas to models, and the vendor's free tier where the account uses it."""

    def __init__(
        self, quotas: Mapping[tuple[str, str], QuotaSection], free_tiers: frozenset[str], reservations: Reservations
    ) -> None:
        """Store the sources of the limits.

        Args:
            quotas: Configured quotas by provider key and model ID.
            free_tiers: Keys of the providers with accounts that use the shipped free tier.
            reservations: Receives the counters.
        """
        self._quotas = quotas
        self._free_tiers = free_tiers
        self._reservations = reservations
        self._shared: dict[tuple[str, str], list[LimitCounter]] = {}

    def limit(self, candidate: Candidate) -> None:
        """Add the counters of one model."""
        provider = candidate.provider_id
        section = self._quotas.get((provider, candidate.model_id))
        sections = [] if section is None else [(section, "the configuration")]
        if section is None and provider in self._free_tiers:
            sections = _free_tier_sections(candidate.info.extra.get("free_tier"))
        for section, source in sections:
            self._attach(candidate, section, source)

    def _attach(self, candidate: Candidate, section: QuotaSection, source: str) -> None:
        provider = candidate.provider_id
        if section.shared is None:
            counters = list(quota_counters(f"model:{provider}/{candidate.model_id}", section, source))
        else:
            key = provider, section.shared
            if key not in self._shared:
                self._shared[key] = list(quota_counters(f"shared:{provider}/{section.shared}", section, source))
            counters = self._shared[key]
        self._reservations.attach(candidate.health, counters)


def limit_pool_members(section: PoolSection, members: Sequence[Candidate], reservations: Reservations) -> None:
    """Apply the caps of a pool to its models."""
    for candidate in members:
        key = f"model:{candidate.provider_id}/{candidate.model_id}:cap"
        known = {counter.limit.name: counter for counter in reservations.counters_of(candidate.health)}
        for counter in cap_counters(key, section.deactivation, section.recovery):
            other = known.get(counter.limit.name)
            if other is None:
                reservations.attach(candidate.health, [counter])
            elif counter.limit.amount < other.limit.amount:
                other.replace_limit(counter.limit)  # of two pools, the stricter cap counts


def _free_tier_sections(rows: Any) -> list[tuple[QuotaSection, str]]:
    """Return the limits of a model's free tier with their sources, from the catalogue of its connector.

    The catalogue has one map of limits, or a list of maps if some limits are shared between models.
    """
    rows = [rows] if isinstance(rows, Mapping) else rows
    if not isinstance(rows, Sequence) or isinstance(rows, str):
        return []
    from modelmesh._engine.config.problems import Problems  # noqa: PLC0415
    from modelmesh._engine.config.source_map import SourceMap  # noqa: PLC0415 - only for free tiers
    from modelmesh._engine.config.structure import structure  # noqa: PLC0415

    problems, found = Problems(SourceMap()), []
    for row in rows:
        facts = {name: value for name, value in row.items() if name not in ("source", "as_of")}
        section, _ = structure(facts, QuotaSection, ("free_tier",), problems)
        if section is None or problems:
            raise problems.error()
        found.append((section, " ".join(str(row[name]) for name in ("source", "as_of") if name in row)))
    return found


def _zone(name: str) -> tzinfo:
    if name == "UTC":
        return UTC
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - few configurations name a zone

    return ZoneInfo(name)
