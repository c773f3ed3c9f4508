"""The pages on the kit name every public name of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import modelmesh_cdk

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = "".join(DOCS.joinpath(name).read_text("utf-8") for name in ("reference/kit.md", "how-to/write-a-connector.md"))
ELSEWHERE = {"__version__", "CacheStats", "ServerSentEvent", "SseDecoder", "WireRequest", "load_catalogue"}
"""Arguments of hooks and results of calls, which are documented in docstrings."""


@pytest.mark.parametrize("name", sorted(set(modelmesh_cdk.__all__) - ELSEWHERE))
def test_kit_pages_name_every_public_name(name: str) -> None:
    assert any(re.search(rf"\b{one}\b", PAGES) for one in (name, name.removesuffix("Config"))), name
