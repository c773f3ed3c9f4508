"""Resources of the asynchronous client: ``chat.completions``, ``embeddings`` and ``models``."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from modelmesh._engine.foundation.lazy_import import LazyModule
from modelmesh.client.arguments import make_call
from modelmesh.client.defaults import NO_DEFAULTS, Defaults
from modelmesh.client.signatures import ChatCreate, EmbeddingsCreate, typed_as
from modelmesh.client.unsupported import UnsupportedApi
from modelmesh.contracts.operations import CHAT, EMBEDDINGS

if TYPE_CHECKING:
    from modelmesh._engine.mesh import MeshEngine
    from modelmesh._engine.mesh.requests import RequestServer
    from modelmesh.client import build_reply, model_cards, raw, replies, shapes, streams
    from modelmesh.client.raw import AsyncRaw, AsyncStreamedCall, AsyncStreaming, RawResponse
    from modelmesh.client.replies import ChatCompletion, CreateEmbeddingResponse
    from modelmesh.client.shapes import ChatCompletionChunk, ModelCard, ModelList
    from modelmesh.client.streams import AsyncStream
else:  # the first call imports them
    build_reply = LazyModule(globals(), "build_reply", "modelmesh.client.build_reply")
    model_cards = LazyModule(globals(), "model_cards", "modelmesh.client.model_cards")
    raw = LazyModule(globals(), "raw", "modelmesh.client.raw")
    replies = LazyModule(globals(), "replies", "modelmesh.client.replies")
    shapes = LazyModule(globals(), "shapes", "modelmesh.client.shapes")
    streams = LazyModule(globals(), "streams", "modelmesh.client.streams")


class AsyncCompletions(UnsupportedApi):
    """``client.chat.completions``."""

    _prefix = "chat.completions."

    def __init__(self, requests: RequestServer, defaults: Defaults = NO_DEFAULTS) -> None:
        self._requests = requests
        self._defaults = defaults

    async def _create(self, **arguments: Any) -> ChatCompletion | AsyncStream[ChatCompletionChunk]:
        """Implement :class:`ChatCreate`."""
        requests, defaults = self._requests, self._defaults
        call = make_call(CHAT, defaults.under(arguments), strict=defaults.strict_parameters)
        served = await requests.aserve(call)
        if call.stream:
            return streams.AsyncStream(shapes.ChatCompletionChunk, requests, call, served)
        return build_reply.build_reply(replies.ChatCompletion, served, call, requests.clock)

    create: ChatCreate[Coroutine[Any, Any, ChatCompletion], Coroutine[Any, Any, AsyncStream[ChatCompletionChunk]]] = typed_as(
        ChatCreate, _create
    )

    @property
    def with_raw_response(
        self,
    ) -> AsyncRaw[
        ChatCreate[
            Coroutine[Any, Any, RawResponse[ChatCompletion]],
            Coroutine[Any, Any, RawResponse[AsyncStream[ChatCompletionChunk]]],
        ]
    ]:
        """This resource with response headers, as in the official SDK."""
        return raw.AsyncRaw(self.create)

    @property
    def with_streaming_response(self) -> AsyncStreaming[ChatCreate[AsyncStreamedCall, AsyncStreamedCall]]:
        """This resource with context managers, as in the official SDK."""
        return raw.AsyncStreaming(self.create)


class AsyncEmbeddings:
    """``client.embeddings``."""

    def __init__(self, requests: RequestServer, defaults: Defaults = NO_DEFAULTS) -> None:
        self._requests = requests
        self._defaults = defaults

    async def _create(self, **arguments: Any) -> CreateEmbeddingResponse:
        """Implement :class:`EmbeddingsCreate`."""
        requests, defaults = self._requests, self._defaults
        call = make_call(EMBEDDINGS, defaults.under(arguments), strict=defaults.strict_parameters)
        return build_reply.build_reply(replies.CreateEmbeddingResponse, await requests.aserve(call), call, requests.clock)

    create: EmbeddingsCreate[Coroutine[Any, Any, CreateEmbeddingResponse]] = typed_as(EmbeddingsCreate, _create)

    def __repr__(self) -> str:
        return "<client.embeddings>"

    @property
    def with_raw_response(self) -> AsyncRaw[EmbeddingsCreate[Coroutine[Any, Any, RawResponse[CreateEmbeddingResponse]]]]:
        """This resource with response headers, as in the official SDK."""
        return raw.AsyncRaw(self.create)

    @property
    def with_streaming_response(self) -> AsyncStreaming[EmbeddingsCreate[AsyncStreamedCall]]:
        """This resource with context managers, as in the official SDK."""
        return raw.AsyncStreaming(self.create)


class AsyncChat:
    """``client.chat``."""

    def __init__(self, requests: RequestServer, defaults: Defaults = NO_DEFAULTS) -> None:
        self.completions = AsyncCompletions(requests, defaults)

    def __repr__(self) -> str:
        return "<client.chat: completions>"


class AsyncModels(UnsupportedApi):
    """``client.models``."""

    _prefix = "models."

    def __init__(self, mesh: MeshEngine) -> None:
        self._mesh = mesh

    async def list(self, **_: Any) -> ModelList:
        """Return every real model of every pool."""
        return model_cards.list_cards(self._mesh)

    async def retrieve(self, model: str, **_: Any) -> ModelCard:
        """Return one real model.

        Raises:
            CapabilityNotFoundError: No pool has the model.
        """
        return model_cards.retrieve_card(self._mesh, model)
