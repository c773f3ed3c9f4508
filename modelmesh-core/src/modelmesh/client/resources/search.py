"""``client.search``: web pages for a query. OpenAI has no such operation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Generic, Protocol, TypedDict, TypeVar, Unpack

from modelmesh.client.parameters import CallExtras
from modelmesh.client.resources.resource import AsyncResource, Awaited, SyncResource, method
from modelmesh.client.shapes.search import SearchResponse
from modelmesh.contracts.operations import SEARCH

if TYPE_CHECKING:
    from modelmesh.client.raw import AsyncStreamedCall, RawResponse, StreamedCall

ReplyT_co = TypeVar("ReplyT_co", covariant=True)
ReplyT = TypeVar("ReplyT")


class _RequiredOfSearch(TypedDict):
    query: str | Sequence[str]


class SearchParameters(_RequiredOfSearch, CallExtras, total=False):
    """Parameters of ``search.create``."""

    model: str | None
    max_results: int | None
    country: str | None
    search_domain_filter: Sequence[str] | None
    max_tokens_per_page: int | None


class SearchCreate(Protocol[ReplyT_co]):
    """Signature of ``search.create``."""

    def __call__(self, **parameters: Unpack[SearchParameters]) -> ReplyT_co:
        """Search the web. Without ``model``, the pool ``web-search`` serves the request.

        Returns:
            ``results``, the most relevant page first, with ``title``, ``url`` and ``snippet``.

        Raises:
            AllProvidersExhaustedError: Every attempt failed.
            NoActiveModelError: No model is eligible and available.
            BadRequestError: The request itself is wrong. Nothing was sent.
            CapabilityNotFoundError: No pool serves ``model``.
        """
        ...


class SearchMethods(Generic[ReplyT]):
    """Methods of ``client.search``."""

    create: SearchCreate[ReplyT] = method(SEARCH, SearchCreate, SearchParameters, reply=SearchResponse)


class Search(SyncResource, SearchMethods[SearchResponse]):
    """``client.search``."""

    _prefix = "search."
    if TYPE_CHECKING:
        with_raw_response: SearchMethods[RawResponse[SearchResponse]]
        with_streaming_response: SearchMethods[StreamedCall]


class AsyncSearch(AsyncResource, SearchMethods[Awaited[SearchResponse]]):
    """``client.search``."""

    _prefix = "search."
    if TYPE_CHECKING:
        with_raw_response: SearchMethods[Awaited[RawResponse[SearchResponse]]]
        with_streaming_response: SearchMethods[AsyncStreamedCall]
