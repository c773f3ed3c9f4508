"""``client.rerank``: documents by relevance. OpenAI has no such operation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypedDict, TypeVar, Unpack

from modelmesh.client.parameters import CallExtras
from modelmesh.client.resources.resource import AsyncResource, Awaited, SyncResource, method
from modelmesh.client.shapes.search import RerankResponse
from modelmesh.contracts.operations import RERANK

if TYPE_CHECKING:
    from modelmesh.client.raw import AsyncStreamedCall, RawResponse, StreamedCall

ReplyT_co = TypeVar("ReplyT_co", covariant=True)
ReplyT = TypeVar("ReplyT")


class _RequiredOfRerank(TypedDict):
    query: str
    documents: Sequence[str | Mapping[str, Any]]


class RerankParameters(_RequiredOfRerank, CallExtras, total=False):
    """Parameters of ``rerank.create``."""

    model: str | None
    top_n: int | None
    return_documents: bool | None
    max_tokens_per_doc: int | None


class RerankCreate(Protocol[ReplyT_co]):
    """Signature of ``rerank.create``."""

    def __call__(self, **parameters: Unpack[RerankParameters]) -> ReplyT_co:
        """Order documents by their relevance for a query. Without ``model``, the pool ``reranking`` serves the request.

        Returns:
            ``results``, the most relevant document first. ``index`` is its position in ``documents``.

        Raises:
            AllProvidersExhaustedError: Every attempt failed.
            NoActiveModelError: No model is eligible and available.
            BadRequestError: The request itself is wrong. Nothing was sent.
            CapabilityNotFoundError: No pool serves ``model``.
        """
        ...


class RerankMethods(Generic[ReplyT]):
    """Methods of ``client.rerank``."""

    create: RerankCreate[ReplyT] = method(RERANK, RerankCreate, RerankParameters, reply=RerankResponse)


class Rerank(SyncResource, RerankMethods[RerankResponse]):
    """``client.rerank``."""

    _prefix = "rerank."
    if TYPE_CHECKING:
        with_raw_response: RerankMethods[RawResponse[RerankResponse]]
        with_streaming_response: RerankMethods[StreamedCall]


class AsyncRerank(AsyncResource, RerankMethods[Awaited[RerankResponse]]):
    """``client.rerank``."""

    _prefix = "rerank."
    if TYPE_CHECKING:
        with_raw_response: RerankMethods[Awaited[RawResponse[RerankResponse]]]
        with_streaming_response: RerankMethods[AsyncStreamedCall]
