"""Pages of the lists of an account's resources, with the members of the official SDK's cursor pages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterator
from typing import Any, Generic, Self, TypeVar

from modelmesh.client.replies import Reply

ItemT = TypeVar("ItemT")


class _Page(Reply, Generic[ItemT]):
    """Members that both kinds of page share."""

    __slots__ = ("_fetch",)

    _fetch: Callable[[str], Any]
    object: str
    data: list[ItemT]
    has_more: bool | None

    def __init__(self, reply: Reply, shape: Any, fetch: Callable[[str], Any]) -> None:
        """Turn the first page into one that can fetch the next.

        Args:
            reply: The answer.
            shape: Class of the items.
            fetch: Returns the page after an ID.
        """
        history = reply._history  # noqa: SLF001 - a page is that reply, with the same history
        super().__init__(dict(reply), history)
        object.__setattr__(self, "_fetch", fetch)
        made = [_item(shape, one, history) for one in dict.get(self, "data") or ()]
        dict.__setitem__(self, "data", made)

    def next_page_info(self) -> dict[str, Any] | None:
        """Return the arguments that select the next page, ``None`` for an empty page."""
        last = self.data[-1] if self.data else None
        after = last.get("id") if isinstance(last, dict) else None
        return None if after is None else {"after": after}

    def has_next_page(self) -> bool:
        """Return whether there may be another page."""
        return self.has_more is not False and self.next_page_info() is not None

    def _after(self) -> str:
        info = self.next_page_info()
        if info is None:
            message = "no next page: this page is empty. Check has_next_page() first."
            raise RuntimeError(message)
        return str(info["after"])

    def __reduce__(self) -> tuple[Any, ...]:
        return (Reply, (self.model_dump(), self._stored()))


class CursorPage(_Page[ItemT]):
    """One page of a list. Iteration continues on the next pages."""

    __slots__ = ()

    def get_next_page(self) -> Self:
        """Fetch the next page.

        Raises:
            RuntimeError: This page is empty.
        """
        return self._fetch(self._after())  # type: ignore[no-any-return]

    def iter_pages(self) -> Iterator[Self]:
        """Yield this page and the next ones."""
        page = self
        yield page
        while page.has_next_page():
            page = page.get_next_page()
            yield page

    def __iter__(self) -> Iterator[ItemT]:  # type: ignore[override]
        for page in self.iter_pages():
            yield from page.data


class AsyncCursorPage(_Page[ItemT]):
    """One page of a list for asyncio. ``async for`` continues on the next pages."""

    __slots__ = ()

    async def get_next_page(self) -> Self:
        """Fetch the next page.

        Raises:
            RuntimeError: This page is empty.
        """
        return await self._fetch(self._after())  # type: ignore[no-any-return]

    async def iter_pages(self) -> AsyncIterator[Self]:
        """Yield this page and the next ones."""
        page = self
        yield page
        while page.has_next_page():
            page = await page.get_next_page()
            yield page

    async def __aiter__(self) -> AsyncIterator[ItemT]:
        async for page in self.iter_pages():
            for one in page.data:
                yield one


class AsyncPaginator(Generic[ItemT]):
    """Result of ``list()`` of the asynchronous client: ``await`` returns the first page, ``async for`` yields every item."""

    def __init__(self, first: Callable[[], Coroutine[Any, Any, AsyncCursorPage[ItemT]]]) -> None:
        """Send no request yet. Each use sends its own."""
        self._first = first

    def __await__(self) -> Generator[Any, None, AsyncCursorPage[ItemT]]:
        return self._first().__await__()

    async def __aiter__(self) -> AsyncIterator[ItemT]:
        async for one in await self:
            yield one


def _item(shape: Any, one: Any, history: Any) -> Any:
    if not isinstance(one, dict):
        return one
    return shape(one, history) if issubclass(shape, Reply) else shape(one)
