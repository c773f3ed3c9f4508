"""Limits for people: of what, how much is spent, a bar, and when it begins anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from modelmesh.cli.rendering import GAP, NOTHING, table, widths
from modelmesh.cli.stored import shown_time
from modelmesh.cli.terminal import carries
from modelmesh.routing.prices import NANO

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

BAR = 20
HEADINGS = ("of", "what", "window", "used", "left", "limit", "", "begins anew")


def in_dollars(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of ``PoolInfo.left`` with its amounts in USD where they are money."""
    if row["metric"] != "cost":
        return dict(row)
    return {**row, "metric": "USD", **{name: row[name] / NANO for name in ("limit", "used", "left")}}


def limits_table(screen: Console, rows: Sequence[Mapping[str, Any]]) -> Table:
    """Make the table of some limits.

    Args:
        screen: Where it will be printed.
        rows: As of ``PoolInfo.left``.
    """
    cells = [_cells(in_dollars(row)) for row in rows]
    right = ("used", "left", "limit")
    if sum(widths(HEADINGS, cells)) + GAP * (len(HEADINGS) - 1) <= screen.width:
        return table(screen, HEADINGS, cells, right=right, whole=HEADINGS)
    bare = [(*row[:-2], row[-1]) for row in cells]  # the numbers say what the bar does
    return table(screen, (*HEADINGS[:-2], HEADINGS[-1]), bare, right=right, whole=HEADINGS[:-2])


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    kind, _, name = row["of"].partition(":")
    amounts = (_amount(row["metric"], row[column]) for column in ("used", "left", "limit"))
    resets = NOTHING if row["resets_at"] is None else shown_time(row["resets_at"])
    return (f"{kind} {name}".strip(), row["metric"], row["window"], *amounts, bar(row["used"], row["limit"]), resets)


def _amount(metric: str, amount: float) -> str:
    return f"${amount:.4f}" if metric == "USD" else str(amount)


def bar(used: float, limit: float) -> str:
    """Return how full something is: anything spent shows, and only what is all spent is full."""
    full, empty = ("█", "░") if carries("█░") else ("#", ".")
    share = min(used / limit, 1.0) if limit else 1.0
    filled = int(share * BAR) or (1 if used > 0 else 0)
    return full * filled + empty * (BAR - filled)
