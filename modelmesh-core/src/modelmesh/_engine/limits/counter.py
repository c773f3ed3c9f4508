"""Limits of requests, tokens and money, and the counter of each. Amounts are integers, money is in nano-dollars."""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from attrs import define, field, frozen

from modelmesh._engine.foundation.suspension_reasons import SuspensionReason
from modelmesh._engine.foundation.wording import nano_dollars
from modelmesh._engine.limits.sliding_window import SlidingLog
from modelmesh._engine.limits.suspension import SuspensionTarget
from modelmesh._engine.limits.window import Period, Window


class Metric(StrEnum):
    """Unit that a limit counts."""

    REQUESTS = "requests"
    TOKENS = "tokens"
    COST = "cost"
    """Nano-dollars."""


class OnExhausted(StrEnum):
    """Reaction to a request that does not fit a limit."""

    ROTATE = "rotate"
    ERROR = "error"


class Reserve(StrEnum):
    """Amount that a budget reserves for an attempt in flight."""

    ESTIMATE = "estimate"
    """Its expected cost."""

    MAXIMUM = "maximum"
    """Its maximum cost."""


@frozen
class Limit:
    """A quota, budget or cap.

    Attributes:
        key: Name of what it limits, e.g. ``provider:groq`` or ``model:groq/llama-3.3-70b``.
        metric: Its unit.
        amount: Permitted amount in a window.
        window: Its window.
        reason: Reason of the suspensions that it causes.
        on_exhausted: Reaction to a request that does not fit.
        enforce: Whether requests are refused and targets suspended. Otherwise it only counts.
        alert: Share of the amount at which an alert is published, ``None`` for never.
        unknown_price: Whether it permits a request without a known price.
        source: Source of the limit, for dated facts of a vendor.
        reserve: Amount that a budget reserves for an attempt in flight.
        caller: Name in messages of the token or team that it limits, empty for any other limit.
    """

    key: str
    metric: Metric
    amount: int
    window: Window
    reason: SuspensionReason
    on_exhausted: OnExhausted = OnExhausted.ROTATE
    enforce: bool = True
    alert: float | None = None
    unknown_price: bool = False
    source: str = ""
    reserve: Reserve = Reserve.ESTIMATE
    caller: str = ""

    @property
    def name(self) -> str:
        """Name of its counter in stored state."""
        return f"{self.key}:{self.metric.value}:{self.window.period.value}"

    def __str__(self) -> str:
        return f"{self.format_amount(self.amount)} {self.window}"

    def format_amount(self, amount: int) -> str:
        """Return an amount with its unit, for messages."""
        return nano_dollars(amount) if self.metric is Metric.COST else f"{amount} {self.metric.value}"


