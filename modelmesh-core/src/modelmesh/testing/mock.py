"""Mock client with scripted responses."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from threading import Lock
from typing import Any
from uuid import uuid4

from attrs import frozen

from modelmesh._engine.routing.candidate_set import Candidates
from modelmesh._engine.routing.candidates import Candidate
from modelmesh.capabilities import resolve
from modelmesh.client import MeshClient, ModelMesh
from modelmesh.contracts.call import Call, Limits
from modelmesh.contracts.models import ModelInfo
from modelmesh.contracts.operations import CHAT, OPERATIONS, OperationScope
from modelmesh.contracts.provider import Answer
from modelmesh.contracts.strategy import SelectionRequest
from modelmesh.errors import ProviderError
from modelmesh.testing.clock import VirtualClock
from modelmesh.testing.mock_accounts import SERVED, MockAccount
from modelmesh.testing.mock_answers import answer_of, items_of

_SHORT_NAMES = tuple(dict.fromkeys(row.capability for row in OPERATIONS.values() if row.capability))
CAPABILITIES = tuple(map(resolve, _SHORT_NAMES))
"""Capabilities of the mock provider: those of all operations."""

DEFAULT_POOLS = ("chat-completion", "text-generation", *(name for name in _SHORT_NAMES if name != "chat-completion"))


@frozen
class MockResponse:
    """One answer.

    Attributes:
        content: The text. It is also the text of a transcription, the bytes of speech and of images, and the snippet of a search.
        model: The model that the response names.
        tokens: Total tokens. By default a third of them are prompt tokens.
        prompt_tokens: Tokens of the prompt.
        completion_tokens: Tokens of the answer.
        finish_reason: Reason for the end of the answer.
        tool_calls: Tool calls of the model, in OpenAI's format.
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
        """Tokens in OpenAI's format."""
        prompt = self.tokens // 3 if self.prompt_tokens is None else self.prompt_tokens
        completion = self.tokens - prompt if self.completion_tokens is None else self.completion_tokens
        return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


@frozen
class MockCall:
    """One recorded request.

    Attributes:
        model: The requested pool or capability.
        messages: The messages.
        kwargs: Every other parameter.
        response: The response, or the error that was raised.
    """

    model: str
    messages: Any
    kwargs: dict[str, Any]
    response: MockResponse | ProviderError


class MockProvider:
    """In-process provider with scripted responses. The last response repeats. An error in the list is raised.

    It serves every operation. Files, batches and uploads are in memory and use no response of the list.

    Attributes:
        calls: Every recorded request.
        account: The files, batches and uploads.
    """

    id = "modelmesh.mock.v1"
    capabilities = CAPABILITIES
    native_operations = SERVED

    def __init__(
        self, responses: Sequence[MockResponse | str | ProviderError] | None = None, *, model: str | None = None
    ) -> None:
        """Write down the answers.

        Args:
            responses: Responses in order. The last one repeats.
            model: The only model. By default the provider has the models that the responses name.
        """
        self._responses = [_response(one) for one in (responses or [MockResponse()])]
        named = [one.model for one in self._responses if isinstance(one, MockResponse)]
        self._models = [model] if model else list(dict.fromkeys(named)) or ["mock-model"]
        self._lock = Lock()
        self.calls: list[MockCall] = []
        self.account = MockAccount()

    def models(self) -> list[ModelInfo]:
        """Return the models, in the order of the responses."""
        return [ModelInfo(name) for name in self._models]

    @property
    def next_model(self) -> str | None:
        """The model that the next response names, ``None`` if it is an error."""
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
        """Return the next response, or a resource of the account."""
        if call.operation.scope is OperationScope.ACCOUNT:
            body = self.account.answer(call)
            return _MockItems(iter([body])) if call.stream else Answer(body)
        response = self._next(call)
        if not call.stream:
            return Answer(_body(response) if call.operation is CHAT else answer_of(response, call))
        return _MockItems(_chunks(response) if call.operation is CHAT else items_of(response, call))

    async def asend(self, call: Call, model: str, limits: Limits) -> Any:
        """Return the next response, or a resource of the account."""
        return self.send(call, model, limits)

    def close(self) -> None:
        """Do nothing: the provider holds no resources."""

    async def aclose(self) -> None:
        """Do nothing: the provider holds no resources."""


