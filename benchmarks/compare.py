"""Comparison of a run with an earlier one."""

from __future__ import annotations

from collections.abc import Iterable

from row import Result
from table import number

HEADINGS = ("what", "before → now", "change", "")


def changes(before: Iterable[Result], now: Iterable[Result]) -> list[tuple[str, str, str, str]]:
    """Return a line for each row that both runs measured. A change is marked if the rounds of the two runs do not overlap."""
    known = {one.id: one for one in before if one.value is not None}
    lines = []
    for one in now:
        earlier = known.get(one.id)
        if earlier is None or one.value is None or earlier.value is None:
            continue
        values = f"{number(earlier.value, one.unit)} → {number(one.value, one.unit)}"
        percent = f"{(one.value / earlier.value - 1) * 100:+.0f} %" if earlier.value else ""
        lines.append((one.title, values, percent, _mark(earlier, one)))
    return lines


def _mark(before: Result, now: Result) -> str:
    assert before.low is not None
    assert before.high is not None
    assert now.low is not None
    assert now.high is not None
    if now.low <= before.high and before.low <= now.high:
        return ""
    grew = now.low > before.high
    return "better" if grew == now.more_is_better else "worse"
