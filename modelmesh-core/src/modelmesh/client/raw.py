"""Raw interfaces of the official SDK: ``with_raw_response`` and ``with_streaming_response``."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from typing import Any, Generic, TypeVar, cast

from modelmesh.client.signatures import present_as
from modelmesh.client.streams import AsyncStream, Stream
from modelmesh.contracts.provider import REQUEST_ID_HEADERS

Parsed = TypeVar("Parsed")
CreateT = TypeVar("CreateT")


class Headers(dict[str, str]):
    """Response headers. Names are stored in lower case and found in any case."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        super().__init__({name.lower(): value for name, value in headers.items()})

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name.lower() if isinstance(name, str) else name)

    def get(self, name: str, default: Any = None) -> Any:
        """Return a header, or ``default`` if the vendor did not send it."""
        return super().get(name.lower(), default)


class RawResponse(Generic[Parsed]):
    """A reply or an open stream with its response headers."""

    def __init__(self, parsed: Parsed) -> None:
        self._parsed = parsed

    def parse(self) -> Parsed:
        """Return the reply, or the open stream."""
        return self._parsed

    @property
    def headers(self) -> Headers:
        """The vendor's response headers."""
        metadata = getattr(self._parsed, "metadata", None) or {}
        return Headers(metadata.get("headers", {}))

    @property
    def status_code(self) -> int:
        """Always 200, because a failed request raises."""
        return 200

    @property
    def request_id(self) -> str | None:
        """The vendor's request ID, ``None`` if the vendor sent none."""
        headers = self.headers
        return next((headers[name] for name in REQUEST_ID_HEADERS if name in headers), None)

    @property
    def retries_taken(self) -> int:
        """Number of attempts before the successful one."""
        return max(len(getattr(self._parsed, "attempts", ())) - 1, 0)

    @property
    def text(self) -> str:
        """The reply as JSON text."""
        return json.dumps(self._parsed, ensure_ascii=False)

    @property
    def content(self) -> bytes:
        """The reply as JSON text in UTF-8."""
        return self.text.encode()

    def json(self) -> Any:
        """Return the reply as plain data."""
        return json.loads(self.text)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._parsed!r}>"


class StreamedResponse(RawResponse[Any]):
    """Response of ``with_streaming_response``, closed at the end of the ``with`` block."""

    def iter_lines(self) -> Iterator[str]:
        """Yield the lines of the answer: server-sent events of a stream, else JSON text."""
        if not isinstance(self._parsed, Stream):
            yield self.text
            return
        for chunk in self._parsed:
            yield f"data: {json.dumps(chunk, ensure_ascii=False)}"
            yield ""
        yield "data: [DONE]"
        yield ""

    def iter_text(self, chunk_size: int | None = None) -> Iterator[str]:
        """Yield the answer as text. The vendor determines the size of the pieces."""
        del chunk_size
        streamed = isinstance(self._parsed, Stream)
        for line in self.iter_lines():
            yield f"{line}\n" if streamed else line

    def iter_bytes(self, chunk_size: int | None = None) -> Iterator[bytes]:
        """Yield the answer as bytes."""
        for piece in self.iter_text(chunk_size):
            yield piece.encode()

    def read(self) -> bytes:
        """Return the complete answer."""
        return b"".join(self.iter_bytes())

    def close(self) -> None:
        """Close the connection of a stream."""
        if isinstance(self._parsed, Stream):
            self._parsed.close()


class AsyncStreamedResponse(RawResponse[Any]):
    """Response of ``with_streaming_response`` for asyncio."""

    async def parse(self) -> Any:
        """Return the reply, or the open stream."""
        return self._parsed

    async def json(self) -> Any:
        """Return the reply as plain data."""
        return json.loads(self.text)

    async def iter_lines(self) -> AsyncIterator[str]:
        """Yield the lines of the answer: server-sent events of a stream, else JSON text."""
        if not isinstance(self._parsed, AsyncStream):
            yield self.text
            return
        async for chunk in self._parsed:
            yield f"data: {json.dumps(chunk, ensure_ascii=False)}"
            yield ""
        yield "data: [DONE]"
        yield ""

    async def iter_text(self, chunk_size: int | None = None) -> AsyncIterator[str]:
        """Yield the answer as text. The vendor determines the size of the pieces."""
        del chunk_size
        streamed = isinstance(self._parsed, AsyncStream)
        async for line in self.iter_lines():
            yield f"{line}\n" if streamed else line

    async def iter_bytes(self, chunk_size: int | None = None) -> AsyncIterator[bytes]:
        """Yield the answer as bytes."""
        async for piece in self.iter_text(chunk_size):
            yield piece.encode()

    async def read(self) -> bytes:
        """Return the complete answer."""
        return b"".join([piece async for piece in self.iter_bytes()])

    async def close(self) -> None:
        """Close the connection of a stream."""
        if isinstance(self._parsed, AsyncStream):
            await self._parsed.close()


class StreamedCall:
    """A call that a ``with`` block makes at its start and closes at its end."""

    def __init__(self, create: Callable[..., Any], arguments: Mapping[str, Any]) -> None:
        self._create, self._arguments = create, arguments
        self._response: StreamedResponse | None = None

    def __enter__(self) -> StreamedResponse:
        self._response = StreamedResponse(self._create(**self._arguments))
        return self._response

    def __exit__(self, *_: object) -> None:
        if self._response is not None:
            self._response.close()


class AsyncStreamedCall:
    """A call that an ``async with`` block makes at its start and closes at its end."""

    def __init__(self, create: Callable[..., Awaitable[Any]], arguments: Mapping[str, Any]) -> None:
        self._create, self._arguments = create, arguments
        self._response: AsyncStreamedResponse | None = None

    async def __aenter__(self) -> AsyncStreamedResponse:
        self._response = AsyncStreamedResponse(await self._create(**self._arguments))
        return self._response

    async def __aexit__(self, *_: object) -> None:
        if self._response is not None:
            await self._response.close()


class _Resource(Generic[CreateT]):
    """A resource with ``create`` only.

    Attributes:
        create: Takes the arguments of the plain ``create`` and raises the same errors.
    """

    def __init__(self, create: Callable[..., Any]) -> None:
        self.create = cast("CreateT", create)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of the client: create()>"


class Raw(_Resource[CreateT]):
    """``with_raw_response`` for threads: ``create`` returns a :class:`RawResponse`."""

    def __init__(self, create: Callable[..., Any]) -> None:
        super().__init__(present_as(create, "RawResponse[{}]", lambda **arguments: RawResponse(create(**arguments))))


class AsyncRaw(_Resource[CreateT]):
    """``with_raw_response`` for asyncio: ``create`` returns a :class:`RawResponse`."""

    def __init__(self, create: Callable[..., Awaitable[Any]]) -> None:
        async def create_raw(**arguments: Any) -> RawResponse[Any]:
            return RawResponse(await create(**arguments))

        super().__init__(present_as(create, "RawResponse[{}]", create_raw))


class Streaming(_Resource[CreateT]):
    """``with_streaming_response`` for threads: ``create`` returns a context manager that makes the call."""

    def __init__(self, create: Callable[..., Any]) -> None:
        super().__init__(present_as(create, "StreamedCall", lambda **arguments: StreamedCall(create, arguments)))


class AsyncStreaming(_Resource[CreateT]):
    """``with_streaming_response`` for asyncio: ``create`` returns a context manager that makes the call."""

    def __init__(self, create: Callable[..., Awaitable[Any]]) -> None:
        super().__init__(present_as(create, "AsyncStreamedCall", lambda **arguments: AsyncStreamedCall(create, arguments)))
