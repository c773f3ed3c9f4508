"""The clients, and the mesh that makes them. They stand in one module because each returns the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from modelmesh._engine.mesh import MeshEngine
from modelmesh.client.base import BaseClient
from modelmesh.client.lazy_resource import lazy_resource
from modelmesh.client.official_sdks import OfficialSdks
from modelmesh.contracts.call import NO_OPTIONS, CallOptions

if TYPE_CHECKING:
    from modelmesh.client.resources.audio import AsyncAudio, Audio
    from modelmesh.client.resources.batches import AsyncBatches, Batches
    from modelmesh.client.resources.chat import AsyncChat, Chat
    from modelmesh.client.resources.completions import AsyncLegacyCompletions, LegacyCompletions
    from modelmesh.client.resources.embeddings import AsyncEmbeddings, Embeddings
    from modelmesh.client.resources.files import AsyncFiles, Files
    from modelmesh.client.resources.images import AsyncImages, Images
    from modelmesh.client.resources.models import AsyncModels, Models
    from modelmesh.client.resources.moderations import AsyncModerations, Moderations
    from modelmesh.client.resources.rerank import AsyncRerank, Rerank
    from modelmesh.client.resources.responses import AsyncResponses, Responses
    from modelmesh.client.resources.search import AsyncSearch, Search
    from modelmesh.client.resources.uploads import AsyncUploads, Uploads


class ModelMesh(OfficialSdks, MeshEngine):
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

    def _bridged(self) -> tuple[MeshEngine, CallOptions]:
        return self, NO_OPTIONS


class MeshClient(BaseClient):
    """OpenAI's interface over a mesh. Safe to share between threads. ``with`` or :meth:`close` shuts the mesh down."""

    mesh: ModelMesh
    chat: Chat = lazy_resource("chat", "Chat")
    completions: LegacyCompletions = lazy_resource("completions", "LegacyCompletions")
    responses: Responses = lazy_resource("responses", "Responses")
    embeddings: Embeddings = lazy_resource("embeddings", "Embeddings")
    audio: Audio = lazy_resource("audio", "Audio")
    images: Images = lazy_resource("images", "Images")
    moderations: Moderations = lazy_resource("moderations", "Moderations")
    rerank: Rerank = lazy_resource("rerank", "Rerank")
    search: Search = lazy_resource("search", "Search")
    files: Files = lazy_resource("files", "Files")
    batches: Batches = lazy_resource("batches", "Batches")
    uploads: Uploads = lazy_resource("uploads", "Uploads")
    models: Models = lazy_resource("models", "Models")

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
    _is_async = True

    chat: AsyncChat = lazy_resource("chat", "AsyncChat")
    completions: AsyncLegacyCompletions = lazy_resource("completions", "AsyncLegacyCompletions")
    responses: AsyncResponses = lazy_resource("responses", "AsyncResponses")
    embeddings: AsyncEmbeddings = lazy_resource("embeddings", "AsyncEmbeddings")
    audio: AsyncAudio = lazy_resource("audio", "AsyncAudio")
    images: AsyncImages = lazy_resource("images", "AsyncImages")
    moderations: AsyncModerations = lazy_resource("moderations", "AsyncModerations")
    rerank: AsyncRerank = lazy_resource("rerank", "AsyncRerank")
    search: AsyncSearch = lazy_resource("search", "AsyncSearch")
    files: AsyncFiles = lazy_resource("files", "AsyncFiles")
    batches: AsyncBatches = lazy_resource("batches", "AsyncBatches")
    uploads: AsyncUploads = lazy_resource("uploads", "AsyncUploads")
    models: AsyncModels = lazy_resource("models", "AsyncModels")

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
