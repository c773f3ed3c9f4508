"""Raw interfaces of the official SDK: ``with_raw_response`` and ``with_streaming_response``."""

from __future__ import annotations

import codecs
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from modelmesh.client.pieces import Lines, Rechunker, event_lines, final_lines, plain_lines
from modelmesh.client.signatures import present_as
from modelmesh.client.streams import AsyncStream, Stream
from modelmesh.client.unsupported import UnsupportedApi
from modelmesh.contracts.operations import StreamKind
from modelmesh.contracts.provider import REQUEST_ID_HEADERS

if TYPE_CHECKING:
    from modelmesh.client.resources.resource import Method

Parsed = TypeVar("Parsed")


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
        """The reply as text, JSON unless the vendor answered with a text or bytes."""
        if isinstance(self._parsed, bytes):
            return self._parsed.decode("utf-8", "replace")
        return str(self._parsed) if isinstance(self._parsed, str) else json.dumps(self._parsed, ensure_ascii=False)

    @property
    def content(self) -> bytes:
        """The reply as bytes."""
        return bytes(self._parsed) if isinstance(self._parsed, bytes) else self.text.encode()

    def json(self) -> Any:
        """Return the reply as plain data."""
        return json.loads(self.text)

    @property
    def _parts_are_bytes(self) -> bool:
        """Whether the answer is an open stream of bytes."""
        return isinstance(self._parsed, Stream | AsyncStream) and self._parsed.kind is StreamKind.BYTES

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._parsed!r}>"


class StreamedResponse(RawResponse[Any]):
    """Response of ``with_streaming_response``, closed at the end of the ``with`` block.

    Audio and files are passed on in pieces as they arrive, so that memory stays bounded.
    """

    def iter_bytes(self, chunk_size: int | None = None) -> Iterator[bytes]:
        """Yield the answer as bytes, in pieces of ``chunk_size`` or as they arrive."""
        if self._parts_are_bytes:
            pieces = Rechunker(chunk_size)
            for piece in self._parsed:
                yield from pieces.feed(piece)
            yield from pieces.end()
        elif not isinstance(self._parsed, Stream):
            yield self.content
        else:
            for line in self.iter_lines():
                yield f"{line}\n".encode()

    iter_raw = iter_bytes

    def iter_text(self, chunk_size: int | None = None) -> Iterator[str]:
        """Yield the answer as text."""
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        for piece in self.iter_bytes(chunk_size):
            yield decoder.decode(piece)

    def iter_lines(self) -> Iterator[str]:
        """Yield the lines of the answer: server-sent events of a stream, else the lines of the text."""
        if self._parts_are_bytes:
            lines = Lines()
            for piece in self._parsed:
                yield from lines.feed(piece)
            yield from lines.end()
        elif not isinstance(self._parsed, Stream):
            yield from plain_lines(self._parsed, self.text)
        else:
            for event in self._parsed:
                yield from event_lines(event)
            yield from final_lines(self._parsed)

    def read(self) -> bytes:
        """Return the complete answer."""
        return b"".join(self.iter_bytes())

    def stream_to_file(self, file: str | PathLike[str], *, chunk_size: int | None = None) -> None:
        """Write the answer to a file as it arrives."""
        with Path(file).open("wb") as target:
            target.writelines(self.iter_bytes(chunk_size))

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
        return json.loads(await self.read())

    async def iter_bytes(self, chunk_size: int | None = None) -> AsyncIterator[bytes]:
        """Yield the answer as bytes, in pieces of ``chunk_size`` or as they arrive."""
        if self._parts_are_bytes:
            pieces = Rechunker(chunk_size)
            async for piece in self._parsed:
                for part in pieces.feed(piece):
                    yield part
            for part in pieces.end():
                yield part
        elif not isinstance(self._parsed, AsyncStream):
            yield self.content
        else:
            async for line in self.iter_lines():
                yield f"{line}\n".encode()

    iter_raw = iter_bytes

    async def iter_text(self, chunk_size: int | None = None) -> AsyncIterator[str]:
        """Yield the answer as text."""
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        async for piece in self.iter_bytes(chunk_size):
            yield decoder.decode(piece)

    async def iter_lines(self) -> AsyncIterator[str]:
        """Yield the lines of the answer: server-sent events of a stream, else the lines of the text."""
        if self._parts_are_bytes:
            lines = Lines()
            async for piece in self._parsed:
                for line in lines.feed(piece):
                    yield line
            for line in lines.end():
                yield line
        elif not isinstance(self._parsed, AsyncStream):
            for line in plain_lines(self._parsed, self.text):
                yield line
        else:
            async for event in self._parsed:
                for line in event_lines(event):
                    yield line
            for line in final_lines(self._parsed):
                yield line

    async def read(self) -> bytes:
        """Return the complete answer."""
        return b"".join([piece async for piece in self.iter_bytes()])

    async def stream_to_file(self, file: str | PathLike[str], *, chunk_size: int | None = None) -> None:
        """Write the answer to a file as it arrives. Another thread writes."""
        import asyncio  # noqa: PLC0415 - a client for threads does not import it

        target = await asyncio.to_thread(Path(file).open, "wb")
        try:
            async for piece in self.iter_bytes(chunk_size):
                await asyncio.to_thread(target.write, piece)
        finally:
            await asyncio.to_thread(target.close)

    async def close(self) -> None:
        """Close the connection of a stream."""
        if isinstance(self._parsed, AsyncStream):
            await self._parsed.close()


