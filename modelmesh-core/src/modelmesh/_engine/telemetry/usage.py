"""Usage tracker: requests, tokens and cost of a mesh, by model, provider, day and month."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from copy import copy
from threading import RLock
from typing import Any

from attrs import define, field

from modelmesh._engine.limits.window import Period, Window
from modelmesh._engine.telemetry.budget_status import BudgetStatus
from modelmesh._engine.telemetry.usage_entry import UsageEntry, count_tokens


@define
class PeriodUsage:
    """Usage of the current day or month.

    Attributes:
        began: Start of the period, Unix seconds.
        ends: Its end, 0 before the first use in this process.
        entry: Its totals.
    """

    began: float
    ends: float = 0.0
    entry: UsageEntry = field(factory=UsageEntry)


@define
class _Recent:
    """Usage of one model at its provider that is not in the totals yet, because nothing has read them since.

    Attributes:
        began: Start of the day, Unix seconds.
        ends: Its end.
        totals: Entries that the usage belongs to.
        pending: The usage.
    """

    began: float
    ends: float
    totals: tuple[UsageEntry, ...]
    pending: UsageEntry = field(factory=UsageEntry)


class UsageTracker:
    """Usage of a mesh since its creation or :meth:`reset`, or over all runs if state is stored. Days and months are UTC.

    ``total`` has every figure. The counts and ``total_cost`` of the tracker itself are shortcuts to it.
    """

    def __init__(self, now: Callable[[], float] = time.time, budgets: Callable[[], BudgetStatus | None] = lambda: None) -> None:
        """Start with all totals at 0.

        Args:
            now: Returns Unix seconds.
            budgets: Returns the status of the budgets.
        """
        self._now = now
        self._budgets = budgets
        self._lock = RLock()  # reentrant: garbage collection of a stream may record usage while this thread holds the lock
        self._total = UsageEntry()
        self._periods: dict[Period, PeriodUsage] = {}
        self._models: dict[str, UsageEntry] = {}
        self._providers: dict[str, UsageEntry] = {}
        self._recent: dict[tuple[str, str], _Recent] = {}

    # -- recording --------------------------------------------------------------------------------------------------

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
        tokens = None if usage is None else count_tokens(usage)
        with self._lock:
            self._pending(model, provider).add(tokens, nano_usd, estimated=estimated)

    def add_failed(self, model: str, provider: str, usage: Mapping[str, Any], nano_usd: int) -> None:
        """Count the tokens and cost of an attempt without an answer."""
        tokens = count_tokens(usage)
        with self._lock:
            self._pending(model, provider).charge(tokens, nano_usd)

    def add_unknown_cost(self, model: str, provider: str) -> None:
        """Count an attempt without an answer that the vendor may charge for, at an unknown amount."""
        with self._lock:
            self._pending(model, provider).unknown_cost_attempts += 1

    def reset(self) -> None:
        """Set all totals to 0."""
        with self._lock:
            self._total = UsageEntry()
            self._periods.clear()
            self._models.clear()
            self._providers.clear()
            self._recent.clear()

    def after_fork(self) -> None:
        """Take a new lock in a child process: another thread of the parent may have held it."""
        self._lock = RLock()

    def _pending(self, model: str, provider: str) -> UsageEntry:
        """Return the entry that receives the usage of a model at its provider until the day ends. A month ends with a day."""
        now = self._now()
        recent = self._recent.get((model, provider))
        if recent is None or not recent.began <= now < recent.ends:
            recent = self._begin(model, provider, now)
        return recent.pending

    def _begin(self, model: str, provider: str, now: float) -> _Recent:
        # An entry is created before it is looked up again: garbage collection may record usage meanwhile.
        of_model = self._models.get(model) or self._models.setdefault(model, UsageEntry())
        of_provider = self._providers.get(provider) or self._providers.setdefault(provider, UsageEntry())
        totals = self._total, of_model, of_provider, self._current(Period.DAY, now), self._current(Period.MONTH, now)
        day = self._periods[Period.DAY]
        return self._recent.setdefault((model, provider), _Recent(day.began, day.ends, totals))

    def _settle(self) -> None:
        """Add all usage to the totals, before they are read."""
        for recent in tuple(self._recent.values()):
            pending, recent.pending = recent.pending, UsageEntry()
            if pending != recent.pending:
                for entry in recent.totals:
                    entry.merge(pending)

    def _current(self, period: Period, now: float) -> UsageEntry:
        known = self._periods.get(period)
        # A calendar date is derived only outside of the known window: after its end, and after the clock was set back.
        if known is None or not known.began <= now < known.ends:
            self._settle()
            self._recent = {}
            window = Window(period)
            current = PeriodUsage(window.start(now), window.end(now))
            known = self._periods.get(period)
            if known is None or known.began != current.began:
                known = self._periods[period] = current
            known.ends = current.ends
        return known.entry

    # -- reading ----------------------------------------------------------------------------------------------------

    @property
    def total(self) -> UsageEntry:
        """Copy of the totals of everything."""
        with self._lock:
            self._settle()
            return copy(self._total)

    @property
    def today(self) -> UsageEntry:
        """Copy of the totals since midnight UTC."""
        with self._lock:
            self._settle()
            return copy(self._current(Period.DAY, self._now()))

    @property
    def this_month(self) -> UsageEntry:
        """Copy of the totals since the first of the month, UTC."""
        with self._lock:
            self._settle()
            return copy(self._current(Period.MONTH, self._now()))

    @property
    def by_model(self) -> dict[str, UsageEntry]:
        """Totals by model ID."""
        with self._lock:
            self._settle()
            return dict(self._models)

    @property
    def by_provider(self) -> dict[str, UsageEntry]:
        """Totals by provider key."""
        with self._lock:
            self._settle()
            return dict(self._providers)

    @property
    def total_requests(self) -> int:
        """Requests answered, in whole or in part. Streams that broke or were abandoned are included."""
        return self.total.total_requests

    @property
    def total_tokens(self) -> int:
        """Tokens as reported by the vendors, or else estimated."""
        return self.total.total_tokens

    @property
    def total_cost(self) -> float:
        """USD, of the requests with a known price."""
        return self.total.total_cost

    @property
    def estimated_requests(self) -> int:
        """Requests with estimated tokens and cost, in part or as a whole."""
        return self.total.estimated_requests

    @property
    def estimated_tokens(self) -> int:
        """Tokens of the estimated requests."""
        return self.total.estimated_tokens

    @property
    def unknown_usage_requests(self) -> int:
        """Requests without a report or an estimate of their tokens. The totals omit them."""
        return self.total.unknown_usage_requests

    @property
    def unpriced_requests(self) -> int:
        """Requests with known tokens and an unknown price. ``total_cost`` omits them."""
        return self.total.unpriced_requests

    @property
    def unknown_cost_attempts(self) -> int:
        """Attempts without an answer that the vendor may charge for, at an unknown amount."""
        return self.total.unknown_cost_attempts

    @property
    def daily_cost(self) -> float:
        """USD since midnight UTC, of the requests with a known price."""
        with self._lock:
            self._settle()
            return self._current(Period.DAY, self._now()).total_cost

    @property
    def monthly_cost(self) -> float:
        """USD since the first of the month, UTC, of the requests with a known price."""
        with self._lock:
            self._settle()
            return self._current(Period.MONTH, self._now()).total_cost

    @property
    def budget_status(self) -> BudgetStatus | None:
        """Spent and remaining budget, ``None`` when no budget is set."""
        return self._budgets()

    def summary(self) -> str:
        """Return the totals as text, one line for each model."""
        with self._lock:
            self._settle()
            lines = [self._total.summary("total"), *(entry.summary(f"  {model}") for model, entry in self._models.items())]
        return "\n".join(lines)

    # -- stored state -----------------------------------------------------------------------------------------------

    def saved(self) -> dict[str, Any]:
        """Return all totals as plain data for the stored state."""
        with self._lock:
            self._settle()
            return {
                "total": self._total.saved(),
                "models": {name: entry.saved() for name, entry in self._models.items()},
                "providers": {name: entry.saved() for name, entry in self._providers.items()},
                "periods": {period.value: {"began": one.began, **one.entry.saved()} for period, one in self._periods.items()},
            }

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Add the totals of earlier runs. The store may return them after requests were already counted."""
        with self._lock:
            self._total.merge(UsageEntry.restored(saved.get("total") or {}))
            for mine, theirs in ((self._models, saved.get("models")), (self._providers, saved.get("providers"))):
                for name, entry in (theirs or {}).items():
                    mine.setdefault(name, UsageEntry()).merge(UsageEntry.restored(entry))
            for name, entry in (saved.get("periods") or {}).items():
                kept = self._periods.setdefault(Period(name), PeriodUsage(float(entry["began"])))
                if kept.began == float(entry["began"]):
                    kept.entry.merge(UsageEntry.restored(entry))

    def __repr__(self) -> str:
        return f"<UsageTracker {self.total.summary('total')}>"
