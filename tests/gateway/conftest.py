"""A mesh over scripted vendors, and a guard against sockets of the SDKs."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import modelmesh

MESSAGES: list[Any] = [{"role": "user", "content": "Hello!"}]


@pytest.fixture
def mesh(upstream: Any, config: Callable[..., dict[str, Any]]) -> Iterator[modelmesh.ModelMesh]:
    with modelmesh.ModelMesh(config(upstream.url)) as running:
        yield running


@pytest.fixture
def no_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every use of a socket fails."""

    def fail(*_: Any, **__: Any) -> Any:
        raise AssertionError("a socket was opened")

    for name in ("socket", "create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, fail)
