"""Requests and responses of the gateway."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from attrs import define, field

from modelmesh.contracts.caller import Caller
from modelmesh.contracts.files import FileUpload


@define
class GatewayRequest:
    """An HTTP request.

    Attributes:
        method: HTTP method, upper case.
        path: Path, percent-encoded, without the query.
        query: Decoded query parameters in order.
        headers: Headers, names in lower case.
        body: The body, whole or in pieces. :meth:`.Gateway.handle` accepts no asynchronous pieces.
        timeout: Seconds for the request over all attempts. ``None`` applies the pool's limit.
        form: Returns the fields and files of a multipart body that the caller has as objects, so that no body is parsed. ``None``
            without them. It may raise a :class:`~modelmesh.errors.BadRequestError`.
        caller: The application that sent it, ``None`` when nothing limits it.
    """

    method: str
    path: str
    query: Sequence[tuple[str, str]] = ()
    headers: Mapping[str, str] = field(factory=dict)
    body: bytes | Iterable[bytes] | AsyncIterable[bytes] = b""
    timeout: float | None = None
    form: Callable[[], Sequence[tuple[str, str | FileUpload]]] | None = None
    caller: Caller | None = None


class ByteStream(Protocol):
    """Pieces of a response that arrive later."""

    def __iter__(self) -> Iterator[bytes]:
        """Yield pieces."""
        ...

    def close(self) -> None:
        """Close the vendor's stream, read to its end or not. May be called twice."""
        ...


class AsyncByteStream(Protocol):
    """The same for asyncio."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield pieces."""
        ...

    async def aclose(self) -> None:
        """Close the vendor's stream, read to its end or not. May be called twice."""
        ...


@define
class GatewayResponse:
    """An HTTP response.

    Attributes:
        status: HTTP status.
        headers: Headers, names in lower case.
        content: The whole body, or pieces that the receiver reads and closes.
        error: The error that the body describes, ``None`` for a success and for an error of the HTTP request itself.
    """

    status: int
    headers: list[tuple[str, str]]
    content: bytes | ByteStream | AsyncByteStream = b""
    error: Exception | None = None


class HttpError(Exception):
    """An HTTP request that reaches no operation: an unknown path, a wrong method or an invalid body.

    Attributes:
        status: HTTP status.
        message: What is wrong, and what to do.
        code: Code of the error body.
        param: The parameter at fault, if any.
        headers: Further response headers.
    """

    def __init__(
        self, status: int, message: str, *, code: str | None = None, param: str | None = None, allow: str | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.code, self.param = status, message, code, param
        self.headers = [] if allow is None else [("allow", allow)]
