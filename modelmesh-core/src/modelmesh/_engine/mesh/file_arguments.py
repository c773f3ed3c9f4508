"""Files in the arguments of a call, in every form that the official SDK accepts.

The check precedes the first attempt, so a wrong file is an error of the caller and no provider is charged with it.
"""

from __future__ import annotations

import io
import mimetypes
import os
import stat
import tempfile
from collections.abc import Callable, Mapping, MutableMapping
from pathlib import Path
from threading import Lock
from typing import IO, Any, BinaryIO, TypeAlias
from weakref import WeakKeyDictionary

from attrs import evolve

from modelmesh._engine.foundation.bad_requests import bad_request_error
from modelmesh._engine.foundation.shared_reader import SharedReader
from modelmesh._engine.foundation.wording import quote_name
from modelmesh.contracts.files import DEFAULT_CONTENT_TYPE, FileUpload
from modelmesh.contracts.headers import unsendable

FileContent: TypeAlias = bytes | os.PathLike[str] | IO[bytes]
FileParam: TypeAlias = (
    FileContent
    | tuple[str | None, FileContent]
    | tuple[str | None, FileContent, str | None]
    | tuple[str | None, FileContent, str | None, Mapping[str, str]]
    | FileUpload
)
"""A file: a path object, bytes, an open binary file, or a tuple of name, content, media type and headers of its part."""

UNNAMED = "upload"
"""Name of a file without one, as the official SDK sends it."""

LONGEST_TUPLE = 4


def to_uploads(name: str, value: Any) -> FileUpload | list[FileUpload]:
    """Return the file of an argument, or a list of files for ``image=[…]``.

    Raises:
        BadRequestError: The value is not a file, or the file cannot be read.
    """
    if isinstance(value, list):
        if not value:
            why = f"{name!r} is an empty list"
            raise bad_request_error(why)
        return [to_upload(name, one) for one in value]
    return to_upload(name, value)


def to_upload(name: str, value: Any) -> FileUpload:
    """Return one file.

    Raises:
        BadRequestError: The value is not a file, or the file cannot be read.
    """
    if isinstance(value, FileUpload):
        return value
    if not isinstance(value, tuple):
        return _upload(name, value, None, None)
    if not 2 <= len(value) <= LONGEST_TUPLE:  # noqa: PLR2004 - the name and the content
        why = f"{name!r} as a tuple must be (name, content), (name, content, type) or (name, content, type, headers)"
        raise bad_request_error(why)
    filename, content, kind, headers = (*value, None, None)[:LONGEST_TUPLE]
    if not (filename is None or isinstance(filename, str)) or not (kind is None or isinstance(kind, str)):
        why = f"{name!r} as a tuple must have text as name and as media type"
        raise bad_request_error(why)
    sent = _part_headers(name, headers)
    stated = sent.pop("content-type", None)
    upload = _upload(name, content, filename, _media_type(name, kind or stated))
    return evolve(upload, headers=sent) if sent else upload


def _media_type(name: str, kind: str | None) -> str | None:
    fault = None if kind is None else unsendable(kind, "Content-Type")
    if fault is not None:
        why = f"the media type of {name!r} {fault}"
        raise bad_request_error(why)
    return kind


def _part_headers(name: str, headers: Any) -> dict[str, str]:
    """Return the headers of the part, ``content-type`` in lower case. Those that describe the part itself are omitted."""
    if not isinstance(headers, Mapping | None):
        why = f"{name!r} as a tuple must have a map of names to values as headers"
        raise bad_request_error(why)
    sent = {}
    for header, text in (headers or {}).items():
        fault = unsendable(str(text), str(header))
        if fault is not None:
            why = f"the header {header!r} of {name!r} {fault}"
            raise bad_request_error(why)
        if str(header).lower() != "content-disposition":
            sent["content-type" if str(header).lower() == "content-type" else str(header)] = str(text)
    return sent


def _upload(name: str, content: Any, filename: str | None, kind: str | None) -> FileUpload:
    if isinstance(content, bytes | bytearray | memoryview):
        data = bytes(content)
        return evolve(_made(filename, len(data), kind, lambda: io.BytesIO(data)), in_memory=True)
    if isinstance(content, os.PathLike):
        path = Path(os.fsdecode(content))
        return _made(filename or path.name, _size_of(name, path), kind, lambda: path.open("rb"))
    if callable(getattr(content, "read", None)):
        return _from_object(name, content, filename, kind)
    hint = f": wrap a path, pathlib.Path({quote_name(content)})" if isinstance(content, str) else ""
    kinds = "a path object, bytes, a file opened in binary mode, or a tuple (name, content)"
    why = f"{name!r} must be {kinds}, not {type(content).__name__}{hint}"
    raise bad_request_error(why)


