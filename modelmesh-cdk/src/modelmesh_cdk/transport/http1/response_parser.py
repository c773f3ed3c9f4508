"""Parser of the responses of one connection, over llhttp.

A response must never be read as the response to another request. The parser therefore determines where a response ends to the
byte, and a single byte after that end makes the connection unusable for another exchange. llhttp skips line breaks between two
messages without a callback, so it parses only the head and chunks here. The end of the head and of a body of known length is
counted, and the end of a chunked body is compared with the only bytes that can end it.

Each exchange has a new llhttp parser. No state of one response can change how the next one is read.
"""

from __future__ import annotations

from collections import deque
from enum import Enum
from typing import Any

import httptools

from modelmesh_cdk.transport.http1.errors import InvalidResponseError
from modelmesh_cdk.transport.http1.lenient_head import end_of_head, standard_form

MAX_HEADERS = 256
"""Headers of a response, and trailers of its body."""
MAX_HEAD = 102_400
"""Bytes of the head of a response, as over httpx2, and of the extensions and trailers of a chunked body."""
MAX_INFORMATIONAL = 32
"""Informational responses (1xx) before the final one."""

_END_OF_CHUNKS = b"\r\n\r\n"
_FRAME = 256  # bytes of framing that a piece of a chunk may have at no charge
_TAIL = 5  # bytes: the end of a chunked body and the byte before it
_SWITCHING_PROTOCOLS = 101
_SUCCESS = 200
_WITHOUT_BODY = (204, 304)
_ERRORS = (httptools.HttpParserError, httptools.HttpParserUpgrade)


class _Framing(Enum):
    """How the end of the body is determined."""

    LENGTH = "length"
    CHUNKED = "chunked"
    UNTIL_CLOSE = "until close"


