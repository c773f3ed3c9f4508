"""The catalogue says what the packages say, and of what nobody says it says "unknown"."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from decimal import Decimal
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGE = (DOCS / "reference" / "catalogue.md").read_text("utf-8")
CAME = json.loads((DOCS / "reference" / "conformance.json").read_text("utf-8"))
PACKAGES = sorted(ROOT.glob("connectors/*/pyproject.toml"))
FREE = {"available": True, "what": "30 requests a minute", "source": "docs.acme.example", "as_of": "2026-11-21"}


def sections(page: str) -> dict[str, str]:
    """The text of each provider's section, by ID."""
    part = page.partition("<!-- begin: providers -->")[2].partition("<!-- end: providers -->")[0]
    return {re.findall(r"^\| ID \| `([^`]+)`", text, re.MULTILINE)[0]: text for text in re.split(r"^### ", part, flags=re.MULTILINE)[1:]}


def cells(section: str, first: str) -> list[str]:
    """The cells of the row that begins with this one."""
    row = next(line for line in section.splitlines() if line.startswith(f"| {first} |"))
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]]


def dollars(per_thousand: float | None) -> str:
    if per_thousand is None:
        return "unknown"
    return f"${Decimal(str(per_thousand)) * 1000:f}".rstrip("0").rstrip(".") if per_thousand else "$0"


@pytest.mark.parametrize("package", PACKAGES, ids=lambda file: file.parent.name)
def test_every_provider_has_its_section_and_every_model_its_row(package: Path) -> None:
    points = tomllib.loads(package.read_text("utf-8"))["project"]["entry-points"]
    data = json.loads(next(package.parent.glob("src/*/models.json")).read_text("utf-8"))
    for name in points["modelmesh.providers"]:
        section = sections(PAGE)[name]
        for variable in points.get("modelmesh.autodetect", {}):
            assert f"`{variable}`" in cells(section, "found by itself with")[1]
        for row in data["models"]:
            price = row.get("pricing", {})
            _, window, longest, cost, cached, answer, day, features, *_ = cells(section, f"`{row['id']}`")
            assert window.replace(",", "") == str(row.get("context_window", "unknown"))
            assert longest.replace(",", "") == str(row.get("max_output_tokens", "unknown"))
            assert cost.partition(" and ")[0] == dollars(price.get("input_per_1k_tokens"))
            assert cached == dollars(price.get("cached_input_per_1k_tokens"))
            assert answer == dollars(price.get("output_per_1k_tokens"))
            assert day == price.get("as_of", "unknown")
            assert price.get("source", "") in section
            assert (features == "unknown") == (not row.get("features") and "streaming" not in row.get("delivery", {}))


def test_embeddings_that_were_tested_are_served() -> None:
    for name, section in sections(PAGE).items():
        came = CAME["providers"][name]["checks"].get("embeddings", {})
        assert ("`embeddings`" in cells(section, "serves")[1]) == ("passed" in came), name


def test_there_is_something_to_compare() -> None:
    assert len(PACKAGES) >= 18
    assert len(sections(PAGE)) >= 18
    assert len(re.findall(r"^\| `[^`]+` \| ([\d,]+|unknown) \|", PAGE, re.MULTILINE)) > 80


def test_what_nobody_says_is_unknown_and_what_was_not_run_is_not_kept() -> None:
    for name, section in sections(PAGE).items():
        kept = cells(section, "standard tests")[1]
        came = CAME["providers"].get(name)
        if came is None:
            assert kept == "not run"
        else:
            assert kept.startswith(f"{sum(row.get('passed', 0) for row in came['checks'].values())} passed")
            assert section.count("\n- ") == len(came["notes"])


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The documentation, beside the packages as they are."""
    for beside in ROOT.iterdir():
        if beside != DOCS:
            (tmp_path / beside.name).symlink_to(beside)
    shutil.copytree(DOCS, tmp_path / "docs")
    return tmp_path / "docs"


def test_a_gap_is_written_with_its_reason(copy: Path) -> None:
    came = json.loads(json.dumps(CAME))
    del came["providers"]["groq.api.v1"]
    note = {"outcome": "xfailed", "reason": "one | two (docs.acme.example)", "tests": ["test_zero_is_kept"]}
    came["providers"]["openai.llm.v1"] = {"checks": {"requests": {"xfailed": 1, "skipped": 2, "passed": 3}}, "notes": [note]}
    (copy / "reference" / "conformance.json").write_text(json.dumps(came), "utf-8")
    assert subprocess.run([sys.executable, "-B", copy / "generate.py", "--check"], capture_output=True, check=False).returncode == 1
    subprocess.run([sys.executable, "-B", copy / "generate.py"], capture_output=True, check=True)
    page = (copy / "reference" / "catalogue.md").read_text("utf-8")
    assert cells(sections(page)["groq.api.v1"], "standard tests")[1] == "not run"
    openai = sections(page)["openai.llm.v1"]
    assert cells(openai, "standard tests")[1] == "3 passed, 2 skipped, 1 expected to fail"
    assert r"- expected to fail: one \| two (docs.acme.example) (`test_zero_is_kept`)" in openai


@pytest.mark.parametrize("seed", ["1", "2"])
def test_it_is_the_same_whatever_the_order_of_sets(seed: str) -> None:
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    done = subprocess.run([sys.executable, "-B", DOCS / "generate.py", "--check"], env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("stated", "written"),
    [
        ({}, "unknown"),
        ({"free_tier": "yes"}, "unknown"),
        ({"free_tier": FREE}, "yes: 30 requests a minute (docs.acme.example, 2026-11-21)"),
        ({"free_tier": {"available": False}}, "no (source unknown, day unknown)"),
    ],
)
def test_a_free_tier_is_a_fact_with_a_source_or_unknown(stated: dict, written: str) -> None:
    code = f"import sys; sys.path.insert(0, {str(DOCS)!r}); import catalogue; print(catalogue.free_tier({stated!r}))"
    done = subprocess.run([sys.executable, "-B", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == written
