"""``tools/prose.py``: it counts prose and not code, and compares with pytest."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / "tools" / "prose.py"


@pytest.fixture(scope="module")
def prose() -> ModuleType:
    spec = importlib.util.spec_from_file_location("modelmesh_tools_prose", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_prose_of_python_is_docstrings_and_comments(prose: ModuleType) -> None:
    source = '''"""Module."""
import os  # a comment  # noqa: F401 - not prose; at all
# noqa: D100
TEXT = "nobody; is a string"
class A:
    """A class."""
    field = 1
    """A field."""
'''
    assert sorted(prose.prose_of(source)) == ["A class.", "A field.", "Module.", "a comment"]


@pytest.mark.parametrize(
    ("text", "words", "odd", "semicolons"),
    [
        ("Nobody is told; the router retries.", 6, 2, 1),
        ("Run `let a; b` now.", 2, 0, 0),
        ("Run:\n\n```sh\nlet a; b\n```\n\nDone.", 2, 0, 0),
        ("Example::\n\n    let a; b\n\nDone.", 2, 0, 0),
        ("[the page](say;tell.md) &lt; it", 3, 0, 0),
        ("", 0, 0, 0),
    ],
)
def test_rates_leave_out_code(prose: ModuleType, text: str, words: int, odd: int, semicolons: int) -> None:
    rates = prose.Rates("text")
    rates.add(text, "page.md")
    assert (rates.words, rates.odd, rates.semicolons) == (words, odd, semicolons)


def test_measure_reads_files_and_names_the_place(prose: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prose, "ROOT", tmp_path)
    (tmp_path / "a.py").write_text('"""Whoever reads; this."""\n', "utf-8")
    (tmp_path / "b.md").write_text("# A heading\n\nOne more.\n", "utf-8")
    rates = prose.measure("two files", tmp_path.iterdir())
    assert rates.as_data() == {
        "name": "two files",
        "words": 7,
        "odd_words": 1,
        "semicolons": 1,
        "odd_words_per_1000": 142.9,
        "semicolons_per_1000": 142.9,
    }
    assert rates.where == ["a.py: Whoever ;"]


def test_script_prints_rates_of_packages_and_peers() -> None:
    pytest.importorskip("httpx2")
    run = subprocess.run([sys.executable, str(SCRIPT), "--json"], capture_output=True, encoding="utf-8", check=False)
    assert run.returncode == 0, run.stderr
    data = json.loads(run.stdout)
    names = {row["name"] for row in data["rates"]}
    assert {"modelmesh-core/src", "modelmesh-cdk/src", "docs and READMEs", "changelog", "commit subjects"} <= names
    assert [row["name"] for row in data["peers"]] == ["pytest", "httpx2"]
    assert all(row["words"] > 1000 for row in data["peers"])
    assert set(data["commits"]) == {"count", "longer_than_72"}


def test_script_of_a_path_prints_a_table(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text("Say it.\n", "utf-8")
    command = [sys.executable, str(SCRIPT), "--where", str(tmp_path)]
    run = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines()[1].split()[-3:] == ["2", "500.0", "0.0"]
    assert "commit subjects over 72 characters:" in run.stdout
    assert run.stdout.endswith("page.md: Say\n")
