"""The catalogue page agrees with the packages. A fact without a source is "unknown"."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from decimal import Decimal
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
GENERATORS = ROOT / "tools" / "docs"
PAGE = (DOCS / "reference" / "catalogue.md").read_text("utf-8")
RESULTS = json.loads((DOCS / "reference" / "conformance.json").read_text("utf-8"))
PACKAGES = sorted(ROOT.glob("connectors/*/pyproject.toml"))
FREE = {"available": True, "what": "30 requests a minute", "source": "docs.acme.example", "as_of": "2026-11-21"}


def sections(page: str) -> dict[str, str]:
    """The text of each provider's section, by ID."""
    part = page.partition("<!-- begin: providers -->")[2].partition("<!-- end: providers -->")[0]
    return {
        re.findall(r"^\| ID \| `([^`]+)`", text, re.MULTILINE)[0]: text
        for text in re.split(r"^### ", part, flags=re.MULTILINE)[1:]
    }


def cells(section: str, first: str) -> list[str]:
    """The cells of the row with this first cell."""
    row = next(line for line in section.splitlines() if line.startswith(f"| {first} |"))
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]]


def dollars(per_thousand: float | None) -> str:
    if per_thousand is None:
        return "unknown"
    return f"${Decimal(str(per_thousand)) * 1000:f}".rstrip("0").rstrip(".") if per_thousand else "$0"


@pytest.mark.parametrize("package", PACKAGES, ids=lambda file: file.parent.name)
def test_catalogue_has_every_provider_and_model(package: Path) -> None:
    points = tomllib.loads(package.read_text("utf-8"))["project"]["entry-points"]
    data = json.loads(next(package.parent.glob("src/*/models.json")).read_text("utf-8"))
    for name in points["modelmesh.providers"]:
        section = sections(PAGE)[name]
        for variable in points.get("modelmesh.autodetect", {}):
            assert f"`{variable}`" in cells(section, "detected by")[1]
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


def test_catalogue_tested_embeddings_are_served() -> None:
    for name, section in sections(PAGE).items():
        result = RESULTS["providers"][name]["checks"].get("embeddings", {})
        assert ("`embeddings`" in cells(section, "serves")[1]) == ("passed" in result), name


def test_catalogue_has_providers_to_compare() -> None:
    assert len(PACKAGES) >= 18
    assert len(sections(PAGE)) >= 18
    assert len(re.findall(r"^\| `[^`]+` \| ([\d,]+|unknown) \|", PAGE, re.MULTILINE)) > 80


def test_catalogue_conformance_agrees_with_results() -> None:
    for name, section in sections(PAGE).items():
        kept = cells(section, "conformance tests")[1]
        result = RESULTS["providers"].get(name)
        if result is None:
            assert kept == "not run"
        else:
            assert kept.startswith(f"{sum(row.get('passed', 0) for row in result['checks'].values())} passed")
            assert section.count("\n- ") == len(result["notes"])


def test_free_tier_without_facts_is_unknown() -> None:
    stated = [{}, {"free_tier": "yes"}, {"free_tier": FREE}, {"free_tier": {"available": False}}]
    code = (
        f"import sys; sys.path.insert(0, {str(GENERATORS)!r}); import catalogue_page as page; "
        f"print(*map(page.free_tier, {stated!r}), sep='\\n')"
    )
    done = subprocess.run([sys.executable, "-B", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "unknown",
        "unknown",
        "yes: 30 requests a minute (docs.acme.example, 2026-11-21)",
        "no (source unknown, day unknown)",
    ]
