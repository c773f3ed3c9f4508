"""Rows of the table: what a row compares, its goal, and its result."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from rounds import Measured, Round

RATIO, MICROSECONDS, MILLISECONDS, KIB, MIB = "ratio", "us", "ms", "KiB", "MiB"


@dataclass(frozen=True)
class Goal:
    """Bound of a median.

    Attributes:
        bound: The bound.
        at_least: Whether it is a lower bound.
    """

    bound: float
    at_least: bool = False

    def is_met(self, value: float) -> bool:
        """Whether a value keeps to the bound."""
        return value >= self.bound if self.at_least else value <= self.bound


def at_most(bound: float) -> Goal:
    """Return an upper bound."""
    return Goal(bound)


def at_least(bound: float) -> Goal:
    """Return a lower bound."""
    return Goal(bound, at_least=True)


@dataclass(frozen=True)
class Comparison:
    """A figure that is computed within each round.

    Attributes:
        subjects: The subjects that it needs.
        value: Computes the figure of a round.
        unit: Its unit.
    """

    subjects: tuple[str, ...]
    value: Callable[[Round], float]
    unit: str = RATIO


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        id: A name that does not change.
        title: Text in the table.
        comparison: What it compares.
        goal: Bound of the median, or ``None`` for a row for information.
    """

    id: str
    title: str
    comparison: Comparison
    goal: Goal | None = None


@dataclass(frozen=True)
class Result:
    """The measured values of a row.

    Attributes:
        id: The row's ID.
        group: ID of the row's group.
        title: The row's title.
        unit: Unit of the values.
        goal: Bound, or ``None``.
        at_least: Whether the bound is a lower one.
        value: Median of the rounds, or ``None`` when the row was skipped.
        low: Least of the rounds.
        high: Greatest of the rounds.
        skipped: Why the row was skipped, else empty.
    """

    id: str
    group: str
    title: str
    unit: str
    goal: float | None
    at_least: bool
    value: float | None = None
    low: float | None = None
    high: float | None = None
    skipped: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the median meets the goal, or ``None`` without median or goal."""
        if self.value is None or self.goal is None:
            return None
        return Goal(self.goal, self.at_least).is_met(self.value)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {**asdict(self), "met": self.met}

    @classmethod
    def of(cls, data: dict[str, Any]) -> Result:
        """Read what :meth:`as_dict` returned, and ignore what else a file contains."""
        return cls(**{one.name: data[one.name] for one in fields(cls)})


def result(row: Row, group: str, measured: Measured) -> Result:
    """Summarise the rounds of a row."""
    goal, lower = (None, False) if row.goal is None else (row.goal.bound, row.goal.at_least)
    base = Result(row.id, group, row.title, row.comparison.unit, goal, lower)
    for name in row.comparison.subjects:
        if name in measured.missing:
            return replace(base, skipped=measured.missing[name])
    values = [row.comparison.value(one) for one in measured.rounds]
    return replace(base, value=statistics.median(values), low=min(values), high=max(values))
