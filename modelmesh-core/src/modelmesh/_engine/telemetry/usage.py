"""What was used and what it cost. Money is whole nano-dollars inside, so that sums are exact."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import copy
from threading import RLock
from typing import Any

from attrs import define, field, frozen

from modelmesh._engine.foundation.units import NANO
from modelmesh._engine.limits.counter import LimitCounter, Metric
from modelmesh._engine.limits.window import Period, Window
from modelmesh.contracts.usage import reported_tokens


@define
class UsageEntry:
    """Totals of one model, one provider, or everything.

    Tokens and costs are those of answers, of streams that broke or were left early, and of failed attempts whose usage the vendor
    reported.

    Attributes:
        total_requests: Requests answered, in whole or in part.
        prompt_tokens: As the vendors reported them; estimated where they did not.
        completion_tokens: As the vendors reported them; estimated where they did not.
        estimated_requests: Requests whose tokens and cost are an estimate, in part or as a whole.
        estimated_tokens: Tokens of those requests.
        unknown_usage_requests: Requests of which neither a report nor an estimate exists; the totals leave them out.
        unpriced_requests: Requests whose tokens are counted and whose price is unknown; ``total_cost`` leaves them out.
        unsettled_attempts: Attempts without an answer that a vendor may charge for, nobody knows how much.
    """

    total_requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    estimated_requests: int = 0
    estimated_tokens: int = 0
    unknown_usage_requests: int = 0
    unpriced_requests: int = 0
    unsettled_attempts: int = 0
    _nano_usd: int = field(default=0, alias="nano_usd")

    @property
    def total_tokens(self) -> int:
        """Prompt and completion tokens."""
        return self.prompt_tokens + self.completion_tokens

    @property
    def total_cost(self) -> float:
        """USD, of the requests whose price is known."""
        return self._nano_usd / NANO

    def add(self, usage: Mapping[str, Any] | None, nano_usd: int | None, *, estimated: bool = False) -> None:
        """Count one answered request."""
        self.total_requests += 1
        if nano_usd is None and usage is None:
            self.unknown_usage_requests += 1
        elif nano_usd is None:
            self.unpriced_requests += 1
        before = self.total_tokens
        self.charge(usage, nano_usd)
        if estimated:
            self.estimated_requests += 1
            self.estimated_tokens += self.total_tokens - before

    def charge(self, usage: Mapping[str, Any] | None, nano_usd: int | None) -> None:
        """Count what an attempt took, and no request."""
        for name in ("prompt_tokens", "completion_tokens"):
            setattr(self, name, getattr(self, name) + (reported_tokens((usage or {}).get(name)) or 0))
        self._nano_usd += nano_usd or 0

    def join(self, other: UsageEntry) -> None:
        """Count all that another has counted as well."""
        for name in _COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def saved(self) -> dict[str, int]:
        """Return the totals as plain data."""
        return {name.lstrip("_"): getattr(self, name) for name in _COUNTS}

    @classmethod
    def restored(cls, saved: Mapping[str, Any]) -> UsageEntry:
        """Return totals of an earlier run; what is no count is taken for nothing."""
        counts = {name.lstrip("_"): saved.get(name.lstrip("_")) for name in _COUNTS}
        return cls(**{name: count for name, count in counts.items() if isinstance(count, int) and count >= 0})


_COUNTS = tuple(field.name for field in UsageEntry.__attrs_attrs__)


@frozen
class BudgetStatus(Mapping[str, Any]):
    """How much of the budgets is spent, USD; fields are attributes and items alike.

    Of several budgets the one that is nearest to its end speaks. ``None`` where no such limit is set.

    Attributes:
        exceeded: Whether nothing is left of one of them.
        alert: Whether one of them has passed its alert threshold.
        used: Of the budget nearest to its end.
        remaining: Of the budget nearest to its end.
        daily_used: Of the daily budget nearest to its end.
        daily_limit: The same.
        daily_remaining: The same.
        monthly_used: Of the monthly budget nearest to its end.
        monthly_limit: The same.
        monthly_remaining: The same.
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
        """Summarize what is counted in money, ``None`` when nothing is."""
        counted = [m for m in counters if m.quota.metric is Metric.COST and m.quota.window.period is not Period.REQUEST]
        if not counted:
            return None
        for counter in counted:
            counter.roll(when)
        nearest = min(counted, key=_share_left)
        parts: dict[str, float] = {}
        for name, period in (("daily", Period.DAY), ("monthly", Period.MONTH)):
            of_period = [counter for counter in counted if counter.quota.window.period is period]
            if of_period:
                counter = min(of_period, key=_share_left)
                parts |= {f"{name}_used": counter.used / NANO, f"{name}_limit": counter.quota.limit / NANO}
                parts[f"{name}_remaining"] = max(counter.quota.limit - counter.used, 0) / NANO
        exceeded, alert = (any(state(counter) for counter in counted) for state in (_is_spent, lambda counter: counter.alerted))
        left = max(nearest.quota.limit - nearest.used, 0)
        return cls(exceeded, alert, nearest.used / NANO, left / NANO, **parts)

    def __getitem__(self, key: str) -> Any:
        if key not in _STATUS:
            raise KeyError(key)
        return getattr(self, key)

    def __iter__(self) -> Iterator[str]:
        return iter(_STATUS)

    def __len__(self) -> int:
        return len(_STATUS)


