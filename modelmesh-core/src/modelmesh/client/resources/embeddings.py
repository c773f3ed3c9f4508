"""``client.embeddings``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from modelmesh.client.replies import CreateEmbeddingResponse
from modelmesh.client.resources.resource import AsyncResource, Awaited, SyncResource, method
from modelmesh.client.signatures import EmbeddingsCreate
from modelmesh.contracts.operations import EMBEDDINGS

if TYPE_CHECKING:
    from modelmesh.client.raw import AsyncStreamedCall, RawResponse, StreamedCall

ReplyT = TypeVar("ReplyT")


class EmbeddingsMethods(Generic[ReplyT]):
    """Methods of ``client.embeddings``."""

    create: EmbeddingsCreate[ReplyT] = method(EMBEDDINGS, EmbeddingsCreate, reply=CreateEmbeddingResponse)


class Embeddings(SyncResource, EmbeddingsMethods[CreateEmbeddingResponse]):
    """``client.embeddings``."""

    _prefix = "embeddings."
    if TYPE_CHECKING:
        with_raw_response: EmbeddingsMethods[RawResponse[CreateEmbeddingResponse]]
        with_streaming_response: EmbeddingsMethods[StreamedCall]


class AsyncEmbeddings(AsyncResource, EmbeddingsMethods[Awaited[CreateEmbeddingResponse]]):
    """``client.embeddings``."""

    _prefix = "embeddings."
    if TYPE_CHECKING:
        with_raw_response: EmbeddingsMethods[Awaited[RawResponse[CreateEmbeddingResponse]]]
        with_streaming_response: EmbeddingsMethods[AsyncStreamedCall]
