"""Rows of the table: what a row compares, its goal, and its result."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from rounds import Measured, Round

RATIO, MICROSECONDS, MILLISECONDS, KIB, MIB = "ratio", "us", "ms", "KiB", "MiB"


@dataclass(frozen=True)
class Comparison:
    """A figure that is computed within each round.

    Attributes:
        subjects: The subjects that it needs.
        value: Computes the figure of a round.
        unit: Its unit.
        more_is_better: Whether a goal is a lower bound.
    """

    subjects: tuple[str, ...]
    value: Callable[[Round], float]
    unit: str = RATIO
    more_is_better: bool = False


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        id: A name that does not change.
        title: Text in the table.
        comparison: What it compares.
        goal: Bound of the median, lower or upper as the comparison has it, or ``None`` for a row for information.
    """

    id: str
    title: str
    comparison: Comparison
    goal: float | None = None


@dataclass(frozen=True)
class Result:
    """The measured values of a row.

    Attributes:
        id: The row's ID.
        group: ID of the row's group.
        title: The row's title.
        unit: Unit of the values.
        goal: Bound, or ``None``.
        more_is_better: Whether the bound is a lower one.
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
    more_is_better: bool
    value: float | None = None
    low: float | None = None
    high: float | None = None
    skipped: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the median meets the goal, or ``None`` without median or goal."""
        if self.value is None or self.goal is None:
            return None
        return self.value >= self.goal if self.more_is_better else self.value <= self.goal

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {**asdict(self), "met": self.met}

    @classmethod
    def of(cls, data: dict[str, Any]) -> Result:
        """Read what :meth:`as_dict` returned, and ignore what else a file contains."""
        return cls(**{one.name: data[one.name] for one in fields(cls)})


def result(row: Row, group: str, measured: Measured) -> Result:
    """Summarise the rounds of a row."""
    base = Result(row.id, group, row.title, row.comparison.unit, row.goal, row.comparison.more_is_better)
    for name in row.comparison.subjects:
        if name in measured.missing:
            return replace(base, skipped=measured.missing[name])
    values = [row.comparison.value(one) for one in measured.rounds]
    return replace(base, value=statistics.median(values), low=min(values), high=max(values))