_STATUS = tuple(field.name for field in BudgetStatus.__attrs_attrs__)


def _is_spent(counter: LimitCounter) -> bool:
    return counter.used >= counter.quota.limit


def _share_left(counter: LimitCounter) -> float:
    return (counter.quota.limit - counter.used) / counter.quota.limit if counter.quota.limit else 0.0


class UsageTracker:
    """Counts what a mesh answered since it was made or :meth:`reset`; with a state kept, over runs. Days are UTC."""

    def __init__(self, now: Callable[[], float] = time.time, budgets: Callable[[], BudgetStatus | None] = lambda: None) -> None:
        """Start at nothing.

        Args:
            now: Gives Unix seconds.
            budgets: Tells how much of the budgets is spent.
        """
        self._now = now
        self._budgets = budgets
        self._lock = RLock()  # as for statistics: a stream may be collected, and so counted, while it is held
        self._total = UsageEntry()
        self._periods: dict[Period, tuple[float, UsageEntry]] = {}
        self._models: dict[str, UsageEntry] = {}
        self._providers: dict[str, UsageEntry] = {}

    def add(
        self, model: str, provider: str, usage: Mapping[str, Any] | None, nano_usd: int | None, *, estimated: bool = False
    ) -> None:
        """Count one answered request.

        Args:
            model: ID of the model that answered.
            provider: Key of its provider.
            usage: Its tokens, ``None`` when unknown.
            nano_usd: Its cost, ``None`` when unknown.
            estimated: Whether the tokens are an estimate.
        """
        with self._lock:
            for entry in self._entries(model, provider):
                entry.add(usage, nano_usd, estimated=estimated)

    def add_failed(self, model: str, provider: str, usage: Mapping[str, Any], nano_usd: int) -> None:
        """Count what an attempt cost that brought no answer, where its vendor said."""
        with self._lock:
            for entry in self._entries(model, provider):
                entry.charge(usage, nano_usd)

    def after_fork(self) -> None:
        """Take a new lock in a child process; another thread may have held it."""
        self._lock = RLock()

    def add_unsettled(self, model: str, provider: str) -> None:
        """Count an attempt that brought no answer and that the vendor may charge for."""
        with self._lock:
            for entry in self._entries(model, provider):
                entry.unsettled_attempts += 1

    def _entries(self, model: str, provider: str) -> Iterator[UsageEntry]:
        yield self._total
        yield self._models.setdefault(model, UsageEntry())
        yield self._providers.setdefault(provider, UsageEntry())
        for period in (Period.DAY, Period.MONTH):
            yield self._of(period)

    def _of(self, period: Period) -> UsageEntry:
        began = Window(period).start(self._now())
        kept = self._periods.get(period)
        if kept is None or kept[0] != began:
            kept = self._periods[period] = (began, UsageEntry())
        return kept[1]

    @property
    def total_requests(self) -> int:
        """Requests answered, in whole or in part: streams that broke or were left early are among them."""
        return self._total.total_requests

    @property
    def total_tokens(self) -> int:
        """Tokens, as the vendors reported them; ``estimated_tokens`` of them are an estimate."""
        return self._total.total_tokens

    @property
    def estimated_requests(self) -> int:
        """Requests whose tokens and cost are an estimate, because the vendor did not report them."""
        return self._total.estimated_requests

    @property
    def estimated_tokens(self) -> int:
        """Tokens of the requests whose usage is an estimate."""
        return self._total.estimated_tokens

    @property
    def unknown_usage_requests(self) -> int:
        """Requests of which neither a report of the vendor nor an estimate exists."""
        return self._total.unknown_usage_requests

    @property
    def total_cost(self) -> float:
        """USD, of the requests whose price is known; ``unpriced_requests`` says how many are not."""
        return self._total.total_cost

    @property
    def unpriced_requests(self) -> int:
        """Requests whose price is unknown."""
        return self._total.unpriced_requests

    @property
    def by_model(self) -> dict[str, UsageEntry]:
        """Totals by model ID."""
        return dict(self._models)

    @property
    def by_provider(self) -> dict[str, UsageEntry]:
        """Totals by provider key."""
        return dict(self._providers)

    @property
    def daily_cost(self) -> float:
        """USD since midnight UTC, of the requests whose price is known."""
        with self._lock:
            return self._of(Period.DAY).total_cost

    @property
    def monthly_cost(self) -> float:
        """USD since the first of the month, UTC, of the requests whose price is known."""
        with self._lock:
            return self._of(Period.MONTH).total_cost

    @property
    def total(self) -> UsageEntry:
        """Totals of everything, as they are now."""
        with self._lock:
            return copy(self._total)

    @property
    def today(self) -> UsageEntry:
        """Totals since midnight UTC, as they are now."""
        with self._lock:
            return copy(self._of(Period.DAY))

    @property
    def this_month(self) -> UsageEntry:
        """Totals since the first of the month, UTC, as they are now."""
        with self._lock:
            return copy(self._of(Period.MONTH))

    @property
    def unsettled_attempts(self) -> int:
        """Attempts without an answer that a vendor may charge for."""
        return self._total.unsettled_attempts

    @property
    def budget_status(self) -> BudgetStatus | None:
        """How much of the budgets is spent, ``None`` when none is kept."""
        return self._budgets()

    def saved(self) -> dict[str, Any]:
        """Return everything counted as plain data."""
        with self._lock:
            return {
                "total": self._total.saved(),
                "models": {name: entry.saved() for name, entry in self._models.items()},
                "providers": {name: entry.saved() for name, entry in self._providers.items()},
                "periods": {period.value: {"began": began, **entry.saved()} for period, (began, entry) in self._periods.items()},
            }

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Go on from what an earlier run counted; a store that was down at the start tells of it later."""
        with self._lock:
            self._total.join(UsageEntry.restored(saved.get("total") or {}))
            for mine, theirs in ((self._models, saved.get("models")), (self._providers, saved.get("providers"))):
                for name, entry in (theirs or {}).items():
                    mine.setdefault(name, UsageEntry()).join(UsageEntry.restored(entry))
            for name, entry in (saved.get("periods") or {}).items():
                began, kept = self._periods.setdefault(Period(name), (float(entry["began"]), UsageEntry()))
                if began == float(entry["began"]):
                    kept.join(UsageEntry.restored(entry))

    def reset(self) -> None:
        """Begin again at nothing."""
        with self._lock:
            self._total = UsageEntry()
            self._periods.clear()
            self._models.clear()
            self._providers.clear()

    def summary(self) -> str:
        """Return the totals as text, a line for each model."""
        with self._lock:
            lines = [_line("total", self._total), *(_line(f"  {model}", entry) for model, entry in self._models.items())]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<UsageTracker {_line('total', self._total)}>"


def _line(name: str, entry: UsageEntry) -> str:
    estimated = f" ({entry.estimated_tokens} estimated)" if entry.estimated_requests else ""
    rest = [(entry.unpriced_requests, "of unknown price"), (entry.unknown_usage_requests, "of unknown usage")]
    unknown = "".join(f" and {_count(requests)} {what}" for requests, what in rest if requests)
    return f"{name}: {_count(entry.total_requests)}, {entry.total_tokens} tokens{estimated}, ${entry.total_cost:.6f}{unknown}"


def _count(requests: int) -> str:
    return "1 request" if requests == 1 else f"{requests} requests"
