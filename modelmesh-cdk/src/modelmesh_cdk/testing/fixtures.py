"""Fixtures for the tests of connectors and sinks. Import them in a ``conftest.py``."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import modelmesh
from modelmesh.contracts.models import ModelPricing
from modelmesh.contracts.provider import Answer
from modelmesh_cdk.testing.accounts import InProcessAccount
from modelmesh_cdk.testing.upstream import Received, Script, Upstream, completion, event


class OpenAIUpstream(Upstream):
    """A server in OpenAI's format that returns the same response to every request.

    Attributes:
        status: HTTP status of the response.
        body: JSON value of the response. A list is sent as server-sent events, ``[DONE]`` included.
    """

    def __init__(self) -> None:
        super().__init__()
        self.status = 200
        self.body: Any = completion("Hello.", model="as-the-vendor-calls-it")
        self.always(self._respond)

    def _respond(self, _: Received) -> Script:
        headers = {"x-request-id": "req-test"}
        if isinstance(self.body, list):
            events = b"".join(event(one) for one in [*self.body, "[DONE]"])
            return Script(self.status, events, headers, "text/event-stream")
        return Script(self.status, json.dumps(self.body).encode(), headers)


@pytest.fixture
def openai_upstream() -> Iterator[OpenAIUpstream]:
    """A running server in OpenAI's format."""
    with OpenAIUpstream() as upstream:
        yield upstream


class PricedAccount(InProcessAccount):
    """An account with one model that has a price, a fixed text and known usage."""

    def __init__(self, model: str, *, down: bool = False, text: str = "Hello.") -> None:
        super().__init__(model, down=(model,) if down else (), pricing=ModelPricing(0.001, 0.002))
        self._text = text

    def send(self, call: Any, model: str, limits: Any) -> Answer:
        """Return the text, or raise a server error."""
        super().send(call, model, limits)
        choice = {"index": 0, "message": {"role": "assistant", "content": self._text}, "finish_reason": "stop"}
        return Answer({"id": "test", "choices": [choice], "usage": {"prompt_tokens": 3, "completion_tokens": 2}})


@pytest.fixture
def failover_client() -> Callable[..., modelmesh.MeshClient]:
    """A factory of clients with two providers. The first one fails unless ``first_down=False``."""

    def make(observability: Any, first: str = "model-a", second: str = "model-b", text: str = "Hello.", **down: bool) -> Any:
        a = PricedAccount(first, down=down.get("first_down", True), text=text)
        b = PricedAccount(second, down=down.get("second_down", False), text=text)
        return modelmesh.create(
            config={
                "providers": {"a": {"instance": a}, "b": {"instance": b}},
                "pools": {"chat-completion": {"deactivation": {"retry_limit": 1}}},
                "observability": observability,
            }
        )

    return make
