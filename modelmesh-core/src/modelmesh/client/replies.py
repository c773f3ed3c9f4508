"""Replies: the vendor's answer with its routing history."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import TYPE_CHECKING, Any, Self

from modelmesh.client.attribute_dict import AttributeDict
from modelmesh.client.history import LiveHistory, StoredHistory
from modelmesh.client.shapes.chat import Choice, Usage
from modelmesh.client.shapes.embeddings import Embedding
from modelmesh.contracts.provider import REQUEST_ID_HEADERS

if TYPE_CHECKING:
    from modelmesh._engine.foundation.attempts import Attempt
    from modelmesh._engine.routing.explain import Explanation


class Routed:
    """Members that replies of every kind share: how the mesh served the request."""

    __slots__ = ()

    _history: LiveHistory | StoredHistory

    @property
    def provider(self) -> str:
        """Key of the provider of the answer."""
        return self._history.provider

    @property
    def attempts(self) -> list[Attempt]:
        """Every attempt, the successful one last."""
        return self._history.attempts

    @property
    def latency_ms(self) -> float:
        """Duration of the successful attempt in milliseconds."""
        return self.attempts[-1].ms or 0.0

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Metadata of the answer: pool, headers, adaptations, the vendor's model name."""
        return self._history.metadata

    @property
    def _request_id(self) -> str | None:
        """The vendor's request ID, by the official SDK's name. ``None`` if the vendor sent none."""
        headers = self.metadata["headers"]
        return next((headers[name] for name in REQUEST_ID_HEADERS if name in headers), None)

    def explain(self) -> Explanation:
        """Return why this model was chosen, and why each other model was not."""
        return self._history.explain()

    def _stored(self) -> StoredHistory:
        history = self._history
        return history.stored() if isinstance(history, LiveHistory) else history


class Reply(Routed, AttributeDict):
    """A complete answer.

    In addition to OpenAI's fields a reply has ``provider``, ``latency_ms``, ``attempts``, ``metadata`` and ``explain()``. Copies
    and pickles keep them.
    """

    __slots__ = ("_history",)

    def __init__(self, data: dict[str, Any], history: LiveHistory | StoredHistory) -> None:
        super().__init__(data)
        object.__setattr__(self, "_history", history)

    def __copy__(self) -> Self:
        return type(self)(dict(self), self._history)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return type(self)(deepcopy(self.model_dump(), memo), self._history)

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.model_dump(), self._stored()))


class _Chat(AttributeDict, nested={"choices": Choice, "usage": Usage}):
    """Fields of a chat completion."""

    __slots__ = ()

    id: str
    object: str
    created: int
    model: str
    choices: list[Choice]
    usage: Usage | None
    service_tier: str | None
    system_fingerprint: str | None
    moderation: Any

    @property
    def content(self) -> str | None:
        """Text of the first choice."""
        return self.choices[0].message.content


class ChatCompletion(Reply, _Chat):
    """A chat completion."""

    __slots__ = ()


class CreateEmbeddingResponse(Reply, nested={"data": Embedding, "usage": Usage}):
    """Embedding vectors, in the order of the texts."""

    __slots__ = ()

    object: str
    data: list[Embedding]
    model: str
    usage: Usage | None


CompletionResponse = ChatCompletion
"""Alias of :class:`ChatCompletion`."""

EmbeddingResponse = CreateEmbeddingResponse
"""Alias of :class:`CreateEmbeddingResponse`."""
