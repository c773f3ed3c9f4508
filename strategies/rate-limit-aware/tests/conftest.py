"""Meshes of accounts in this process, on a clock that a test turns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from modelmesh_cdk.testing import InProcessMesh


@pytest.fixture
def world() -> Iterator[Callable[..., InProcessMesh]]:
    """Make meshes that are closed after the test."""
    with ExitStack() as opened:
        yield lambda *accounts, **pool: opened.enter_context(InProcessMesh(*accounts, **pool))
