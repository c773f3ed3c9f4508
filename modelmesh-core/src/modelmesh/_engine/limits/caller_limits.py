"""Limits of the tokens and teams that send requests.

They are ordinary limits of the engine. A request that exceeds one ends with an error, because no other candidate would help, and
no model is suspended for it.
"""

from __future__ import annotations

from collections.abc import Iterator

from attrs import evolve, frozen

from modelmesh._engine.foundation.suspension_reasons import SuspensionReason
from modelmesh._engine.foundation.units import NANO
from modelmesh._engine.limits.counter import Limit, Metric, OnExhausted
from modelmesh._engine.limits.window import Period, Window

ALERT_SHARE = 0.8
"""Share of a budget at which an alert is published."""


@frozen
class CallerLimits:
    """Limits of one token or team.

    Attributes:
        key: Key of its counters, which begins with ``token:`` or ``team:``. A token keeps it when it is renamed or rotated.
        label: Its name in messages, e.g. ``the token 'shop'``.
        budget_daily: Dollars in a day (UTC).
        budget_monthly: Dollars in a month (UTC).
        budget_total: Dollars in all.
        requests_per_minute: Requests in any 60 seconds.
        tokens_per_minute: Tokens of prompts and answers in any 60 seconds.
    """

    key: str
    label: str
    budget_daily: float | None = None
    budget_monthly: float | None = None
    budget_total: float | None = None
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None

    def limits(self) -> Iterator[Limit]:
        """Yield the limits."""
        minute = Period.MINUTE
        yield from self._limit(Metric.REQUESTS, minute, self.requests_per_minute, SuspensionReason.REQUEST_LIMIT)
        yield from self._limit(Metric.TOKENS, minute, self.tokens_per_minute, SuspensionReason.TOKEN_LIMIT)
        for period, dollars in (
            (Period.DAY, self.budget_daily),
            (Period.MONTH, self.budget_monthly),
            (Period.TOTAL, self.budget_total),
        ):
            amount = None if dollars is None else round(dollars * NANO)
            for limit in self._limit(Metric.COST, period, amount, SuspensionReason.BUDGET_EXCEEDED):
                yield evolve(limit, alert=ALERT_SHARE)

    def _limit(self, metric: Metric, period: Period, amount: int | None, reason: SuspensionReason) -> Iterator[Limit]:
        if amount is not None:
            window, error = Window(period), OnExhausted.ERROR
            yield Limit(self.key, metric, amount, window, reason, on_exhausted=error, caller=self.label)
