"""The clients, and the mesh that makes them. They stand in one module because each returns the other."""

from __future__ import annotations

from typing import Self

from modelmesh._engine.mesh import MeshEngine
from modelmesh.client.aio import AsyncChat, AsyncEmbeddings, AsyncModels
from modelmesh.client.base import BaseClient
from modelmesh.client.defaults import Defaults
from modelmesh.client.sync import Chat, Embeddings, Models


class ModelMesh(MeshEngine):
    """Providers, pools, health and usage of one configuration, and the clients that use them.

    Safe to share between threads. Use it as a context manager, or call :meth:`shutdown`.
    """

    @property
    def client(self) -> MeshClient:
        """A synchronous client of this mesh."""
        return MeshClient(self)

    def get_client(self) -> OpenAIClient:
        """Return an asynchronous client of this mesh."""
        return OpenAIClient(self)


class MeshClient(BaseClient):
    """OpenAI's interface over a mesh. Safe to share between threads. ``with`` or :meth:`close` shuts the mesh down."""

    mesh: ModelMesh
    chat: Chat
    embeddings: Embeddings
    models: Models

    def _bind(self, defaults: Defaults) -> None:
        super()._bind(defaults)
        self.chat = Chat(self._requests, defaults)
        self.embeddings = Embeddings(self._requests, defaults)
        self.models = Models(self.mesh)

    def close(self) -> None:
        """Shut the mesh down."""
        self.mesh.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.mesh.ashutdown()


class OpenAIClient(BaseClient):
    """OpenAI's asynchronous interface over a mesh. ``async with`` or :meth:`close` shuts the mesh down."""

    mesh: ModelMesh
    chat: AsyncChat
    embeddings: AsyncEmbeddings
    models: AsyncModels

    def _bind(self, defaults: Defaults) -> None:
        super()._bind(defaults)
        self.chat = AsyncChat(self._requests, defaults)
        self.embeddings = AsyncEmbeddings(self._requests, defaults)
        self.models = AsyncModels(self.mesh)

    async def close(self) -> None:
        """Shut the mesh down."""
        await self.mesh.ashutdown()

    async def aclose(self) -> None:
        """Alias of :meth:`close`, by the name that ``contextlib.aclosing`` expects."""
        await self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


AsyncMeshClient = OpenAIClient
"""Alias of :class:`OpenAIClient`, by the naming of :class:`MeshClient`."""
