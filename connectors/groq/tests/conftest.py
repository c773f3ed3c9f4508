"""A vendor on loopback: it keeps what it was sent and answers what it was told to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from modelmesh_cdk.testing import Received, Script, Upstream
from modelmesh_cdk.testing.upstream import completion, event


class Vendor(Upstream):
    """Answers every request with ``status`` and ``body``; a list is sent as server-sent events, ``[DONE]`` included."""

    def __init__(self) -> None:
        super().__init__()
        self.status = 200
        self.body: Any = completion("Hello.", model="as-the-vendor-calls-it")
        self.always(self._answer)

    def _answer(self, _: Received) -> Script:
        headers = {"x-request-id": "req-test"}
        if isinstance(self.body, list):
            events = b"".join(event(one) for one in [*self.body, "[DONE]"])
            return Script(self.status, events, headers, "text/event-stream")
        return Script(self.status, json.dumps(self.body).encode(), headers)


@pytest.fixture
def upstream() -> Iterator[Vendor]:
    """A server of its own for each test."""
    with Vendor() as vendor:
        yield vendor


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of whoever runs the tests must not matter."""
    for name in ("GROQ_API_KEY", "GROQ_BASE_URL", "GROQ_CUSTOM_HEADERS"):
        monkeypatch.delenv(name, raising=False)
