"""Measurement of ratios: CPU time, interleaved rounds, the median of the rounds' ratios."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Effort:
    """The amount of work in a measurement.

    Attributes:
        rounds: Each subject is measured once in each.
        calls: Plain calls of a subject in a round.
        streams: Streams of a subject in a round.
        steps: Routed requests of a subject in a round.
    """

    rounds: int
    calls: int
    streams: int
    steps: int


FULL = Effort(rounds=11, calls=400, streams=30, steps=4000)
QUICK = Effort(rounds=3, calls=30, streams=3, steps=300)


@dataclass(frozen=True)
class Result:
    """One line of the table.

    Attributes:
        id: A name that does not change.
        title: Text in the table.
        value: Median over the rounds; ``None`` when a peer is not installed.
        low: Least of the rounds.
        high: Greatest of the rounds.
        unit: ``ratio`` or ``us``.
        target: Upper bound of the value, or ``None`` without a target.
    """

    id: str
    title: str
    value: float | None
    low: float | None = None
    high: float | None = None
    unit: str = "ratio"
    target: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether the value meets the target, or ``None`` without value or target."""
        return None if self.value is None or self.target is None else self.value <= self.target

    def as_dict(self) -> dict[str, Any]:
        """Return the line as plain data."""
        return {**asdict(self), "met": self.met}


Subject = Callable[[int], None]
"""A function that repeats its work a number of times."""

Rounds = list[dict[str, float]]
"""CPU seconds per repetition, by subject and round."""


def measured(subjects: Mapping[str, Subject], times: int, rounds: int) -> Rounds:
    """Measure subjects in turn, each round starting with another, so that a drift of the machine affects all.

    Args:
        subjects: The subjects by name.
        times: Repetitions of each subject in a round.
        rounds: Number of rounds.

    Returns:
        CPU seconds (user and system, of this process) of one repetition.
    """
    names = list(subjects)
    for subject in subjects.values():
        subject(max(times // 10, 2))  # connections, caches, lazy imports
    found: Rounds = []
    for turn in range(rounds):
        costs = {}
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            gc.collect()
            began = time.process_time()
            subjects[name](times)
            costs[name] = (time.process_time() - began) / times
        found.append(costs)
    return found


def result(id_: str, title: str, values: list[float], **more: Any) -> Result:
    """Summarise the rounds of one line."""
    return Result(id_, title, statistics.median(values), min(values), max(values), **more)
