"""Multipart form bodies (RFC 7578), whose files are read while they are sent.

The length of the body is fixed before its first byte is sent, so a file must keep its size until its last byte. A file that
changed raises an error before the final boundary, and no server takes the body for complete.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Iterator, Sequence

from modelmesh.contracts.files import FileUpload

PIECE = 256 * 1024
"""Bytes of a piece at most."""

_ESCAPES = {**{chr(code): f"%{code:02X}" for code in (*range(0x20), 0x7F)}, '"': "%22", "\\": "\\\\"}
_ESCAPED = re.compile(r'[\x00-\x1f\x7f"\\]')
_MEDIA_TYPE = re.compile(r"[\x20-\x7e]+")


class MultipartBody:
    """A form with files as a request body. Each iteration opens its files again.

    Attributes:
        size: Bytes of the whole body.
        content_type: Value of ``Content-Type``, with a random boundary.
        in_memory: Whether every file is in memory, so that reading the body never blocks.
    """

    def __init__(self, fields: Sequence[tuple[str, str | FileUpload]]) -> None:
        """Create the body. No file is opened.

        Args:
            fields: Names and values in the order in which they are sent. A name may occur more than once.

        Raises:
            ValueError: A text is not Unicode, or a content type has characters that no header can contain.
        """
        boundary = secrets.token_hex(16)
        self.content_type = f"multipart/form-data; boundary={boundary}"
        self._parts: list[bytes | FileUpload] = []
        text = b""
        for name, value in fields:
            text += f"--{boundary}\r\n".encode() + _part_head(name, value)
            if isinstance(value, FileUpload):
                self._parts += text, value
                text = b"\r\n"
            else:
                text += value.encode() + b"\r\n"
        self._parts.append(text + f"--{boundary}--\r\n".encode())
        self.size = sum(part.size if isinstance(part, FileUpload) else len(part) for part in self._parts)
        self.in_memory = all(part.in_memory for part in self._parts if isinstance(part, FileUpload))

    def __iter__(self) -> Iterator[bytes]:
        """Yield the body in pieces of 256 KiB at most.

        Raises:
            OSError: A file is gone, cannot be read, or has another size than before.
        """
        return _join_small(self._pieces())

    def _pieces(self) -> Iterator[bytes]:
        for part in self._parts:
            if isinstance(part, FileUpload):
                yield from read_pieces(part)
            else:
                for start in range(0, len(part), PIECE):
                    yield part[start : start + PIECE]


def _part_head(name: str, value: str | FileUpload) -> bytes:
    """Return the head of one part as browsers, httpx and the openai SDK write it."""
    head = f'Content-Disposition: form-data; name="{_escape(name)}"'.encode()
    if not isinstance(value, FileUpload):
        return head + b"\r\n\r\n"
    if _MEDIA_TYPE.fullmatch(value.content_type) is None:
        message = (
            f"the file {value.filename!r} has the content type {value.content_type!r}. Give it a media type such as 'audio/wav'."
        )
        raise ValueError(message)
    filename = f'; filename="{_escape(value.filename)}"'.encode("utf-8", "replace")  # a path may have bytes that are no text
    further = "".join(f"\r\n{header}: {text}" for header, text in value.headers.items())
    return head + filename + f"\r\nContent-Type: {value.content_type}{further}\r\n\r\n".encode()


def _escape(text: str) -> str:
    return _ESCAPED.sub(lambda found: _ESCAPES[found[0]], text)


def read_pieces(file: FileUpload) -> Iterator[bytes]:
    """Yield a file from its start, and check its size."""
    left = file.size
    with file.open() as reader:
        while left:
            piece = reader.read(min(left, PIECE))
            if not 0 < len(piece) <= left:
                raise _changed(file, "fewer" if not piece else "more")
            left -= len(piece)
            yield piece
        if reader.read(1):
            raise _changed(file, "more")


def _changed(file: FileUpload, now: str) -> OSError:
    return OSError(f"the file {file.filename!r} changed during its upload: it had {file.size} bytes and now has {now}")


def _join_small(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Join neighbours up to the size of a piece, so that a small form is one piece."""
    held = b""
    for piece in pieces:
        if len(held) + len(piece) <= PIECE:
            held += piece
            continue
        yield held
        held = piece
    if held:
        yield held
