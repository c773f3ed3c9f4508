"""The raw interface of the official SDK, as far as frameworks use it: ``with_raw_response.create(…).parse()``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

Parsed = TypeVar("Parsed")


class RawResponse(Generic[Parsed]):
    """A reply, and the headers it came with."""

    def __init__(self, parsed: Parsed) -> None:
        self._parsed = parsed

    def parse(self) -> Parsed:
        """Return the reply."""
        return self._parsed

    @property
    def headers(self) -> Mapping[str, str]:
        """The vendor's response headers, names in lower case."""
        metadata = getattr(self._parsed, "metadata", None) or {}
        return dict(metadata.get("headers", {}))

    @property
    def status_code(self) -> int:
        """200: an answer that failed is raised."""
        return 200


class RawCompletions:
    """``with_raw_response`` for threads."""

    def __init__(self, completions: Any) -> None:
        self._completions = completions

    def create(self, **arguments: Any) -> RawResponse[Any]:
        """Ask for a chat completion; arguments and errors are those of the plain ``create``."""
        return RawResponse(self._completions.create(**arguments))


class AsyncRawCompletions:
    """``with_raw_response`` for asyncio."""

    def __init__(self, completions: Any) -> None:
        self._completions = completions

    async def create(self, **arguments: Any) -> RawResponse[Any]:
        """Ask for a chat completion; arguments and errors are those of the plain ``create``."""
        return RawResponse(await self._completions.create(**arguments))
