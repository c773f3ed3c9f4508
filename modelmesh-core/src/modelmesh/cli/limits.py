"""Tables of limits with used and remaining amounts, a bar, and the reset."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from modelmesh._engine.foundation.encodable import is_encodable
from modelmesh._engine.foundation.wording import dollars, moment
from modelmesh._engine.limits.forecasts import in_usd
from modelmesh.cli.rendering import GAP, NOTHING, print_lines, show, table, widths
from modelmesh.cli.stored_mesh import format_time

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

BAR = 20
HEADINGS = ("of", "what", "window", "used", "left", "limit", "", "resets")


def limits_table(screen: Console, rows: Sequence[Mapping[str, Any]]) -> Table:
    """Build the table of limits.

    Args:
        screen: The console that will print it.
        rows: Rows of ``PoolInfo.left``.
    """
    cells = [_cells(in_usd(row)) for row in rows]
    right = ("used", "left", "limit")
    if sum(widths(HEADINGS, cells)) + GAP * (len(HEADINGS) - 1) <= screen.width:
        return table(screen, HEADINGS, cells, right=right, whole=HEADINGS)
    bare = [(*row[:-2], row[-1]) for row in cells]  # without the bar
    return table(screen, (*HEADINGS[:-2], HEADINGS[-1]), bare, right=right, whole=HEADINGS[:-2])


def show_limits(screen: Console, rows: Sequence[Mapping[str, Any]]) -> None:
    """Print the limits. If the table is too wide, print only the tightest limit of each model or account.

    Args:
        screen: The console.
        rows: Rows of ``PoolInfo.left``.
    """
    cells = [_cells(in_usd(row)) for row in rows]
    bare = [row[:-2] + row[-1:] for row in cells]
    if sum(widths((*HEADINGS[:-2], HEADINGS[-1]), bare)) + GAP * (len(HEADINGS) - 2) <= screen.width:
        show(screen, limits_table(screen, rows))
        return
    tightest: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        known = tightest.get(row["of"])
        if known is None or _remaining_share(row) < _remaining_share(known):
            tightest[row["of"]] = row
    for row in tightest.values():
        of, what, window, used, _, limit, _, _ = _cells(in_usd(row))
        resets = NOTHING if row["resets_at"] is None else moment(row["resets_at"], time.time())
        amount = f"{used} of {limit}" + ("" if what == "USD" else f" {what}")
        print_lines(screen, f"{of}: {amount} per {window}, resets {resets}")
    if len(tightest) < len(rows):
        print_lines(screen, f"({len(rows) - len(tightest)} less used limits are not shown. --json shows all limits)")


def _remaining_share(row: Mapping[str, Any]) -> float:
    return row["left"] / row["limit"] if row["limit"] else 0.0


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    kind, _, name = row["of"].partition(":")
    amounts = (_amount(row["metric"], row[column]) for column in ("used", "left", "limit"))
    resets = NOTHING if row["resets_at"] is None else format_time(row["resets_at"])
    return (f"{kind} {name}".strip(), row["metric"], row["window"], *amounts, bar(row["used"], row["limit"]), resets)


def _amount(metric: str, amount: float) -> str:
    return dollars(amount) if metric == "USD" else str(amount)


def bar(used: float, limit: float) -> str:
    """Return a bar of the used share. Any use shows at least one block, and only an exhausted limit shows a full bar."""
    full, empty = ("█", "░") if is_encodable("█░") else ("#", ".")
    share = min(used / limit, 1.0) if limit else 1.0
    filled = int(share * BAR) or (1 if used > 0 else 0)
    return full * filled + empty * (BAR - filled)
