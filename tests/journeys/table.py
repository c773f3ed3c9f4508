"""Print the table of failover between vendors: ``python tests/journeys/table.py``.

Every ordered pair of the thirteen vendors, in every way in which the first can fail, plain and streamed, sync and async: ten
requests to ``create("chat-completion")`` with two keys, the shipped catalogues and the shipped defaults. A cell is good when no
request failed and the first answer cost at most two calls that may be billed.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from cells import MOST_BILLABLE, REQUESTS, Cell, Found, all_cells, as_json, covering, names_without_address, run
from fakevendors import VENDORS, WAYS, Street
from operation_asks import ASKS
from operation_cells import FAILURES, all_operation_cells, covering_operation_cells, run_operation
from operation_cells import as_json as operation_as_json


def main() -> int:
    """Run the cells and print their results."""
    options = argparse.ArgumentParser(description="failover between every two vendors")
    options.add_argument("--first", action="append", choices=list(VENDORS), help="only where this vendor fails")
    options.add_argument("--second", action="append", choices=list(VENDORS), help="only where this vendor is healthy")
    options.add_argument("--way", action="append", choices=list(WAYS), help="only this way to fail")
    options.add_argument("--covering", action="store_true", help="the part that the gate runs")
    options.add_argument(
        "--operations", action="store_true", help="the operations other than chat, with two requests in each cell"
    )
    options.add_argument("--json", action="store_true", help="one line of JSON for each cell")
    given = options.parse_args()
    if given.operations:
        return _operations(given)
    cells = [
        cell
        for cell in (covering() if given.covering else all_cells())
        if cell.first in (given.first or VENDORS) and cell.second in (given.second or VENDORS) and cell.way in (given.way or WAYS)
    ]
    found: dict[Cell, Found] = {}
    begun = time.monotonic()
    with Street() as street, names_without_address():
        for number, cell in enumerate(cells, 1):
            found[cell] = run(cell, street)
            if given.json:
                print(as_json(cell, found[cell]), flush=True)
            if number % 100 == 0 or number == len(cells):
                left = (time.monotonic() - begun) / number * (len(cells) - number)
                print(f"\r{number} of {len(cells)} cells, about {left:.0f} s left ", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    if not given.json:
        _print(found)
    return 0 if all(one.is_good for one in found.values()) else 1


def _operations(given: argparse.Namespace) -> int:
    """Run the cells of the operations, and print a row for each operation: failed cells of all cells, by way."""
    counts: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    bad: list[str] = []
    with Street() as street, names_without_address():
        for cell in covering_operation_cells() if given.covering else all_operation_cells():
            if cell.way not in (given.way or FAILURES) or cell.first not in (given.first or VENDORS):
                continue
            if cell.second not in (given.second or VENDORS):
                continue
            one = run_operation(cell, street)
            count = counts[cell.operation, cell.way]
            count[0], count[1] = count[0] + (not one.is_good), count[1] + 1
            if not one.is_good:
                bad.append(f"  {cell}: {one.why[:1]} {one.billable} billable {one.refused[:1]}")
            if given.json:
                print(operation_as_json(cell, one), flush=True)
    if not given.json:
        print("Each field: cells that are not good / cells.\n")
        print("operation".ljust(22) + "".join(way.rjust(12) for way in FAILURES))
        for operation in ASKS:
            fields = ["/".join(map(str, counts[operation, way])) if (operation, way) in counts else "-" for way in FAILURES]
            print(operation.ljust(22) + "".join(text.rjust(12) for text in fields))
        print(f"\n{sum(count[1] for count in counts.values())} cells: {len(bad)} are not good.", *bad[:40], sep="\n")
    return 1 if bad else 0


def _print(found: dict[Cell, Found]) -> None:
    """Print a row for each vendor and a column for each way: failed requests, or the maximum of billable calls."""
    sums: dict[tuple[str, str], list[Found]] = defaultdict(list)
    for cell, one in found.items():
        sums[cell.first, cell.way].append(one)
    ways = [way for way in WAYS if any(key[1] == way for key in sums)]
    print(f"Each field: failed requests of {REQUESTS} in each cell / most billable calls before the first answer.\n")
    print("failing vendor".ljust(16) + "".join(way.rjust(max(10, len(way) + 2)) for way in ways))
    for first in VENDORS:
        fields = []
        for way in ways:
            ones = sums.get((first, way), [])
            text = f"{sum(one.failed for one in ones)}/{max(one.billable for one in ones)}" if ones else "-"
            fields.append(text.rjust(max(10, len(way) + 2)))
        if any(field.strip() != "-" for field in fields):
            print(first.ljust(16) + "".join(fields))
    bad = [(cell, one) for cell, one in found.items() if not one.is_good]
    failed = sum(one.failed for one in found.values())
    print(f"\n{len(found)} cells, {len(found) * REQUESTS} requests: {failed} failed; {len(bad)} cells are not good", end="")
    print(f" (no failed request, at most {MOST_BILLABLE} billable calls)." if bad else ".")
    for cell, one in bad[:40]:
        why = one.why.splitlines()[0] if one.why else f"{one.billable} billable calls"
        print(f"  {cell}: {one.failed} failed, {one.billable} billable. {why} {one.refused[:1] or ''}")
    if len(bad) > 40:
        print(f"  … and {len(bad) - 40} more; --json prints all.")


if __name__ == "__main__":
    sys.exit(main())