class ResponseParser:
    """Parses one response after the other. :meth:`start` comes before each exchange.

    Attributes:
        status: Status code, 0 before the headers.
        headers: Headers with names in lower case. Values of a repeated name are joined with a comma.
        has_headers: Whether the head of the final response is complete.
        has_bytes: Whether any byte of a response came.
        is_complete: Whether the response has ended.
        is_reusable: Whether the response has ended exactly with the last byte received, on a connection that stays open.
        failure: Reason why the bytes are no response. It belongs after the pieces in ``body``.
        body: Pieces of the body. The caller removes the pieces that it has taken.
    """

    __slots__ = (
        "_buffer",
        "_framing",
        "_header_count",
        "_in_head",
        "_informational",
        "_is_standard",
        "_left",
        "_method",
        "_overhead",
        "_parser",
        "_received",
        "_stays_open",
        "_tail",
        "body",
        "failure",
        "has_bytes",
        "has_headers",
        "headers",
        "is_complete",
        "is_reusable",
        "status",
    )

    def __init__(self) -> None:
        self.start("GET")
        self.is_complete = True  # bytes before the first request belong to no response

    def start(self, method: str) -> None:
        """Begin an exchange.

        Args:
            method: Method of the request. A response to ``HEAD`` has no body.
        """
        self._method = method
        self._buffer = b""
        self._informational = self._header_count = self._overhead = self._left = self._received = 0
        self._framing: _Framing | None = None
        self._in_head = self._stays_open = False
        self._is_standard = True
        self._tail = b""
        self.body: deque[bytes] = deque()  # the caller may still hold the pieces of the last response
        self.status = 0
        self.headers: dict[str, str] = {}
        self.failure: InvalidResponseError | None = None
        self.has_bytes = self.has_headers = self.is_complete = self.is_reusable = False
        self._parser: Any = httptools.HttpResponseParser(self)

    def release(self) -> None:
        """Break the reference cycle with llhttp's parser. The connection is closed."""
        self._parser = None

    def feed(self, data: bytes) -> None:
        """Parse bytes of the server. :attr:`failure` is set if they are no response."""
        if not data or self.failure is not None:
            return
        self.has_bytes = True
        try:
            if self.is_complete:
                self.is_reusable = False
            elif self.has_headers:
                self._feed_body(data)
            else:
                self._feed_head(self._buffer + data if self._buffer else data)
        except InvalidResponseError as error:
            self.failure = error

    def feed_eof(self) -> None:
        """End the response, because the server has closed the connection. :attr:`failure` is set if it is incomplete."""
        self.is_reusable = False
        if self.is_complete or self.failure is not None:
            return
        if not self.has_headers:
            self.failure = InvalidResponseError("Server disconnected without sending a response.")
        elif self._framing is _Framing.UNTIL_CLOSE:
            self.is_complete = True
        else:
            left = "incomplete chunked read"
            if self._framing is _Framing.LENGTH:
                left = f"received {self._received} bytes, expected {self._received + self._left}"
            self.failure = InvalidResponseError(f"peer closed connection without sending complete message body ({left})")

    def _feed_head(self, data: bytes) -> None:
        while end := end_of_head(data):
            self._parse_head(data[:end])
            data = data[end:]
            if self.status:
                self._buffer = b""
                self._begin_body(data)
                return
        if len(data) > MAX_HEAD:
            message = f"the head of the response exceeds {MAX_HEAD} bytes"
            raise InvalidResponseError(message)
        if not _may_begin_head(data):
            raise InvalidResponseError("the response is not HTTP/1.1")
        self._buffer = data

    def _parse_head(self, head: bytes) -> None:
        """Parse one head, which may be informational.

        Args:
            head: The head with the empty line that ends it.
        """
        if len(head) > MAX_HEAD:
            message = f"the head of the response exceeds {MAX_HEAD} bytes"
            raise InvalidResponseError(message)
        if not _may_begin_head(head):
            raise InvalidResponseError("the response is not HTTP/1.1")
        self._parse_lines(head)
        if self._in_head:
            raise InvalidResponseError("the head of the response is incomplete")
        status = self.status
        if status >= _SUCCESS:
            self._stays_open = self._stays_open and self._is_standard and head.startswith(b"HTTP/1.1")
            return
        if status == _SWITCHING_PROTOCOLS or status < 100:  # noqa: PLR2004 - the lowest status
            message = f"unexpected status {status}"
            raise InvalidResponseError(message)
        self._informational += 1
        if self._informational > MAX_INFORMATIONAL:
            message = f"more than {MAX_INFORMATIONAL} informational responses came"
            raise InvalidResponseError(message)
        self._begin_head()

    def _parse_lines(self, head: bytes) -> None:
        """Pass a head to llhttp, in its standard form if llhttp refuses it as it is."""
        self._in_head = True
        try:
            self._parser.feed_data(head)
        except _ERRORS as error:
            failure = self._invalid(error)
            standard = standard_form(head)
            if standard == head or self.failure is not None:
                raise failure from None
        else:
            return
        self._begin_head()
        self._is_standard, self._in_head = False, True
        try:
            self._parser.feed_data(standard)
        except _ERRORS as error:
            raise self._invalid(error) from None

    def _begin_head(self) -> None:
        """Drop what was read of a head."""
        self.status = self._header_count = 0
        self.headers = {}
        self._parser = httptools.HttpResponseParser(self)

    def _begin_body(self, data: bytes) -> None:
        """Determine how the body ends, and parse the bytes after the head."""
        headers = self.headers
        encoding, length = headers.get("transfer-encoding"), headers.get("content-length")
        if encoding is not None:
            if length is not None:
                raise InvalidResponseError("the response has both Transfer-Encoding and Content-Length")
            if encoding.strip().lower() != "chunked":
                raise InvalidResponseError("the response has another Transfer-Encoding than chunked")
        if length is not None and not (length.isascii() and length.strip().isdigit()):
            raise InvalidResponseError("the response has an invalid Content-Length")
        self.has_headers = True
        self._header_count = 0
        if self._method == "HEAD" or self.status in _WITHOUT_BODY or (length is not None and not int(length)):
            self._complete(exactly=not data)
            return
        if encoding is not None:
            self._framing = _Framing.CHUNKED
            self._parser.set_dangerous_leniencies(lenient_spaces_after_chunk_size=True)  # some servers pad the size
        elif length is not None:
            self._framing, self._left = _Framing.LENGTH, int(length)
        else:
            self._framing = _Framing.UNTIL_CLOSE
        if data:
            self._feed_body(data)

    def _feed_body(self, data: bytes) -> None:
        if self._framing is _Framing.CHUNKED:
            self._feed_chunks(data)
        elif self._framing is _Framing.UNTIL_CLOSE:
            self.body.append(data)
        elif len(data) < self._left:
            self._left -= len(data)
            self._received += len(data)
            self.body.append(data)
        else:
            surplus = len(data) > self._left
            self.body.append(data[: self._left] if surplus else data)
            self._complete(exactly=not surplus)

    def _feed_chunks(self, data: bytes) -> None:
        overhead = self._overhead
        self._overhead = len(data) if overhead < 0 else overhead + len(data)
        self._tail = data[-_TAIL:] if len(data) >= _TAIL else (self._tail + data)[-_TAIL:]
        try:
            self._parser.feed_data(data)
        except _ERRORS as error:
            failure = self._invalid(error)
            if self.is_complete:  # what follows the response is wrong, not the response
                self.failure = None
                return
            raise failure from None
        if self.is_complete:
            # Nothing but the end of the last chunk may be the end of the data. llhttp skips line breaks after it.
            self._complete(exactly=self._tail.endswith(_END_OF_CHUNKS) and self._tail[:-4] not in {b"\r", b"\n", b""})
        elif self._overhead > MAX_HEAD:
            message = f"the chunks have more than {MAX_HEAD} bytes of extensions and trailers"
            raise InvalidResponseError(message)

    def _complete(self, *, exactly: bool) -> None:
        """End the response.

        Args:
            exactly: Whether it has ended with the last byte received.
        """
        self.is_complete = True
        self.is_reusable = exactly and self._stays_open

    # Callbacks of llhttp.

    def on_message_begin(self) -> None:
        """Refuse a second message."""
        if self.is_complete:
            raise self._refusal("bytes after the end of the response")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Store a header, or count a trailer."""
        self._header_count += 1
        if self._header_count > MAX_HEADERS:
            message = f"the response has more than {MAX_HEADERS} headers"
            raise self._refusal(message)
        if self.has_headers:
            return
        key, text, headers = name.lower().decode("latin-1"), value.rstrip(b" \t").decode("latin-1"), self.headers
        headers[key] = f"{headers[key]}, {text}" if key in headers else text

    def on_headers_complete(self) -> None:
        """Read the status. llhttp answers the question about the connection only during a callback."""
        self._in_head = False
        self.status = self._parser.get_status_code()
        self._stays_open = self._parser.should_keep_alive()

    def on_body(self, data: bytes) -> None:
        """Store a piece of a chunked body."""
        if not self.has_headers:
            raise self._refusal("the head of the response ends early")
        self._overhead -= len(data) + _FRAME
        self.body.append(data)

    def on_message_complete(self) -> None:
        """End a chunked body. The end of every other response is counted."""
        if self.has_headers:
            self._stays_open = self._stays_open and self._parser.should_keep_alive()
            self.is_complete = True

    def _refusal(self, message: str) -> InvalidResponseError:
        """Store and return the failure that a callback raises. llhttp raises another error in its place."""
        self.failure = InvalidResponseError(message)
        return self.failure

    def _invalid(self, error: Exception) -> InvalidResponseError:
        """Return the failure that an error of llhttp means. An interrupt in a callback is raised.

        The context of other errors is not their cause: it may be an unrelated error that the caller is handling.
        """
        if self.failure is not None:
            return self.failure
        if isinstance(error, httptools.HttpParserUpgrade):
            return InvalidResponseError("the server switched to another protocol")
        cause = error.__context__
        if isinstance(error, httptools.HttpParserCallbackError) and cause is not None:
            raise cause
        return InvalidResponseError(str(error))


def _may_begin_head(data: bytes) -> bool:
    """Return whether these bytes may begin a head of HTTP/1.0 or HTTP/1.1."""
    return data.startswith((b"HTTP/1.1 ", b"HTTP/1.0 ")) or b"HTTP/1.1 ".startswith(data) or b"HTTP/1.0 ".startswith(data)
