"""The street of fake vendors, for the whole module."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # importlib mode leaves it out

from cells import names_without_address
from fakevendors import Street


@pytest.fixture(scope="module")
def street() -> Iterator[Street]:
    with Street() as running, names_without_address():
        yield running
