"""The client for asyncio."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from modelmesh.client.arguments import make_call
from modelmesh.client.raw import AsyncRawCompletions
from modelmesh.client.replies import ChatCompletion, CreateEmbeddingResponse
from modelmesh.client.streams import AsyncStream
from modelmesh.client.sync import Introspection, NotServed, completed, listed
from modelmesh.operations import CHAT, EMBEDDINGS

if TYPE_CHECKING:
    from modelmesh.client.shapes import ModelList
    from modelmesh.mesh import ModelMesh


class AsyncCompletions:
    """``client.chat.completions``."""

    def __init__(self, mesh: ModelMesh) -> None:
        self._mesh = mesh

    async def create(self, **arguments: Any) -> Any:
        """Ask for a chat completion.

        Args:
            **arguments: As for :meth:`modelmesh.client.sync.Completions.create`.

        Returns:
            A :class:`ChatCompletion`, or an :class:`AsyncStream` of chunks with ``stream=True``.

        Raises:
            AllProvidersExhaustedError: Every attempt failed.
            NoActiveModelError: No model is able and ready.
            BadRequestError: The request itself is wrong; no other provider was asked.
            CapabilityNotFoundError: No pool serves ``model``.
        """
        mesh = self._mesh
        call = make_call(CHAT, arguments)
        served = await mesh.aserve(call)
        if call.stream:
            return AsyncStream(mesh, call, served)
        return completed(ChatCompletion, served, call, mesh)

    @property
    def with_raw_response(self) -> AsyncRawCompletions:
        """The same with ``parse()``, for callers of the official SDK's raw interface."""
        return AsyncRawCompletions(self)


class AsyncEmbeddings:
    """``client.embeddings``."""

    def __init__(self, mesh: ModelMesh) -> None:
        self._mesh = mesh

    async def create(self, **arguments: Any) -> CreateEmbeddingResponse:
        """Turn texts into vectors; arguments and errors are those of :meth:`modelmesh.client.sync.Embeddings.create`."""
        call = make_call(EMBEDDINGS, arguments)
        return completed(CreateEmbeddingResponse, await self._mesh.aserve(call), call, self._mesh)


class AsyncChat:
    """``client.chat``."""

    def __init__(self, mesh: ModelMesh) -> None:
        self.completions = AsyncCompletions(mesh)


class AsyncModels:
    """``client.models``."""

    def __init__(self, mesh: ModelMesh) -> None:
        self._mesh = mesh

    async def list(self) -> ModelList:
        """Return every real model of every pool."""
        return listed(self._mesh)


class OpenAIClient(Introspection):
    """OpenAI's asynchronous interface over a mesh; ``async with`` or :meth:`close` shuts the mesh down."""

    def __init__(self, mesh: ModelMesh) -> None:
        super().__init__(mesh)
        self.chat = AsyncChat(mesh)
        self.embeddings = AsyncEmbeddings(mesh)
        self.models = AsyncModels(mesh)

    @cached_property
    def audio(self) -> Any:
        """Speech and transcription; not in this version."""
        return NotServed("audio")

    @cached_property
    def images(self) -> Any:
        """Image generation; not in this version."""
        return NotServed("images")

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
