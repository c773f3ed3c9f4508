"""A client whose answers a test writes down."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from threading import Lock
from typing import Any
from uuid import uuid4

from attrs import frozen

from modelmesh._engine.routing.candidate_set import Candidates
from modelmesh._engine.routing.candidates import Candidate
from modelmesh.client import MeshClient, ModelMesh
from modelmesh.contracts.call import Call, Limits
from modelmesh.contracts.models import ModelInfo
from modelmesh.contracts.provider import Answer
from modelmesh.contracts.strategy import SelectionRequest
from modelmesh.errors import ProviderError
from modelmesh.testing.clock import VirtualClock


@frozen
class MockResponse:
    """One answer.

    Attributes:
        content: The text.
        model: The model that seems to have answered.
        tokens: All tokens; a third of them prompt unless said otherwise.
        prompt_tokens: Tokens of the prompt.
        completion_tokens: Tokens of the answer.
        finish_reason: Why it ended.
        tool_calls: Calls that the model wants made, in OpenAI's shape.
    """

    content: str | None = "Mock response"
    model: str = "mock-model"
    tokens: int = 10
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    finish_reason: str = "stop"
    tool_calls: Sequence[Mapping[str, Any]] | None = None

    @property
    def usage(self) -> dict[str, int]:
        """Tokens in OpenAI's shape."""
        prompt = self.tokens // 3 if self.prompt_tokens is None else self.prompt_tokens
        completion = self.tokens - prompt if self.completion_tokens is None else self.completion_tokens
        return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


@frozen
class MockCall:
    """One request that was made.

    Attributes:
        model: The pool or capability that was asked.
        messages: The conversation.
        kwargs: Every other parameter.
        response: What it was answered with.
    """

    model: str
    messages: Any
    kwargs: dict[str, Any]
    response: MockResponse | ProviderError


class MockProvider:
    """A provider in process that answers by a list; the last answer repeats. An error in the list is raised.

    Attributes:
        calls: Every request that was made.
    """

    id = "modelmesh.mock.v1"
    capabilities = ("generation.text-generation.chat-completion",)

    def __init__(
        self, responses: Sequence[MockResponse | str | ProviderError] | None = None, *, model: str | None = None
    ) -> None:
        """Write down the answers.

        Args:
            responses: Answers in order; the last one repeats.
            model: Its only model; by default it has those that the answers name.
        """
        self._responses = [_response(one) for one in (responses or [MockResponse()])]
        named = [one.model for one in self._responses if isinstance(one, MockResponse)]
        self._models = [model] if model else list(dict.fromkeys(named)) or ["mock-model"]
        self._lock = Lock()
        self.calls: list[MockCall] = []

    def models(self) -> list[ModelInfo]:
        """Return its models, in the order of the answers."""
        return [ModelInfo(name) for name in self._models]

    @property
    def next_model(self) -> str | None:
        """The model that the next answer names, ``None`` when that is an error."""
        response = self._responses[min(len(self.calls), len(self._responses) - 1)]
        return response.model if isinstance(response, MockResponse) else None

    def _next(self, call: Call) -> MockResponse:
        with self._lock:
            response = self._responses[min(len(self.calls), len(self._responses) - 1)]
            rest = {name: value for name, value in call.payload.items() if name != "messages"}
            self.calls.append(MockCall(call.pool, call.payload.get("messages"), rest, response))
        if isinstance(response, ProviderError):
            raise response
        return response

    def send(self, call: Call, model: str, limits: Limits) -> Any:
        """Answer with the next of the list."""
        response = self._next(call)
        return _MockStream(response) if call.stream else Answer(_body(response))

    async def asend(self, call: Call, model: str, limits: Limits) -> Any:
        """Answer with the next of the list."""
        response = self._next(call)
        return _MockStream(response) if call.stream else Answer(_body(response))

    def close(self) -> None:
        """Hold nothing."""

    async def aclose(self) -> None:
        """Hold nothing."""


