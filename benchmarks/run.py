"""Measure ModelMesh against raw HTTP clients, vendors' SDKs and litellm on this machine.

Examples:
  python benchmarks/run.py                              all rows, about ten minutes
  python benchmarks/run.py --only sync_call in_flight   one row, and one group of rows
  python benchmarks/run.py --quick                      a smoke test, the figures mean nothing
  python benchmarks/run.py --litellm VENV/bin/python    with an environment that has litellm
  python benchmarks/run.py --json benchmarks/results/2026-11-30.json

The exit code is 0 unless the command fails. Missed goals do not change it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import compare
import results
from machine import allow_many_connections, facts
from rounds import FULL, QUICK, Effort, measure
from row import Result, Row, result
from rows import GROUPS, Group
from table import HEADINGS, cells, facts_line, goal_text, show
from upstream.process import running
from workers import Environment


def selected(only: Sequence[str]) -> list[tuple[Group, list[Row]]]:
    """Return the groups and rows that some names select: IDs of groups and rows. Without names: all.

    Raises:
        ValueError: A name is unknown.
    """
    known = {name for group in GROUPS for name in (group.id, *(row.id for row in group.rows))}
    if unknown := [name for name in only if name not in known]:
        message = f"unknown rows: {', '.join(unknown)}. --list prints all names."
        raise ValueError(message)
    found = []
    for group in GROUPS:
        rows = [row for row in group.rows if not only or row.id in only or group.id in only]
        if rows:
            found.append((group, rows))
    return found


def run(chosen: Sequence[tuple[Group, list[Row]]], effort: Effort, litellm: str | None) -> Iterator[Result]:
    """Measure the groups in turn."""
    with running() as url, TemporaryDirectory() as folder:
        environment = Environment(url, folder, litellm)
        for place, (group, rows) in enumerate(chosen):
            subjects = list(dict.fromkeys(name for row in rows for name in row.comparison.subjects))

            def progress(text: str, title: str = f"[{place + 1}/{len(chosen)}] {group.id}") -> None:
                print(f"{title}: {text}", file=sys.stderr, flush=True)

            longer = Effort(effort.rounds, effort.turn * group.longer)
            measured = measure(subjects, environment, longer, fresh=group.fresh, progress=progress)
            yield from (result(row, group.id, measured) for row in rows)


def print_comparison(file: Path, found: Iterable[Result]) -> None:
    """Print the changes since the run in a file."""
    earlier, before = results.read(file)
    print(f"\nCompared with {file.name} ({earlier['date']}, load {earlier['load']}):")
    show(compare.HEADINGS, compare.changes(before, found))


def parser() -> argparse.ArgumentParser:
    """Return the arguments of the command."""
    head, _, examples = (__doc__ or "").partition("\n\n")
    formatter = argparse.RawDescriptionHelpFormatter
    made = argparse.ArgumentParser(description=head, epilog=examples, formatter_class=formatter)
    made.add_argument("--only", nargs="+", default=[], metavar="NAME", help="measure these rows or groups of rows only")
    made.add_argument("--list", action="store_true", help="print the names of groups and rows, and their goals")
    made.add_argument("--quick", action="store_true", help="one short round, to see that it runs. The figures mean nothing")
    made.add_argument("--rounds", type=int, metavar="N", help=f"rounds (default {FULL.rounds})")
    made.add_argument("--litellm", metavar="PYTHON", help="interpreter of an environment with litellm")
    made.add_argument("--json", type=Path, metavar="FILE", help="write the results to this file")
    made.add_argument("--compare", type=Path, metavar="FILE", help="compare with this run instead of the last committed one")
    return made


def main() -> None:
    """Read the arguments, measure, and print."""
    command = parser()
    arguments = command.parse_args()
    try:
        chosen = selected(arguments.only)
    except ValueError as error:
        command.error(str(error))
    if arguments.list:
        for group, rows in chosen:
            print(group.id)
            for row in rows:
                goal = goal_text(row.goal, row.comparison.unit, more_is_better=row.comparison.more_is_better)
                print(f"  {row.id:32} {row.title}  {goal}".rstrip())
        return
    effort = QUICK if arguments.quick else FULL
    if arguments.rounds is not None:
        effort = Effort(arguments.rounds, effort.turn)
    allow_many_connections()
    machine = facts(arguments.litellm)
    found = list(run(chosen, effort, arguments.litellm))
    show(HEADINGS, [cells(one) for one in found])
    print(facts_line(machine))
    if arguments.json is not None:
        results.write(arguments.json, {"quick": arguments.quick, "rounds": effort.rounds, **machine}, found)
    earlier = arguments.compare or results.newest(besides=arguments.json)
    if earlier is not None:
        print_comparison(earlier, found)


if __name__ == "__main__":
    main()
