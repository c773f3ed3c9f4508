"""The table of results as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from row import MICROSECONDS, RATIO, Result

HEADINGS = ("what", "median", "least … greatest", "goal", "")
VERDICTS = {None: "", True: "met", False: "not met"}


def number(value: float | None, unit: str) -> str:
    """Return a value with its unit."""
    if value is None:
        return "-"
    if unit == RATIO:
        return f"{value:.2f}×" if value < 10 else f"{value:.1f}×"
    name = "µs" if unit == MICROSECONDS else unit
    return f"{value:.0f} {name}" if abs(value) >= 100 else f"{value:.1f} {name}"


def cells(one: Result) -> tuple[str, str, str, str, str]:
    """Return a result as the cells of a line."""
    goal = goal_text(one.goal, one.unit, more_is_better=one.more_is_better)
    if one.skipped:
        return one.title, "skipped", one.skipped, goal, ""
    spread = f"{number(one.low, one.unit)} … {number(one.high, one.unit)}"
    return one.title, number(one.value, one.unit), spread, goal, VERDICTS[one.met]


def goal_text(goal: float | None, unit: str, *, more_is_better: bool) -> str:
    """Return the bound of a row, or an empty text."""
    if goal is None:
        return ""
    name = "×" if unit == RATIO else f" {'µs' if unit == MICROSECONDS else unit}"
    return f"{'≥' if more_is_better else '≤'} {goal:g}{name}"


def show(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table, with rich where it is installed."""
    try:
        from rich.console import Console  # noqa: PLC0415 - it need not be there
        from rich.table import Table  # noqa: PLC0415
    except ImportError:
        widths = [max(len(row[place]) for row in [headings, *rows]) for place in range(len(headings))]
        for row in [headings, *rows]:
            print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        return
    console = Console()
    table = Table(*headings)
    for row in rows:
        table.add_row(*row, style="red" if row[-1] in {"not met", "worse"} else None)
    Console(width=None if console.is_terminal else 160).print(table)


def facts_line(facts: dict[str, Any]) -> str:
    """Return date, machine and versions as a text."""
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items() if version)
    machine = f"{facts['python']} on {facts['system']}, {facts['cores']} cores, {facts['cpu']}"
    return f"{facts['date']}, {machine}, load {facts['load']}, calibration {facts['calibration_ms']} ms.\n{versions}"
