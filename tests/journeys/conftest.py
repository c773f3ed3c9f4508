"""All fake vendors, for the whole module."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # importlib mode does not add the folder

from cells import names_without_address
from fakevendors import Street


@pytest.fixture(scope="module")
def street() -> Iterator[Street]:
    with Street() as running:
        yield running


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The rule of all tests, except that a host name in ``.invalid`` fails to resolve."""
    look_up = socket.getaddrinfo

    def local(host: Any, *rest: Any, **more: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        assert name in (None, "localhost", "::1") or str(name).startswith("127."), f"a test reached for {name!r}"
        return look_up(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", local)
    with names_without_address():
        yield
