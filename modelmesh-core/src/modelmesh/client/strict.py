"""Strict clients: calls accept known parameters only, for type checkers and at run time.

``create(strict_parameters=True)`` returns one. A vendor's own parameter goes into ``extra_body``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelmesh.client.clients import MeshClient, OpenAIClient
from modelmesh.client.defaults import STRICT_DEFAULTS, Defaults

if TYPE_CHECKING:
    from modelmesh._engine.mesh import MeshEngine
    from modelmesh.client.replies import ChatCompletion, CreateEmbeddingResponse
    from modelmesh.client.resources.chat import AsyncChat, AsyncCompletions, Chat, Completions
    from modelmesh.client.resources.embeddings import AsyncEmbeddings, Embeddings
    from modelmesh.client.resources.resource import Awaited
    from modelmesh.client.shapes.chat import ChatCompletionChunk
    from modelmesh.client.signatures import StrictChatCreate, StrictEmbeddingsCreate
    from modelmesh.client.streams import AsyncStream, Stream

    class StrictCompletions(Completions):
        """``client.chat.completions``."""

        create: StrictChatCreate[ChatCompletion, Stream[ChatCompletionChunk]]  # type: ignore[assignment]

    class StrictEmbeddings(Embeddings):
        """``client.embeddings``."""

        create: StrictEmbeddingsCreate[CreateEmbeddingResponse]  # type: ignore[assignment]

    class StrictChat(Chat):
        """``client.chat``."""

        completions: StrictCompletions

    class AsyncStrictCompletions(AsyncCompletions):
        """``client.chat.completions``."""

        create: StrictChatCreate[Awaited[ChatCompletion], Awaited[AsyncStream[ChatCompletionChunk]]]  # type: ignore[assignment]

    class AsyncStrictEmbeddings(AsyncEmbeddings):
        """``client.embeddings``."""

        create: StrictEmbeddingsCreate[Awaited[CreateEmbeddingResponse]]  # type: ignore[assignment]

    class AsyncStrictChat(AsyncChat):
        """``client.chat``."""

        completions: AsyncStrictCompletions


class StrictMeshClient(MeshClient):
    """A :class:`MeshClient` for which an unknown parameter is a type error, and a ``BadRequestError`` at run time."""

    if TYPE_CHECKING:
        chat: StrictChat
        embeddings: StrictEmbeddings

    def __init__(self, mesh: MeshEngine, defaults: Defaults = STRICT_DEFAULTS) -> None:
        super().__init__(mesh, defaults)


class StrictOpenAIClient(OpenAIClient):
    """An :class:`OpenAIClient` for which an unknown parameter is a type error, and a ``BadRequestError`` at run time."""

    if TYPE_CHECKING:
        chat: AsyncStrictChat
        embeddings: AsyncStrictEmbeddings

    def __init__(self, mesh: MeshEngine, defaults: Defaults = STRICT_DEFAULTS) -> None:
        super().__init__(mesh, defaults)
