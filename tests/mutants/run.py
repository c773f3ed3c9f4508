"""Mutation check: applies each mutant of ``mutants.json`` to a copy of core and kit and runs its tests.

The list is fixed, so that a lighter suite can be compared with the previous one: a mutant that was killed must stay killed::

    python tests/mutants/run.py             # all mutants
    python tests/mutants/run.py 0 25        # mutants 0 to 24
    python tests/mutants/run.py --record    # and store the outcomes in mutants.json

Each entry has a file, a line that occurs once in it, the replacement of that line, the tests to run, and the recorded outcome,
which is ``null`` for a mutant that was not measured. An entry with a line that no longer occurs once is stale: the code
changed, and the entry needs a new line.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("modelmesh-core/src", "modelmesh-cdk/src")
TIMEOUT_S = 300
COMMAND = (
    *(
        "-m",
        "pytest",
        "-q",
        "-x",
        "-p",
        "no:cacheprovider",
        "-p",
        "_hypothesis_pytestplugin",
        "-p",
        "modelmesh_cdk.pytest_plugin",
    ),
    *("--hypothesis-profile=ci", "--override-ini=addopts=--import-mode=importlib"),
)


def outcome(tests: str, copy: Path) -> str:
    """Return ``killed`` if the tests fail with the copied sources, else ``survived``."""
    paths = os.pathsep.join(str(copy / source) for source in SOURCES)
    environment = {**os.environ, "PYTHONPATH": paths, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, *COMMAND, tests]
    try:
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, timeout=TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        return "killed"
    return "survived" if done.returncode == 0 else "killed"


def check(mutant: dict[str, str], copy: Path) -> str:
    """Apply a mutant to the copy, run its tests and restore the copy."""
    file = copy / mutant["file"]
    source = file.read_text("utf-8") if file.is_file() else ""
    if source.count(mutant["line"]) != 1:
        return "stale"
    file.write_text(source.replace(mutant["line"], mutant["replacement"]), "utf-8")
    try:
        return outcome(mutant["tests"], copy)
    finally:
        file.write_text(source, "utf-8")


def main() -> int:
    """Print the outcome of each chosen mutant. Return 1 if a mutant that was killed is not killed now."""
    listed = Path(__file__).with_name("mutants.json")
    mutants = json.loads(listed.read_text("utf-8"))
    numbers = [int(argument) for argument in sys.argv[1:] if argument.isdecimal()]
    first, last = numbers or (0, len(mutants))
    counts: Counter[str] = Counter()
    lost = []
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for source in SOURCES:
            shutil.copytree(ROOT / source, copy / source)
        for number, mutant in enumerate(mutants[first:last], first):
            result = check(mutant, copy)
            counts[result] += 1
            if mutant["outcome"] == "killed" != result:
                lost.append(number)
            if "--record" in sys.argv:
                mutant["outcome"] = result
            print(f"{number:3} {result:8} {mutant['file']}: {mutant['replacement']}", flush=True)
    if "--record" in sys.argv:
        listed.write_text(json.dumps(mutants, indent=1, ensure_ascii=False) + "\n", "utf-8")
    print(", ".join(f"{count} {result}" for result, count in sorted(counts.items())), f"- no longer killed: {lost}")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
