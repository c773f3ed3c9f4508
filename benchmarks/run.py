"""Measure ModelMesh against its foundations on this machine: ``python benchmarks/run.py``.

The exit code is 0 unless the script fails. Targets are not enforced.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cases import CASES, calibration
from measure import FULL, QUICK, Effort, Result
from server import running

VERSIONED = ("modelmesh-core", "modelmesh-cdk", "httpx2", "openai", "msgspec")


def machine() -> dict[str, Any]:
    """Return the facts that a ratio may depend on."""
    versions = {name: _version(name) for name in VERSIONED}
    return {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": f"{platform.system()} {platform.machine()}",
        "cpu": _cpu(),
        "cpus": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "calibration_ms": round(calibration(), 2),
        "versions": versions,
    }


def _version(name: str) -> str | None:
    if name in sys.modules and sys.modules[name] is None:
        return None  # switched off
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def cells(one: Result) -> tuple[str, str, str, str, str]:
    """Return a line of the table as text."""
    spread = "-" if one.low is None else f"{_number(one.low, one.unit)} … {_number(one.high, one.unit)}"
    target = "(for information)" if one.target is None else f"<= {_number(one.target, one.unit)}"
    return one.title, _number(one.value, one.unit), spread, target, {None: "", True: "met", False: "not met"}[one.met]


def _number(value: float | None, unit: str) -> str:
    if value is None:
        return "-"
    return f"{value:.2f}" if unit == "ratio" else f"{value:.1f} µs"


HEADINGS = ("what", "median", "least … greatest", "target", "")


def show(results: list[Result], facts: dict[str, Any]) -> None:
    """Print the table and the facts."""
    rows = [cells(one) for one in results]
    try:
        from rich.console import Console  # noqa: PLC0415 - it need not be there
        from rich.table import Table  # noqa: PLC0415
    except ImportError:
        widths = [max(len(row[place]) for row in [HEADINGS, *rows]) for place in range(len(HEADINGS))]
        for row in [HEADINGS, *rows]:
            print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    else:
        table = Table(*HEADINGS)
        for row in rows:
            table.add_row(*row, style="red" if row[4] == "not met" else None)
        Console(width=None if sys.stdout.isatty() else 140).print(table)
    versions = ", ".join(f"{name} {version or 'not used'}" for name, version in facts["versions"].items())
    print(f"{facts['date']}  {facts['python']} on {facts['system']}, {facts['cpus']} CPUs, {facts['cpu']}")
    print(f"load {facts['load']}, calibration {facts['calibration_ms']} ms; {versions}")


def case_name(case: Callable[..., Any]) -> str:
    """Return ``selection`` of ``selection_cases``."""
    return case.__name__.removesuffix("_cases")


def run(effort: Effort, only: str | None = None) -> list[Result]:
    """Measure every case, or one of them."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]  # the openai SDK would read these variables, and the benchmarks need no network
    results = []
    with running() as url:
        for case in CASES:
            if only is not None and only != case_name(case):
                continue
            for one in case(url, effort):
                results.append(one)
                print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return results


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="little of everything, to see that it runs; the numbers say nothing")
    parser.add_argument("--rounds", type=int, help=f"rounds (default {FULL.rounds})")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there as well")
    parser.add_argument("--only", choices=[case_name(case) for case in CASES], help="measure nothing else")
    parser.add_argument("--without-msgspec", action="store_true", help="measure the mesh as it is without its extra 'fast'")
    arguments = parser.parse_args()
    if arguments.without_msgspec:
        sys.modules["msgspec"] = None  # type: ignore[assignment]  # the kit falls back to the standard library
    effort = QUICK if arguments.quick else FULL
    if arguments.rounds is not None:
        effort = Effort(arguments.rounds, effort.calls, effort.streams, effort.steps)
    facts = {"date": datetime.now(UTC).isoformat(timespec="minutes"), **machine()}
    results = run(effort, arguments.only)
    show(results, facts)
    if arguments.json is not None:
        data = {"quick": arguments.quick, "rounds": effort.rounds, **facts, "results": [one.as_dict() for one in results]}
        arguments.json.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
