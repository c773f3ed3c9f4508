"""Status of the budgets of a mesh."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from attrs import frozen

from modelmesh._engine.foundation.units import NANO
from modelmesh._engine.limits.counter import LimitCounter, Metric
from modelmesh._engine.limits.window import Period


@frozen
class BudgetStatus(Mapping[str, Any]):
    """Spent and remaining budget in USD. Fields are attributes and items alike.

    Of several budgets, the values are those of the one with the smallest remaining share. ``None`` where no such budget is
    set.

    Attributes:
        exceeded: Whether a budget is exhausted.
        alert: Whether a budget has passed its alert threshold.
        used: Spent amount.
        remaining: Remaining amount.
        daily_used: Spent amount of the daily budget.
        daily_limit: Amount of the daily budget.
        daily_remaining: Remaining amount of the daily budget.
        monthly_used: Spent amount of the monthly budget.
        monthly_limit: Amount of the monthly budget.
        monthly_remaining: Remaining amount of the monthly budget.
    """

    exceeded: bool
    alert: bool
    used: float
    remaining: float
    daily_used: float | None = None
    daily_limit: float | None = None
    daily_remaining: float | None = None
    monthly_used: float | None = None
    monthly_limit: float | None = None
    monthly_remaining: float | None = None

    @classmethod
    def of(cls, counters: Iterable[LimitCounter], when: float) -> BudgetStatus | None:
        """Summarize the limits on cost, ``None`` when there is none.

        Args:
            counters: Counters of all limits.
            when: Unix seconds.
        """
        counted = [m for m in counters if m.limit.metric is Metric.COST and m.limit.window.period is not Period.REQUEST]
        if not counted:
            return None
        for counter in counted:
            counter.advance_window(when)
        nearest = min(counted, key=_remaining_share)
        parts: dict[str, float] = {}
        for name, period in (("daily", Period.DAY), ("monthly", Period.MONTH)):
            of_period = [counter for counter in counted if counter.limit.window.period is period]
            if of_period:
                counter = min(of_period, key=_remaining_share)
                parts |= {f"{name}_used": counter.used / NANO, f"{name}_limit": counter.limit.amount / NANO}
                parts[f"{name}_remaining"] = max(counter.limit.amount - counter.used, 0) / NANO
        exceeded, alert = (
            any(state(counter) for counter in counted) for state in (_is_exhausted, lambda counter: counter.alerted)
        )
        left = max(nearest.limit.amount - nearest.used, 0)
        return cls(exceeded, alert, nearest.used / NANO, left / NANO, **parts)

    def __getitem__(self, key: str) -> Any:
        if key not in _FIELDS:
            raise KeyError(key)
        return getattr(self, key)

    def __iter__(self) -> Iterator[str]:
        return iter(_FIELDS)

    def __len__(self) -> int:
        return len(_FIELDS)


_FIELDS = tuple(attribute.name for attribute in BudgetStatus.__attrs_attrs__)


def _is_exhausted(counter: LimitCounter) -> bool:
    return counter.used >= counter.limit.amount


def _remaining_share(counter: LimitCounter) -> float:
    return (counter.limit.amount - counter.used) / counter.limit.amount if counter.limit.amount else 0.0
