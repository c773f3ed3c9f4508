"""Performance figures of the documentation come from the last committed run of the benchmarks."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

UTF8 = {**os.environ, "PYTHONIOENCODING": "utf-8"}
ROOT = Path(__file__).resolve().parents[2]
RUN = max((ROOT / "benchmarks" / "results").glob("*.json"))
ROWS = json.loads(RUN.read_text("utf-8"))["results"]
PAGES = [
    page
    for pattern in ("README.md", "*/README.md", "*/*/README.md", "docs/**/*.md")
    for page in ROOT.glob(pattern)
    if "decisions" not in page.parts  # records with a date, which do not change
]
GENERATED = re.compile(r"<!-- begin: (?P<name>[\w ]+) -->\n.*?<!-- end: (?P=name) -->", re.DOTALL)
FIGURE = re.compile(
    r"\d[\d.,]* ?µs|\d[\d.,]* ?[×x] (raw|the|as)\b|\d[\d.,]* (times as|times the) (fast|throughput|openai)|\d ?ms of CPU"
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_page_has_no_performance_figure_outside_generated_parts(page: Path) -> None:
    found = [match[0] for match in FIGURE.finditer(GENERATED.sub("", page.read_text("utf-8")))]
    assert found == [], "write a generated part of tools/docs/benchmark_tables.py instead"


@pytest.mark.parametrize("page", ["benchmarks/README.md", "docs/explanation/performance.md"])
def test_page_quotes_the_cells_of_the_last_run(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    rows = [one for one in ROWS if one["group"] not in {"selection", "first_choice"}]
    quoted = [one for one in rows if f"| {' | '.join(one['cells'])} |" in text]
    assert quoted == (rows if page.startswith("benchmarks") else [one for one in rows if one["goal"] is not None])
    assert len(quoted) > 20


def test_committed_run_has_every_row_of_the_benchmarks() -> None:
    command = [sys.executable, str(ROOT / "benchmarks" / "run.py"), "--list"]
    listed = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=True, env=UTF8)
    names = re.findall(r"^  (\S+)", listed.stdout, re.MULTILINE)
    assert len(names) > 90
    assert [one["id"] for one in ROWS] == names
