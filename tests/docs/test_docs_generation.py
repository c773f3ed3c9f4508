"""The generator of the documentation: it finds every stale page, and rewrites it. A run takes seconds, so tests share runs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
CHANGES = {
    "explanation/what-happens-when-a-provider-fails.md": ("| `quota` |", "| `quoth` |"),
    "how-to/test-a-connector.md": ("| `LosesZeros` |", "| `LosesHeroes` |"),
    "reference/catalogue.md": ("| key | `GROQ_API_KEY` |", "| key | optional |"),
    "reference/strategies.md": ("^ swift fails", "^ swift sings"),
}
"""A wrong text for a right one, by page."""


def generate(root: Path, *arguments: str, seed: str) -> tuple[int, list[str]]:
    """Run the generator with a seed for hashes. Return its exit code and the pages that it names."""
    command = [sys.executable, "-B", root / "tools" / "docs" / "generate.py", *arguments]
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, [line.split()[0] for line in done.stdout.splitlines()]


def section(page: str, name: str) -> str:
    """The section of a provider, from its ID on."""
    return page.partition(f"\n| ID | `{name}`")[2].partition("\n### ")[0]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the documentation and its generators, with links to the packages."""
    for entry in ROOT.iterdir():
        if entry not in (DOCS, ROOT / "tools"):
            (tmp_path / entry.name).symlink_to(entry)
    shutil.copytree(DOCS, tmp_path / "docs")
    shutil.copytree(ROOT / "tools", tmp_path / "tools")
    return tmp_path


def test_generated_parts_are_current() -> None:
    assert generate(ROOT, "--check", seed="1") == (0, [])


def test_generate_finds_and_repairs_changed_pages(copy: Path) -> None:
    for name, (right, wrong) in CHANGES.items():
        text = (DOCS / name).read_text("utf-8")
        assert right in text
        (copy / "docs" / name).write_text(text.replace(right, wrong), "utf-8")
    changed = sorted(f"docs/{name}" for name in CHANGES)
    code, stale = generate(copy, "--check", seed="1")
    assert (code, sorted(stale)) == (1, changed)
    code, written = generate(copy, seed="2")
    assert (code, sorted(written)) == (0, changed)
    for name in CHANGES:
        assert (copy / "docs" / name).read_text("utf-8") == (DOCS / name).read_text("utf-8")


def test_catalogue_skipped_check_shows_its_reason(copy: Path) -> None:
    file = copy / "docs" / "reference" / "conformance.json"
    result = json.loads(file.read_text("utf-8"))
    del result["providers"]["groq.api.v1"]
    note = {"outcome": "xfailed", "reason": "one | two (docs.acme.example)", "tests": ["test_request_keeps_zero"]}
    result["providers"]["openai.llm.v1"] = {"checks": {"requests": {"xfailed": 1, "skipped": 2, "passed": 3}}, "notes": [note]}
    file.write_text(json.dumps(result), "utf-8")
    assert generate(copy, seed="3") == (0, ["docs/reference/catalogue.md"])
    page = (copy / "docs" / "reference" / "catalogue.md").read_text("utf-8")
    assert "| conformance tests | not run |" in section(page, "groq.api.v1")
    assert "| conformance tests | 3 passed, 2 skipped, 1 expected to fail |" in section(page, "openai.llm.v1")
    assert r"- expected to fail: one \| two (docs.acme.example) (`test_request_keeps_zero`)" in section(page, "openai.llm.v1")
