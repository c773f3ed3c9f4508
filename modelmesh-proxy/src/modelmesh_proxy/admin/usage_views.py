"""Usage of a mesh as plain data, of one process and of all workers together."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from modelmesh import ModelMesh
    from modelmesh._engine.telemetry.usage_entry import UsageEntry

Usage = dict[str, Any]
PERIODS = ("today", "this_month", "total")
GROUPS = ("by_provider", "by_model")


def usage_of(mesh: ModelMesh) -> Usage:
    """Return the usage of the day, the month and in all, and of each provider and model."""
    usage = mesh.usage
    found: Usage = {name: entry_facts(getattr(usage, name)) for name in PERIODS}
    for name in GROUPS:
        found[name] = [{"name": key, **entry_facts(entry)} for key, entry in sorted(getattr(usage, name).items())]
    return found


def entry_facts(entry: UsageEntry) -> dict[str, Any]:
    """Return the totals of one entry."""
    return {
        "requests": entry.total_requests,
        "prompt_tokens": entry.prompt_tokens,
        "completion_tokens": entry.completion_tokens,
        "cost_usd": entry.total_cost,
        "requests_without_price": entry.unpriced_requests + entry.unknown_usage_requests + entry.unknown_cost_attempts,
        "requests_estimated": entry.estimated_requests,
    }


def add(own: Usage, others: Sequence[Usage]) -> None:
    """Add the usage of other workers since their start to that of this one."""
    for other in others:
        for period in PERIODS:
            _add(own[period], other[period], 1)
        for group in GROUPS:
            if group in own:
                rows = {row["name"]: row for row in own[group]}
                for row in other[group]:
                    if row["name"] in rows:
                        _add(rows[row["name"]], row, 1)
                    else:
                        rows[row["name"]] = dict(row)
                own[group] = [rows[name] for name in sorted(rows)]


class UsageBaseline:
    """Usage that a worker restored at its start, which every worker has and which counts once."""

    def __init__(self, mesh: ModelMesh) -> None:
        self._usage, self._day = usage_of(mesh), _day()

    def usage(self, mesh: ModelMesh) -> Usage:
        """Return the usage of this process since its start."""
        now, day = usage_of(mesh), _day()
        valid = {"today": day == self._day, "this_month": day[:7] == self._day[:7], "total": True}
        for period in PERIODS:
            if valid[period]:
                _add(now[period], self._usage[period], -1)
        for group in GROUPS:
            before = {row["name"]: row for row in self._usage[group]}
            for row in now[group]:
                _add(row, before.get(row["name"], {}), -1)
        return now


def _add(to: dict[str, Any], what: Mapping[str, Any], sign: int) -> None:
    for name, value in what.items():
        if name != "name":
            to[name] = max(0, to[name] + sign * value)


def _day() -> str:
    return time.strftime("%Y-%m-%d", time.gmtime())
