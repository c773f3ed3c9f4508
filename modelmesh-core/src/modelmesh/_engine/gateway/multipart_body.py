"""Parsing of multipart bodies in pieces: fields in memory, files in memory or on disk.

The library is ``python-multipart``. Memory does not grow with the size of a file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from modelmesh._engine.gateway.gateway_limits import GatewayLimits
from modelmesh._engine.gateway.messages import HttpError
from modelmesh._engine.gateway.upload_spool import UploadSpool
from modelmesh.contracts.files import FileUpload

EXTRA = "pip install 'modelmesh-core[openai]'"


class MultipartReader:
    """Receives the pieces of one body. The caller removes its files with :meth:`remove_files` in every case."""

    def __init__(self, content_type: str, limits: GatewayLimits) -> None:
        """Begin a body.

        Args:
            content_type: The header with the boundary.
            limits: Size limits.

        Raises:
            HttpError: The header has no boundary, or the parser is not installed.
        """
        parser = _library()
        boundary = parser.parse_options_header(content_type)[1].get(b"boundary")
        if not boundary:
            raise HttpError(400, "The multipart body has no boundary in its Content-Type header. Send the header with one.")
        self._parse_options, self._limits = parser.parse_options_header, limits
        self._parse_error = parser.FormParserError
        self._fields: list[tuple[str, str | FileUpload]] = []
        self._spools: list[UploadSpool] = []
        self._size = 0
        self._ended = self._is_removed = False
        self._name = ""
        self._text: bytearray | None = None
        self._text_bytes = 0
        self._spool: UploadSpool | None = None
        self._headers: dict[str, str] = {}
        self._header_name, self._header_value = bytearray(), bytearray()
        try:
            self._parser = parser.MultipartParser(boundary, self._callbacks())
        except parser.FormParserError as error:
            raise _invalid(error) from None

    def _callbacks(self) -> dict[str, Callable[..., None]]:
        return {
            "on_part_begin": self._headers.clear,
            "on_header_field": lambda data, start, end: self._header_name.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._header_value.extend(data[start:end]),
            "on_header_end": self._end_header,
            "on_headers_finished": self._begin_part,
            "on_part_data": self._add_data,
            "on_part_end": self._end_part,
            "on_end": self._end,
        }

    def feed(self, piece: bytes) -> None:
        """Take a piece of the body. After :meth:`remove_files` it is dropped.

        Raises:
            HttpError: The body is not valid or exceeds a limit.
        """
        if self._is_removed:  # the request was cancelled while a thread reads its body
            return
        self._size += len(piece)
        limit = self._limits.upload_bytes
        if limit is not None and self._size > limit:
            raise HttpError(413, f"The body exceeds {limit:,} bytes. Send a smaller file.", code="request_too_large")
        try:
            self._parser.write(piece)
        except self._parse_error as error:
            raise _invalid(error) from None
        finally:
            self._remove_late_files()

    def finish(self, stated_size: str | None = None) -> list[tuple[str, str | FileUpload]]:
        """Return the fields and files in order.

        Args:
            stated_size: The ``Content-Length``, ``None`` if there is none.

        Raises:
            HttpError: The body is incomplete, or has another size than stated.
        """
        if stated_size is not None and stated_size != str(self._size):
            message = (
                f"The multipart body has {self._size:,} bytes, but its Content-Length is {stated_size[:20]}: a file changed "
                "while it was read, several requests read one file object at the same time, or the file is a pipe. Nothing was "
                "sent. Open the file for each request, and read a pipe into memory first."
            )
            raise HttpError(400, message, code="incomplete_body")
        if not self._ended:
            raise HttpError(400, f"The multipart body ended after {self._size:,} bytes, before its last boundary. Send it again.")
        return self._fields

    def remove_files(self) -> None:
        """Delete the files from the disk. May be called twice."""
        self._is_removed = True
        for spool in self._spools:
            spool.remove()

    def _remove_late_files(self) -> None:
        """Delete the files of a piece that a thread received while the request was cancelled."""
        if self._is_removed:
            self.remove_files()

    def _end_header(self) -> None:
        self._headers[self._header_name.decode("latin-1").lower()] = self._header_value.decode("latin-1")
        self._header_name.clear()
        self._header_value.clear()

    def _begin_part(self) -> None:
        _, options = self._parse_options(self._headers.get("content-disposition"))
        name = options.get(b"name")
        if not name:
            raise HttpError(400, "A part of the multipart body has no name in its Content-Disposition header. Name every part.")
        if len(self._fields) >= self._limits.fields:
            raise HttpError(413, f"The multipart body has more than {self._limits.fields} parts.", code="request_too_large")
        self._name = _text(name)
        filename = options.get(b"filename")
        if filename is None:
            self._text = bytearray()
            return
        if len(self._spools) >= self._limits.files:
            raise HttpError(413, f"The multipart body has more than {self._limits.files} files.", code="request_too_large")
        memory = max(0, self._limits.memory_bytes - sum(one.memory for one in self._spools))
        self._spool = UploadSpool(_text(filename), self._headers.get("content-type", ""), memory)
        self._spools.append(self._spool)

    def _add_data(self, data: bytes, start: int, end: int) -> None:
        if self._spool is not None:
            self._spool.write(memoryview(data)[start:end])
            return
        assert self._text is not None
        self._text.extend(data[start:end])
        self._text_bytes += end - start
        if self._text_bytes > self._limits.field_bytes:
            message = (
                f"The text fields up to {self._name[:100]!r} exceed {self._limits.field_bytes:,} bytes. Send long ones as files."
            )
            raise HttpError(413, message, code="request_too_large", param=self._name[:100])

    def _end_part(self) -> None:
        if self._spool is not None:
            self._fields.append((self._name, self._spool.finish()))
            self._spool = None
        elif self._text is not None:
            self._fields.append((self._name, _text(bytes(self._text))))
            self._text = None

    def _end(self) -> None:
        self._ended = True


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise HttpError(400, "A name or field of the multipart body is not UTF-8. Encode its text as UTF-8.") from None


def _invalid(error: Exception) -> HttpError:
    return HttpError(400, f"The multipart body is not valid: {error}. Send it as multipart/form-data (RFC 7578).")


def _library() -> Any:
    try:
        from python_multipart import multipart  # noqa: PLC0415 - optional, and only for uploads
    except ModuleNotFoundError as error:
        if error.name != "python_multipart":
            raise
        message = f"Uploads need the python-multipart package: {EXTRA}"
        raise ModuleNotFoundError(message, name=error.name) from error
    return multipart
