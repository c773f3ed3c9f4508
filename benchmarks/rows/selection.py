"""Rows of routing and selection."""

from __future__ import annotations

from comparisons import alone, ratio
from row import MILLISECONDS, Row

from rows.group import Group

STRATEGIES = (
    "cost-first",
    "latency-first",
    "load-balanced",
    "priority-selection",
    "rate-limit-aware",
    "round-robin",
    "session-stickiness",
    "stick-until-failure",
)

_FIRST_CHOICE = tuple(
    Row(
        f"first_choice_{name}",
        f"{name}: first choice among 10,000 models",
        alone(f"selection.first_choice.{name}.10000", MILLISECONDS),
        goal=5,
    )
    for name in STRATEGIES
)


def _selection(name: str) -> tuple[Row, ...]:
    subjects = {size: f"{name}:selection.select.{name}.{size}" for size in (10, 1000, 10_000)}
    halves = {size: f"{name}:selection.select_half.{name}.{size}" for size in (10, 10_000)}
    return (
        *(Row(f"select_{name}_{size}", f"{name}: choice among {size:,} models", alone(one)) for size, one in subjects.items()),
        Row(f"select_{name}_flat", f"{name}: 10,000 models / 10 models", ratio(subjects[10_000], subjects[10]), goal=1.5),
        Row(f"select_{name}_half", f"{name}: the same, half of them in standby", ratio(halves[10_000], halves[10])),
    )


_SELECTION = tuple(row for name in STRATEGIES for row in _selection(name))

_ROUTING = (
    Row("routing_10", "routing one request among 10 models", alone("selection.route.10"), goal=60),
    Row("routing_10000", "routing one request among 10,000 models", alone("selection.route.10000"), goal=60),
    Row("routing_flat", "routing: 10,000 models / 10 models", ratio("selection.route.10000", "selection.route.10"), goal=1.5),
)

SELECTION = (
    Group("routing", _ROUTING),
    Group("selection", _SELECTION, longer=0.25),
    Group("first_choice", _FIRST_CHOICE),
)
