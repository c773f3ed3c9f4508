"""Tables of the last committed run of the benchmarks: the only performance figures of the documentation."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from markdown import table

RESULTS = Path(__file__).resolve().parents[2] / "benchmarks" / "results"
PROXY = RESULTS / "proxy"
OF_STRATEGIES = ("selection", "first_choice")
"""Groups of rows about strategies, which have tables of their own."""

SELECTION = re.compile(r"select_(?P<strategy>[\w-]+?)_(?P<what>10|1000|10000|flat|half)")
SELECTION_COLUMNS = {
    "10": "among 10",
    "1000": "among 1,000",
    "10000": "among 10,000",
    "flat": "10,000 / 10",
    "half": "the same, half of them in standby",
}


@cache
def last_run(folder: Path = RESULTS) -> dict[str, Any]:
    """Return the newest run by the date in its file's name."""
    data: dict[str, Any] = json.loads(max(folder.glob("*.json")).read_text("utf-8"))
    return data


def goals(_before: str) -> str:
    """Return the rows that have a goal, without those of strategies."""
    return _rows([one for one in _results() if one["goal"] is not None and one["group"] not in OF_STRATEGIES])


def results(_before: str) -> str:
    """Return all rows, without those of strategies."""
    return _rows([one for one in _results() if one["group"] not in OF_STRATEGIES])


def proxy(_before: str) -> str:
    """Return the rows of the proxy against other gateways."""
    return _rows([one for one in last_run(PROXY)["results"] if not one["skipped"]])


def conditions(_before: str) -> str:
    """Return date, machine and versions of the run."""
    return _conditions(last_run())


def proxy_conditions(_before: str) -> str:
    """Return date, machine and versions of the run of the proxy."""
    return _conditions(last_run(PROXY))


def _conditions(run: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in run["versions"].items() if version)
    machine = f"{run['python']}, {run['system']}, {run['cores']} cores ({run['cpu']})"
    effort = "a smoke test (the figures mean nothing)" if run["quick"] else f"medians of {run['rounds']} rounds"
    return f"Measured {run['date'][:10]}: {effort}, {machine}, load {run['load']}. Versions: {versions}.\n"


def selection(_before: str) -> str:
    """Return the cost of a selection by each strategy: medians, and the extremes of the ratios."""
    cells: dict[str, dict[str, str]] = {}
    for one in _results():
        match = SELECTION.fullmatch(one["id"])
        if match:
            median, spread = one["cells"][1:3]
            text = f"{median} ({spread})" if one["unit"] == "ratio" else median
            cells.setdefault(match["strategy"], {})[match["what"]] = "skipped" if one["skipped"] else text
    rows = [
        f"| {name} | " + " | ".join(found.get(what, "") for what in SELECTION_COLUMNS) + " |" for name, found in cells.items()
    ]
    return table(("strategy", *SELECTION_COLUMNS.values()), rows)


def first_choice(_before: str) -> str:
    """Return the cost of the first choice by each strategy."""
    found = [one for one in _results() if one["id"].startswith("first_choice_")]
    rows = [f"| {one['id'].removeprefix('first_choice_')} | {one['cells'][1]} |" for one in found]
    return table(("strategy", "first choice among 10,000 models"), rows)


def _results() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = last_run()["results"]
    return found


def _rows(chosen: list[dict[str, Any]]) -> str:
    return table(("what", "median", "least … greatest", "goal", ""), [f"| {' | '.join(one['cells'])} |" for one in chosen])
