"""What is counted against a limit: requests, tokens, money. Amounts are whole: money in nano-dollars."""

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
    """What is counted."""

    REQUESTS = "requests"
    TOKENS = "tokens"
    COST = "cost"
    """Nano-dollars."""


class OnExhausted(StrEnum):
    """What happens to a request that does not fit."""

    ROTATE = "rotate"
    ERROR = "error"


class Reserve(StrEnum):
    """What a budget reserves for an attempt that is under way."""

    ESTIMATE = "estimate"
    """What it will probably cost."""

    MAXIMUM = "maximum"
    """The most that it can cost."""


@frozen
class Limit:
    """A limit.

    Attributes:
        key: Names what it is counted for, e.g. ``provider:groq`` or ``model:groq/llama-3.3-70b``.
        metric: What is counted.
        amount: How much of it there is in a window.
        window: When it begins anew.
        reason: Why something is withheld once it is spent.
        on_exhausted: What happens to a request that does not fit.
        enforce: Whether anything is withheld or refused; else it is only counted.
        alert: Share of the limit at which somebody is told, ``None`` for never.
        unknown_price: Whether a request whose price is unknown may be paid from it.
        source: Where the limit was read, for dated facts of a vendor.
        reserve: What a budget reserves for an attempt under way.
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

    @property
    def name(self) -> str:
        """Names the count in a stored state."""
        return f"{self.key}:{self.metric.value}:{self.window.period.value}"

    def __str__(self) -> str:
        return f"{self.format_amount(self.amount)} {self.window}"

    def format_amount(self, amount: int) -> str:
        """Write an amount for people."""
        return nano_dollars(amount) if self.metric is Metric.COST else f"{amount} {self.metric.value}"


@define(eq=False)
class LimitCounter:
    """How much of one limit is spent.

    Attributes:
        limit: The limit.
        targets: Models and provider accounts that are suspended while it is exhausted.
        used: Spent in this window.
        reserved: Held for attempts under way.
        ends: When the window ends, Unix seconds; of one that slides, the piece of it that others count in too.
        alerted: Whether the alert of this window was given.
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
        span = self.limit.window.sliding
        self._log = SlidingLog(span) if span else None

    def advance_window(self, when: float) -> None:
        """Begin anew when the window is over."""
        if self._log is not None:
            self._log.forget(when)
            self.used, self.ends = self._log.total, self._log.piece(when)
        elif when >= self.ends:
            if self.ends:
                self.used, self.alerted = 0, False
            self.ends = self.limit.window.end(when)

    @property
    def bucket(self) -> str:
        """Names the count that others add to as well, in a store that several processes share; empty where there is none."""
        return "" if self.limit.window.period is Period.REQUEST else self._bucket(self.ends)

    @property
    def buckets(self) -> tuple[str, ...]:
        """Names every such count that the window reaches into."""
        if self._log is None:
            return (self.bucket,) if self.bucket else ()
        return (self._bucket(self.ends - self._log.span), self.bucket)

    def _bucket(self, ends: float) -> str:
        return f"{self.limit.name}@{'' if math.isinf(ends) else int(ends)}"

    @property
    def remaining(self) -> int:
        """What may still be reserved."""
        return max(self.limit.amount - self.used - self.reserved, 0)

    @property
    def exhausted(self) -> bool:
        """Whether nothing is left of a limit above zero; one of zero lets through what costs nothing.

        Money that is only reserved is not spent: an attempt usually costs less.
        """
        reserved = 0 if self.limit.metric is Metric.COST else self.reserved
        return self.used + reserved >= self.limit.amount > 0

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to remember; what a window has slid past is still in the sum of a piece."""
        return not (self.used or self.reserved or (self._log is not None and self._log.saved()))

    def fits(self, amount: int, *, released: bool = False) -> bool:
        """Whether an amount may be reserved; with ``released``, as if nothing were reserved yet."""
        return amount == 0 or self.used + (0 if released else self.reserved) + amount <= self.limit.amount

    def resets_at(self, when: float) -> float:
        """Return when there will be more of it, Unix seconds."""
        if self._log is None:
            return self.ends
        if self._log.oldest is None:  # what is reserved is spent now at the earliest
            return when + self._log.span if self.reserved else when
        return self._log.oldest + self._log.span

    def add(self, amount: int, when: float) -> None:
        """Count what was spent."""
        if self._log is None:
            self.used += amount
        else:
            self._log.add(amount, when)
            self.used = self._log.total

    def reset(self) -> dict[str, int]:
        """Begin anew by hand; return what was spent, by name of the count."""
        if self._log is None:
            spent = {self.bucket: self.used}
        else:
            spent = {self._bucket(ends): amount for ends, amount in self._log.pieces(self.ends)}
            self._log.clear()
        self.used, self.alerted = 0, False
        return spent

    # -- what other processes count ---------------------------------------------------------------------------------

    def note_published(self, bucket: str, amount: int) -> None:
        """Hear that others are told of what is reserved; of what was told before when the amount is below zero."""
        told = self._published.get(bucket, 0) + amount
        if told:
            self._published[bucket] = told
        else:
            self._published.pop(bucket, None)

    def apply_totals(self, totals: Mapping[str, int], when: float) -> int | None:
        """Take what everybody together has reserved and spent.

        Args:
            totals: By name of the count.
            when: Unix seconds.

        Returns:
            What that comes to in this window, ``None`` when it is not among the totals.
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
                self._log.settle(ends, max(totals[bucket] - self._published.get(bucket, 0), 0), when)
        self._log.forget(when)
        self.used = self._log.total
        return self.used + self.reserved

    # -- between runs -----------------------------------------------------------------------------------------------

    def saved(self) -> dict[str, Any]:
        """Return the count as plain data."""
        kept: dict[str, Any] = {"used": self.used + self.reserved, "ends": None if math.isinf(self.ends) else self.ends}
        if self.alerted:
            kept["alerted"] = True
        if self._log is not None and (log := self._log.saved()):
            kept["log"] = log
        return kept

    def restore(self, saved: Mapping[str, Any], when: float) -> None:
        """Take up a count of an earlier run, unless its window is over."""
        if self._log is not None:
            self._log.restore(saved.get("log") or (), when)
            self.used, self.ends = self._log.total, self._log.piece(when)
        else:
            ends = math.inf if saved.get("ends") is None else float(saved["ends"])
            self.ends = self.limit.window.end(when)
            if ends >= self.ends:  # of this window, or of a later one: then the clock was set back, and what was spent is spent
                self.used += max(int(saved.get("used", 0)), 0)
                self.alerted = self.alerted or saved.get("alerted") is True
