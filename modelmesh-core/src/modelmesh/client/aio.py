"""The client for asyncio."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self, Unpack, overload

from modelmesh.client.arguments import make_call
from modelmesh.client.defaults import NO_DEFAULTS, Defaults
from modelmesh.client.raw import AsyncRaw, AsyncStreaming
from modelmesh.client.replies import ChatCompletion, CreateEmbeddingResponse
from modelmesh.client.streams import AsyncStream
from modelmesh.client.sync import Introspection, completed, listed, retrieved
from modelmesh.client.unbuilt import Unbuilt
from modelmesh.contracts.operations import CHAT, EMBEDDINGS

if TYPE_CHECKING:
    from modelmesh._engine.mesh import ModelMesh
    from modelmesh.client.parameters import ChatParameters, EmbeddingParameters
    from modelmesh.client.shapes import ModelCard, ModelList


class AsyncCompletions(Unbuilt):
    """``client.chat.completions``."""

    _below = "chat.completions."

    def __init__(self, mesh: ModelMesh, defaults: Defaults = NO_DEFAULTS) -> None:
        self._mesh = mesh
        self._defaults = defaults

    @overload
    async def create(self, *, stream: Literal[False] | None = None, **arguments: Unpack[ChatParameters]) -> ChatCompletion: ...

    @overload
    async def create(self, *, stream: Literal[True], **arguments: Unpack[ChatParameters]) -> AsyncStream: ...

    @overload
    async def create(self, *, stream: bool, **arguments: Unpack[ChatParameters]) -> ChatCompletion | AsyncStream: ...

    async def create(self, **arguments: Any) -> Any:
        """Request a chat completion.

        Args:
            **arguments: As for :meth:`modelmesh.client.sync.Completions.create`.

        Returns:
            A :class:`ChatCompletion`, or an :class:`AsyncStream` of chunks with ``stream=True``.

        Raises:
            AllProvidersExhaustedError: Every attempt failed.
            NoActiveModelError: No model is eligible and available.
            BadRequestError: The request itself is wrong.
            CapabilityNotFoundError: No pool serves ``model``.
        """
        mesh = self._mesh
        call = make_call(CHAT, self._defaults.under(arguments))
        served = await mesh.aserve(call)
        if call.stream:
            return AsyncStream(mesh, call, served)
        return completed(ChatCompletion, served, call, mesh)

    @property
    def with_raw_response(self) -> AsyncRaw[Any]:
        """The same with the response headers, for callers of the official SDK's raw interface."""
        return AsyncRaw(self.create)

    @property
    def with_streaming_response(self) -> AsyncStreaming:
        """The same as a context manager, for callers of the official SDK's streaming interface."""
        return AsyncStreaming(self.create)


class AsyncEmbeddings:
    """``client.embeddings``."""

    def __init__(self, mesh: ModelMesh, defaults: Defaults = NO_DEFAULTS) -> None:
        self._mesh = mesh
        self._defaults = defaults

    async def create(self, **arguments: Unpack[EmbeddingParameters]) -> CreateEmbeddingResponse:
        """Turn texts into vectors; arguments and errors are those of :meth:`modelmesh.client.sync.Embeddings.create`."""
        call = make_call(EMBEDDINGS, self._defaults.under(arguments))
        return completed(CreateEmbeddingResponse, await self._mesh.aserve(call), call, self._mesh)

    def __repr__(self) -> str:
        return "<client.embeddings>"

    @property
    def with_raw_response(self) -> AsyncRaw[CreateEmbeddingResponse]:
        """The same with the response headers, for callers of the official SDK's raw interface."""
        return AsyncRaw(self.create)

    @property
    def with_streaming_response(self) -> AsyncStreaming:
        """The same as a context manager, for callers of the official SDK's streaming interface."""
        return AsyncStreaming(self.create)


class AsyncChat:
    """``client.chat``."""

    def __init__(self, mesh: ModelMesh, defaults: Defaults = NO_DEFAULTS) -> None:
        self.completions = AsyncCompletions(mesh, defaults)

    def __repr__(self) -> str:
        return "<client.chat: completions>"


class AsyncModels(Unbuilt):
    """``client.models``."""

    _below = "models."

    def __init__(self, mesh: ModelMesh) -> None:
        self._mesh = mesh

    async def list(self, **_: Any) -> ModelList:
        """Return every real model of every pool."""
        return listed(self._mesh)

    async def retrieve(self, model: str, **_: Any) -> ModelCard:
        """Return one real model.

        Raises:
            CapabilityNotFoundError: No pool has it.
        """
        return retrieved(self._mesh, model)


class OpenAIClient(Introspection):
    """OpenAI's asynchronous interface over a mesh; ``async with`` or :meth:`close` shuts the mesh down."""

    def _bind(self, defaults: Defaults) -> None:
        super()._bind(defaults)
        self.chat = AsyncChat(self.mesh, defaults)
        self.embeddings = AsyncEmbeddings(self.mesh, defaults)
        self.models = AsyncModels(self.mesh)

    async def close(self) -> None:
        """Shut the mesh down."""
        await self.mesh.ashutdown()

    async def aclose(self) -> None:
        """Shut the mesh down."""
        await self.mesh.ashutdown()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


AsyncMeshClient = OpenAIClient