class StreamedCall:
    """A call that a ``with`` block makes at its start and closes at its end."""

    def __init__(self, create: Callable[[], Any]) -> None:
        self._create = create
        self._response: StreamedResponse | None = None

    def __enter__(self) -> StreamedResponse:
        self._response = StreamedResponse(self._create())
        return self._response

    def __exit__(self, *_: object) -> None:
        if self._response is not None:
            self._response.close()


class AsyncStreamedCall:
    """A call that an ``async with`` block makes at its start and closes at its end."""

    def __init__(self, create: Callable[[], Awaitable[Any]]) -> None:
        self._create = create
        self._response: AsyncStreamedResponse | None = None

    async def __aenter__(self) -> AsyncStreamedResponse:
        self._response = AsyncStreamedResponse(await self._create())
        return self._response

    async def __aexit__(self, *_: object) -> None:
        if self._response is not None:
            await self._response.close()


class _RawResource:
    """The methods of a resource, and of the resources in it, with other results. They raise the same errors."""

    def __init__(self, target: Any) -> None:
        self._target = target

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._target, name) if name[:1] != "_" else None
        method = getattr(found, "method", None)
        if method is not None or name in getattr(self._target, "_methods", ()):
            wrapper = self._wrap(found, method)
        elif isinstance(found, UnsupportedApi):
            wrapper = type(self)(found)
        else:
            message = f"{type(self).__name__!r} of {self._target!r} has no attribute {name!r}"
            raise AttributeError(message)
        self.__dict__[name] = wrapper
        return wrapper

    def _wrap(self, bound: Any, method: Method | None) -> Any:
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._target!r}>"


class Raw(_RawResource):
    """``with_raw_response`` for threads: each method returns a :class:`RawResponse`."""

    def _wrap(self, bound: Any, method: Method | None) -> Any:
        return present_as(bound, "RawResponse[{}]", lambda *path, **arguments: RawResponse(bound(*path, **arguments)))


class AsyncRaw(_RawResource):
    """``with_raw_response`` for asyncio: each method returns a :class:`RawResponse`."""

    def _wrap(self, bound: Any, method: Method | None) -> Any:
        async def call_raw(*path: Any, **arguments: Any) -> RawResponse[Any]:
            return RawResponse(await bound(*path, **arguments))

        return present_as(bound, "RawResponse[{}]", call_raw)


class Streaming(_RawResource):
    """``with_streaming_response`` for threads: each method returns a context manager that makes the call."""

    def _wrap(self, bound: Any, method: Method | None) -> Any:
        def call_streamed(*path: Any, **arguments: Any) -> StreamedCall:
            return StreamedCall(_in_pieces(bound, method, path, arguments))

        return present_as(bound, "StreamedCall", call_streamed)


class AsyncStreaming(_RawResource):
    """``with_streaming_response`` for asyncio: each method returns a context manager that makes the call."""

    def _wrap(self, bound: Any, method: Method | None) -> Any:
        def call_streamed(*path: Any, **arguments: Any) -> AsyncStreamedCall:
            return AsyncStreamedCall(_in_pieces(bound, method, path, arguments))

        return present_as(bound, "AsyncStreamedCall", call_streamed)


def _in_pieces(bound: Any, method: Method | None, path: tuple[Any, ...], arguments: Mapping[str, Any]) -> Callable[[], Any]:
    """Return the call of a method. A body of bytes is not read into memory but streamed."""
    if method is None:
        return lambda: bound(*path, **arguments)
    given = method.bind(path, arguments)
    as_bytes = method.operation.stream is StreamKind.BYTES
    return lambda: bound.__self__._invoke(method, given, as_bytes=as_bytes)  # noqa: SLF001 - the resource of the method
