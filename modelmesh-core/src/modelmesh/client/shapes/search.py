"""Types of rerank and search results. OpenAI has neither operation."""

from __future__ import annotations

from typing import Any

from modelmesh.client.attribute_dict import AttributeDict
from modelmesh.client.replies import Reply


class RerankResult(AttributeDict):
    """One document. ``index`` is its position in the request."""

    __slots__ = ()

    index: int
    relevance_score: float
    document: Any


class RerankResponse(Reply, nested={"results": RerankResult}):
    """Documents by relevance, the most relevant first."""

    __slots__ = ()

    id: str | None
    model: str
    results: list[RerankResult]
    meta: Any
    usage: Any


class SearchResult(AttributeDict):
    """One web page."""

    __slots__ = ()

    title: str | None
    url: str | None
    snippet: str | None
    content: str | None
    date: str | None
    last_updated: str | None
    score: float | None


class SearchResponse(Reply, nested={"results": SearchResult}):
    """Web pages, the most relevant first."""

    __slots__ = ()

    id: str | None
    results: list[SearchResult]
    usage: Any