class _AsWritten:
    """Sends each request to the model that the next response names."""

    id = "modelmesh.mock-strategy.v1"

    def __init__(self, provider: MockProvider) -> None:
        self._provider = provider

    def select(self, candidates: Candidates, request: SelectionRequest) -> Candidate:
        """Return it, or the first when it is in standby."""
        chosen = candidates.named(self._provider.next_model or "").first() or candidates.first()
        assert chosen is not None
        return chosen


class MockClient(MeshClient):
    """A real client over a mesh of one mock provider. Its clock is virtual: no retry makes a test wait.

    Attributes:
        calls: Every request that was made.
        clock: Lets time pass, e.g. until a model that failed is asked again: ``client.clock.advance(60)``.
    """

    clock: VirtualClock

    def __init__(self, mesh: ModelMesh, provider: MockProvider, clock: VirtualClock) -> None:
        super().__init__(mesh)
        self.provider = provider
        self.clock = clock

    @property
    def calls(self) -> list[MockCall]:
        """Every request that was made."""
        return self.provider.calls


def mock_client(
    responses: Sequence[MockResponse | str | ProviderError] | None = None,
    *,
    pools: Sequence[str] = ("chat-completion", "text-generation"),
) -> MockClient:
    """Make a client that answers without any provider.

    Args:
        responses: Answers in order, texts for short; the last one repeats. A ``ProviderError`` is what the provider fails with.
        pools: Virtual model names that it serves.

    Example:
        >>> client = mock_client(["Hello!"])
        >>> client.chat.completions.create(model="chat-completion", messages=[]).choices[0].message.content
        'Hello!'
    """
    provider = MockProvider(responses)
    clock = VirtualClock()
    mesh = ModelMesh(clock=clock, sleep=clock.sleep, asleep=clock.asleep)
    pool = {"providers": ["mock-provider"], "capability": "generation.text-generation", "strategy_instance": _AsWritten(provider)}
    mesh.initialize({"providers": {"mock-provider": {"instance": provider}}, "pools": dict.fromkeys(pools, pool)})
    return MockClient(mesh, provider, clock)


def _response(one: MockResponse | str | ProviderError) -> MockResponse | ProviderError:
    return MockResponse(one) if isinstance(one, str) else one


def _head(kind: str, model: str) -> dict[str, Any]:
    return {"id": f"mock-{uuid4().hex[:8]}", "object": kind, "created": int(time.time()), "model": model}


def _message(response: MockResponse) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": response.content}
    if response.tool_calls:
        message["tool_calls"] = [dict(call) for call in response.tool_calls]
    return message


def _body(response: MockResponse) -> dict[str, Any]:
    choice = {"index": 0, "message": _message(response), "finish_reason": response.finish_reason}
    return {**_head("chat.completion", response.model), "choices": [choice], "usage": response.usage}


class _MockStream:
    """The answer line by line."""

    headers: Mapping[str, str] = {}
    adapted: Sequence[str] = ()

    def __init__(self, response: MockResponse) -> None:
        self._response = response

    def __iter__(self) -> Iterator[dict[str, Any]]:
        head, response = _head("chat.completion.chunk", self._response.model), self._response
        deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
        deltas += [{"content": word} for word in (response.content or "").splitlines(keepends=True) or []]
        if response.tool_calls:
            deltas.append({"tool_calls": [{"index": place, **call} for place, call in enumerate(response.tool_calls)]})
        for delta in deltas:
            yield {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
        end = {"index": 0, "delta": {}, "finish_reason": response.finish_reason}
        yield {**head, "choices": [end], "usage": response.usage}

    async def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        for chunk in self:
            yield chunk

    def commit(self) -> None:
        """Hold nothing."""

    def close(self) -> None:
        """Hold nothing."""

    async def aclose(self) -> None:
        """Hold nothing."""
