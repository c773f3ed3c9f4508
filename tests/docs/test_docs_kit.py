"""The pages on the kit name every part of it, and every standard test of stores with the fake it finds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import modelmesh_cdk
from modelmesh_cdk.testing import StorageConformance
from modelmesh_cdk.testing.conformance import GUARD

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = "".join(DOCS.joinpath(name).read_text("utf-8") for name in ("reference/kit.md", "how-to/write-a-connector.md"))
ELSEWHERE = {"__version__", "CacheStats", "ServerSentEvent", "SseDecoder", "WireRequest", "load_catalogue"}
"""What is handed to hooks or comes back from a call, and has its words in docstrings."""


@pytest.mark.parametrize("name", sorted(set(modelmesh_cdk.__all__) - ELSEWHERE))
def test_every_part_of_the_kit(name: str) -> None:
    assert any(re.search(rf"\b{one}\b", PAGES) for one in (name, name.removesuffix("Config"))), name


def test_every_standard_test_of_stores() -> None:
    table = DOCS.joinpath("how-to/test-a-connector.md").read_text("utf-8").partition("### Stores of state")[2]
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*?) \| `\w+`", table, re.MULTILINE))
    rules = {name: " ".join((test.__doc__ or "").split()) for name, test in StorageConformance.standard_tests() if name != GUARD}
    assert rows == rules