@define(eq=False)
class LimitCounter:
    """Counter of one limit.

    Attributes:
        limit: The limit.
        targets: Models and provider accounts that are suspended while it is exhausted.
        used: Amount used in this window.
        reserved: Amount reserved for attempts in flight.
        ends: End of the window, Unix seconds. Of a sliding window, the end of the current shared bucket.
        alerted: Whether the alert of this window was published.
    """

    limit: Limit
    targets: list[SuspensionTarget] = field(factory=list, repr=False)
    used: int = 0
    reserved: int = 0
    ends: float = 0.0
    alerted: bool = False
    _log: SlidingLog | None = field(init=False, repr=False)
    _published: dict[str, int] = field(factory=dict, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        span = self.limit.window.sliding_span
        self._log = SlidingLog(span) if span else None

    def advance_window(self, when: float) -> None:
        """Start a new window when this one is over."""
        log = self._log
        if log is not None:
            log.expire(when)
            self.used = log.total
            if not self.ends - log.span <= when < self.ends:
                self.ends = log.bucket_end(when)
        elif when >= self.ends:
            if self.ends:
                self.used, self.alerted = 0, False
            self.ends = self.limit.window.end(when)

    @property
    def bucket(self) -> str:
        """Name of the current bucket in a shared store, empty for a limit of each request."""
        return "" if self.limit.window.period is Period.REQUEST else self._bucket(self.ends)

    @property
    def buckets(self) -> tuple[str, ...]:
        """Names of the shared buckets that the window overlaps."""
        if self._log is None:
            return (self.bucket,) if self.bucket else ()
        return (self._bucket(self.ends - self._log.span), self.bucket)

    def _bucket(self, ends: float) -> str:
        return f"{self.limit.name}@{'' if math.isinf(ends) else int(ends)}"

    @property
    def remaining(self) -> int:
        """Amount that may still be reserved."""
        return max(self.limit.amount - self.used - self.reserved, 0)

    @property
    def exhausted(self) -> bool:
        """Whether nothing remains of a limit above zero. A limit of zero permits what costs nothing.

        Reserved money does not exhaust a budget, because an attempt usually costs less.
        """
        reserved = 0 if self.limit.metric is Metric.COST else self.reserved
        return self.used + reserved >= self.limit.amount > 0

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to store. Expired amounts still belong to the sum of a bucket."""
        return not (self.used or self.reserved or (self._log is not None and self._log.saved()))

    def fits(self, amount: int, *, released: bool = False) -> bool:
        """Return whether an amount may be reserved. ``released`` ignores what is reserved now."""
        return amount == 0 or self.used + (0 if released else self.reserved) + amount <= self.limit.amount

    def replace_limit(self, limit: Limit) -> None:
        """Apply another limit of the same unit and window."""
        self.limit = limit

    def correct_reserved(self, amount: int) -> None:
        """Set the reserved amount, after a recount of the attempts in flight."""
        self.reserved = amount

    def resets_at(self, when: float) -> float:
        """Return the time at which more becomes available, Unix seconds."""
        if self._log is None:
            return self.ends
        if self._log.oldest is None:  # reserved amounts are used now at the earliest
            return when + self._log.span if self.reserved else when
        return self._log.oldest + self._log.span

    def add(self, amount: int, when: float) -> None:
        """Add a used amount."""
        if self._log is None:
            self.used += amount
        else:
            self._log.add(amount, when)
            self.used = self._log.total

    @property
    def is_sliding(self) -> bool:
        """Whether amounts expire one by one instead of all at the end of a window."""
        return self._log is not None

    def correct_used(self, amount: int, when: float) -> None:
        """Add an amount that another mesh of this process counted. A negative one withdraws an earlier estimate."""
        if self._log is None:
            self.used = max(self.used + amount, 0)
        else:
            self.add(amount, when)

    def reset(self) -> dict[str, int]:
        """Reset by a manual step. Returns the used amounts by shared bucket."""
        if self._log is None:
            used = {self.bucket: self.used}
        else:
            used = {self._bucket(ends): amount for ends, amount in self._log.buckets(self.ends)}
            self._log.clear()
        self.used, self.alerted = 0, False
        return used

    # -- shared counts ----------------------------------------------------------------------------------------------

    def note_published(self, bucket: str, amount: int) -> None:
        """Note that a reserved amount was published. A negative amount withdraws an earlier one."""
        published = self._published.get(bucket, 0) + amount
        if published:
            self._published[bucket] = published
        else:
            self._published.pop(bucket, None)

    def apply_totals(self, totals: Mapping[str, int], when: float) -> int | None:
        """Apply the totals that all processes have reserved and used.

        Args:
            totals: Totals by shared bucket.
            when: Unix seconds.

        Returns:
            The total in this window, ``None`` when the totals do not contain it.
        """
        if self._log is None:
            total = totals.get(self.bucket)
            if total is not None:
                self.used = max(total - self.reserved, 0)
            return total
        known = [(self.ends - self._log.span, self.buckets[0]), (self.ends, self.bucket)]
        if not any(bucket in totals for _, bucket in known):
            return None
        for ends, bucket in known:
            if bucket in totals:
                self._log.set_bucket_total(ends, max(totals[bucket] - self._published.get(bucket, 0), 0), when)
        self._log.expire(when)
        self.used = self._log.total
        return self.used + self.reserved

    # -- stored state -----------------------------------------------------------------------------------------------

    def saved(self) -> dict[str, Any]:
        """Return the counter as plain data."""
        saved: dict[str, Any] = {"used": self.used + self.reserved, "ends": None if math.isinf(self.ends) else self.ends}
        if self.alerted:
            saved["alerted"] = True
        if self._log is not None and (log := self._log.saved()):
            saved["log"] = log
        return saved

    def restore(self, saved: Mapping[str, Any], when: float) -> None:
        """Restore the counter of an earlier run, unless its window is over."""
        if self._log is not None:
            self._log.restore(saved.get("log") or (), when)
            self.used, self.ends = self._log.total, self._log.bucket_end(when)
        else:
            ends = math.inf if saved.get("ends") is None else float(saved["ends"])
            self.ends = self.limit.window.end(when)
            if ends >= self.ends:  # of this window, or of a later one after the clock was set back
                self.used += max(int(saved.get("used", 0)), 0)
                self.alerted = self.alerted or saved.get("alerted") is True
