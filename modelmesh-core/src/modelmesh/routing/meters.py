"""What is counted against a limit: requests, tokens, money. Amounts are whole: money in nano-dollars."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from attrs import define, field, frozen

from modelmesh.routing.calendar import Period, Window
from modelmesh.routing.circuits import Circuit, Reason
from modelmesh.routing.prices import NANO

GRAINS = 60
"""Into how many grains a sliding window is cut; what happens within one is kept as one."""


class Metric(StrEnum):
    """What is counted."""

    REQUESTS = "requests"
    TOKENS = "tokens"
    COST = "cost"
    """Nano-dollars."""


class OnSpent(StrEnum):
    """What happens to a request that does not fit."""

    ROTATE = "rotate"
    ERROR = "error"


@frozen
class Quota:
    """A limit.

    Attributes:
        key: Names what it is counted for, e.g. ``provider:groq`` or ``model:groq/llama-3.3-70b``.
        metric: What is counted.
        limit: How much of it there is in a window.
        window: When it begins anew.
        reason: Why something is withheld once it is spent.
        on_spent: What happens to a request that does not fit.
        enforce: Whether anything is withheld or refused; else it is only counted.
        alert: Share of the limit at which somebody is told, ``None`` for never.
        unknown_price: Whether a request whose price is unknown may be paid from it.
        source: Where the limit was read, for dated facts of a vendor.
    """

    key: str
    metric: Metric
    limit: int
    window: Window
    reason: Reason
    on_spent: OnSpent = OnSpent.ROTATE
    enforce: bool = True
    alert: float | None = None
    unknown_price: bool = False
    source: str = ""

    @property
    def name(self) -> str:
        """Names the count in a stored state."""
        return f"{self.key}:{self.metric.value}:{self.window.period.value}"

    def __str__(self) -> str:
        return f"{self.shown(self.limit)} {self.window}"

    def shown(self, amount: int) -> str:
        """Write an amount for people."""
        return f"${amount / NANO:.4g}" if self.metric is Metric.COST else f"{amount} {self.metric.value}"


@define(eq=False)
class Meter:
    """How much of one limit is spent.

    Attributes:
        quota: The limit.
        circuits: What is withheld when it is spent.
        used: Spent in this window.
        reserved: Held for attempts under way.
        ends: When the window ends, Unix seconds.
        alerted: Whether the alert of this window was given.
    """

    quota: Quota
    circuits: list[Circuit] = field(factory=list, repr=False)
    used: int = 0
    reserved: int = 0
    ends: float = 0.0
    alerted: bool = False
    _log: deque[tuple[float, int]] = field(factory=deque, init=False, repr=False)

    def roll(self, when: float) -> None:
        """Begin anew when the window is over."""
        if self.quota.window.sliding:
            oldest = when - self.quota.window.sliding
            while self._log and self._log[0][0] <= oldest:
                self.used = max(self.used - self._log.popleft()[1], 0)
        elif when >= self.ends:
            if self.ends:
                self.used, self.alerted = 0, False
            self.ends = self.quota.window.end(when)

    @property
    def bucket(self) -> str:
        """Names the count in a store that several processes share; empty for a window that slides, which each keeps itself."""
        window = self.quota.window
        if window.sliding or window.period is Period.REQUEST:
            return ""
        return f"{self.quota.name}@{'' if math.isinf(self.ends) else int(self.ends)}"

    @property
    def left(self) -> int:
        """What may still be reserved."""
        return max(self.quota.limit - self.used - self.reserved, 0)

    @property
    def spent(self) -> bool:
        """Whether nothing is left of a limit above zero; one of zero lets through what costs nothing."""
        return self.used + self.reserved >= self.quota.limit > 0

    def fits(self, amount: int) -> bool:
        """Whether an amount may be reserved."""
        return amount == 0 or self.used + self.reserved + amount <= self.quota.limit

    def resets(self, when: float) -> float:
        """Return when there will be more of it, Unix seconds."""
        if not self.quota.window.sliding:
            return self.ends
        return self._log[0][0] + self.quota.window.sliding if self._log else when

    def add(self, amount: int, when: float) -> None:
        """Count what was spent; an amount below zero takes back what was counted too much."""
        self.used = max(self.used + amount, 0)
        if not self.quota.window.sliding or not amount:
            return
        if self._log and when - self._log[-1][0] < self.quota.window.sliding / GRAINS:
            amount += self._log.pop()[1]  # kept to the later of the two times: nothing is forgotten too soon
        self._log.append((when, amount))

    def reset(self) -> None:
        """Begin anew by hand."""
        self.used, self.alerted = 0, False
        self._log.clear()

    # -- between runs -----------------------------------------------------------------------------------------------

    def saved(self) -> dict[str, Any]:
        """Return the count as plain data."""
        kept: dict[str, Any] = {"used": self.used + self.reserved, "ends": None if math.isinf(self.ends) else self.ends}
        if self.alerted:
            kept["alerted"] = True
        if self._log:
            kept["log"] = [list(pair) for pair in self._log]
        return kept

    def restore(self, saved: Mapping[str, Any], when: float) -> None:
        """Take up a count of an earlier run, unless its window is over."""
        log = saved.get("log")
        if self.quota.window.sliding:
            # What was spent later than now was spent: the clock was set back.
            pairs = [(min(float(at), when), int(amount)) for at, amount in log or ()]
            self._log.extendleft(reversed([pair for pair in pairs if when - self.quota.window.sliding < pair[0]]))
            self.used = sum(amount for _, amount in self._log)
        else:
            ends = math.inf if saved.get("ends") is None else float(saved["ends"])
            self.ends = self.quota.window.end(when)
            if ends >= self.ends:  # of this window, or of a later one: then the clock was set back, and what was spent is spent
                self.used += max(int(saved.get("used", 0)), 0)
                self.alerted = self.alerted or saved.get("alerted") is True