def _made(filename: str | None, size: int, kind: str | None, opener: Callable[[], BinaryIO]) -> FileUpload:
    filename = filename or UNNAMED
    return FileUpload(filename, size, kind or mimetypes.guess_type(filename)[0] or DEFAULT_CONTENT_TYPE, open=opener)


def _size_of(name: str, path: Path) -> int:
    try:
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            raise IsADirectoryError(None, "it is a directory", str(path))
        if not stat.S_ISREG(found.st_mode):
            raise OSError(None, "it is not a regular file; open it, and pass the file object", str(path))
        path.open("rb").close()
    except (OSError, ValueError) as error:
        why = f"{name!r}: cannot read {quote_name(path)}: {getattr(error, 'strerror', None) or error}"
        raise bad_request_error(why) from error
    return found.st_size


def _from_object(name: str, file: Any, filename: str | None, kind: str | None) -> FileUpload:
    """Return all of an open file from its start, as the official SDK sends it. The position does not change."""
    if isinstance(file, io.TextIOBase) or (hasattr(file, "encoding") and not hasattr(file, "readinto")):
        why = f"{name!r} is a file in text mode. Open it in binary mode: open(path, 'rb')"
        raise bad_request_error(why)
    stated = getattr(file, "name", None)
    if filename is None and isinstance(stated, str | bytes | os.PathLike):
        filename = os.path.basename(os.fsdecode(stated))  # noqa: PTH119 - Path would reject a NUL later
    lock = _lock_of(file)
    try:
        if isinstance(file, io.IOBase) and not file.readable():
            why = "it is open for writing only. Open it for reading: open(path, 'rb')"
            raise OSError(why)
        with lock:
            size = _size_of_object(file)
        if size is None:
            file = _Spool(file)
            size = file.size
    except (OSError, ValueError, TypeError) as error:
        why = f"{name!r}: cannot read the file object: {error}"
        raise bad_request_error(why) from error
    return _made(filename, size, kind, lambda: io.BufferedReader(SharedReader(file, lock)))


_locks: MutableMapping[Any, Lock] = WeakKeyDictionary()
"""Locks of file objects. Requests of several threads may share a file object, which has one position."""


def _lock_of(file: Any) -> Lock:
    try:
        return _locks.setdefault(file, Lock())
    except TypeError:  # a class without weak references, or without a hash
        return Lock()


def _size_of_object(file: Any) -> int | None:
    """Return the size of a file object, ``None`` if it cannot rewind or does not know its end."""
    seekable = getattr(file, "seekable", None)
    if not (seekable() if callable(seekable) else hasattr(file, "seek") and hasattr(file, "tell")):
        return None
    start = file.tell()
    try:
        file.seek(0, os.SEEK_END)
        size: int = file.tell()
    except (OSError, ValueError):  # a decompressing file object
        return None
    file.seek(start)
    return size


class _Spool:
    """A copy on disk of a stream that cannot rewind, deleted with the last upload and reader that use it."""

    def __init__(self, source: Any) -> None:
        self._copy = tempfile.TemporaryFile()  # noqa: SIM115 - closed in __del__
        while piece := source.read(1 << 16):
            if not isinstance(piece, bytes | bytearray | memoryview):
                message = f"read() returned {type(piece).__name__}, not bytes. Open the file in binary mode"
                raise TypeError(message)
            self._copy.write(piece)
        self.size = self._copy.tell()
        self.seek, self.tell, self.readinto = self._copy.seek, self._copy.tell, self._copy.readinto

    def __del__(self) -> None:
        self._copy.close()


def part_of(file: FileUpload, start: int, size: int) -> FileUpload:
    """Return a range of a file as a file of its own."""

    def open_part() -> BinaryIO:
        reader = file.open()
        reader.seek(start)
        return io.BufferedReader(_Range(reader, size))

    return FileUpload(file.filename, size, DEFAULT_CONTENT_TYPE, open=open_part)


class _Range(io.RawIOBase):
    """The next bytes of a reader, which it closes at its end."""

    def __init__(self, reader: BinaryIO, size: int) -> None:
        super().__init__()
        self._reader, self._left = reader, size

    def readable(self) -> bool:
        """Return true."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read the next bytes of the range into a buffer."""
        piece = self._reader.read(min(len(buffer), self._left))
        buffer[: len(piece)] = piece
        self._left -= len(piece)
        return len(piece)

    def close(self) -> None:
        """Close the reader of the file."""
        self._reader.close()
        super().close()
