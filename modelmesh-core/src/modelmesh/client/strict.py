"""Strict clients: calls accept known parameters only, for type checkers and at run time.

``create(strict_parameters=True)`` returns one. A vendor's own parameter goes into ``extra_body``.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from modelmesh.client.aio import AsyncChat, AsyncCompletions, AsyncEmbeddings
from modelmesh.client.clients import MeshClient, OpenAIClient
from modelmesh.client.defaults import STRICT_DEFAULTS, Defaults
from modelmesh.client.sync import Chat, Completions, Embeddings

if TYPE_CHECKING:
    from modelmesh._engine.mesh import MeshEngine
    from modelmesh.client.replies import ChatCompletion, CreateEmbeddingResponse
    from modelmesh.client.shapes import ChatCompletionChunk
    from modelmesh.client.signatures import StrictChatCreate, StrictEmbeddingsCreate
    from modelmesh.client.streams import AsyncStream, Stream


class StrictCompletions(Completions):
    """``client.chat.completions``."""

    if TYPE_CHECKING:
        create: StrictChatCreate[ChatCompletion, Stream[ChatCompletionChunk]]  # type: ignore[assignment]


class StrictEmbeddings(Embeddings):
    """``client.embeddings``."""

    if TYPE_CHECKING:
        create: StrictEmbeddingsCreate[CreateEmbeddingResponse]  # type: ignore[assignment]


class StrictChat(Chat):
    """``client.chat``."""

    completions: StrictCompletions


class StrictMeshClient(MeshClient):
    """A :class:`MeshClient` for which an unknown parameter is a type error, and a ``BadRequestError`` at run time."""

    chat: StrictChat
    embeddings: StrictEmbeddings

    def __init__(self, mesh: MeshEngine, defaults: Defaults = STRICT_DEFAULTS) -> None:
        super().__init__(mesh, defaults)


class AsyncStrictCompletions(AsyncCompletions):
    """``client.chat.completions``."""

    if TYPE_CHECKING:
        create: StrictChatCreate[  # type: ignore[assignment]
            Coroutine[Any, Any, ChatCompletion], Coroutine[Any, Any, AsyncStream[ChatCompletionChunk]]
        ]


class AsyncStrictEmbeddings(AsyncEmbeddings):
    """``client.embeddings``."""

    if TYPE_CHECKING:
        create: StrictEmbeddingsCreate[Coroutine[Any, Any, CreateEmbeddingResponse]]  # type: ignore[assignment]


class AsyncStrictChat(AsyncChat):
    """``client.chat``."""

    completions: AsyncStrictCompletions


class StrictOpenAIClient(OpenAIClient):
    """An :class:`OpenAIClient` for which an unknown parameter is a type error, and a ``BadRequestError`` at run time."""

    chat: AsyncStrictChat
    embeddings: AsyncStrictEmbeddings

    def __init__(self, mesh: MeshEngine, defaults: Defaults = STRICT_DEFAULTS) -> None:
        super().__init__(mesh, defaults)