class _ScriptedStrategy:
    """Selects the model that the next response names."""

    id = "modelmesh.mock-strategy.v1"

    def __init__(self, provider: MockProvider) -> None:
        self._provider = provider

    def select(self, candidates: Candidates, request: SelectionRequest) -> Candidate:
        """Return that model, or the first candidate if the model is in standby."""
        chosen = candidates.named(self._provider.next_model or "").first() or candidates.first()
        assert chosen is not None
        return chosen


class MockClient(MeshClient):
    """Real client over a mesh with one mock provider and a virtual clock, so that retries do not wait.

    Attributes:
        calls: Every recorded request.
        clock: Advances time, e.g. past the cooldown of a failed model: ``client.clock.advance(60)``.
    """

    clock: VirtualClock

    def __init__(self, mesh: ModelMesh, provider: MockProvider, clock: VirtualClock) -> None:
        super().__init__(mesh)
        self.provider = provider
        self.clock = clock

    @property
    def calls(self) -> list[MockCall]:
        """Every recorded request."""
        return self.provider.calls


def mock_client(
    responses: Sequence[MockResponse | str | ProviderError] | None = None,
    *,
    pools: Sequence[str] = DEFAULT_POOLS,
) -> MockClient:
    """Create a client that answers without a real provider.

    Args:
        responses: Responses in order. The last one repeats. A text stands for a response with that content, and a
            ``ProviderError`` is raised.
        pools: Virtual model names of the client. The default has a pool for the capability of every operation.

    Example:
        >>> client = mock_client(["Hello!"])
        >>> client.chat.completions.create(model="chat-completion", messages=[]).choices[0].message.content
        'Hello!'
    """
    provider = MockProvider(responses)
    clock = VirtualClock()
    mesh = ModelMesh(clock=clock, sleep=clock.sleep, asleep=clock.asleep)
    strategy = _ScriptedStrategy(provider)
    made = {
        name: {"providers": ["mock-provider"], "capability": _capability(name), "strategy_instance": strategy} for name in pools
    }
    mesh.initialize({"providers": {"mock-provider": {"instance": provider}}, "pools": made})
    return MockClient(mesh, provider, clock)


def _capability(pool: str) -> str:
    return pool if pool in _SHORT_NAMES and pool != "chat-completion" else "generation.text-generation"


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


def _chunks(response: MockResponse) -> Iterator[dict[str, Any]]:
    """Yield the chunks of a chat completion, one for each line."""
    head = _head("chat.completion.chunk", response.model)
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": word} for word in (response.content or "").splitlines(keepends=True) or []]
    if response.tool_calls:
        deltas.append({"tool_calls": [{"index": place, **call} for place, call in enumerate(response.tool_calls)]})
    for delta in deltas:
        yield {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    end = {"index": 0, "delta": {}, "finish_reason": response.finish_reason}
    yield {**head, "choices": [end], "usage": response.usage}


class _MockItems:
    """Stream of the items of a response."""

    headers: Mapping[str, str] = {}
    adapted: Sequence[str] = ()

    def __init__(self, items: Iterator[Any]) -> None:
        self._items = items

    def __iter__(self) -> Iterator[Any]:
        return self._items

    async def __aiter__(self) -> AsyncIterator[Any]:
        for chunk in self:
            yield chunk

    def commit(self) -> None:
        """Do nothing: the provider holds no resources."""

    def close(self) -> None:
        """Do nothing: the provider holds no resources."""

    async def aclose(self) -> None:
        """Do nothing: the provider holds no resources."""
