"""Bodies that consist of a file, or of JSON with files in base64. Files are read while they are sent.

Such a body of a 100 MB file takes no more memory than one of a small file.
"""

from __future__ import annotations

import base64
import mimetypes
import secrets
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from attrs import frozen

from modelmesh.contracts.files import DEFAULT_CONTENT_TYPE, FileUpload
from modelmesh_cdk.wire import json_codec
from modelmesh_cdk.wire.multipart import read_pieces


@frozen
class DataUrl:
    """A file as a ``data:`` URL in a :class:`JsonWithFiles`.

    Attributes:
        file: The file.
    """

    file: FileUpload


class JsonWithFiles:
    """A JSON object with files as a request body. Each iteration opens the files again.

    Attributes:
        size: Bytes of the whole body.
        content_type: Value of ``Content-Type``.
    """

    content_type = "application/json"

    def __init__(self, payload: Mapping[str, Any]) -> None:
        """Create the body. No file is opened.

        Args:
            payload: JSON values. A :class:`~modelmesh.contracts.FileUpload` becomes its content in base64, and a
                :class:`DataUrl` a ``data:`` URL.

        Raises:
            ValueError: A value cannot be written as JSON.
            TypeError: As above.
        """
        mark = secrets.token_hex(16)
        self._files: list[FileUpload] = []
        self._texts = json_codec.encode(self._marked(payload, mark)).split(mark.encode())
        self.size = sum(map(len, self._texts)) + sum((file.size + 2) // 3 * 4 for file in self._files)

    def _marked(self, value: Any, mark: str) -> Any:
        if isinstance(value, FileUpload):
            self._files.append(value)
            return mark
        if isinstance(value, DataUrl):
            self._files.append(value.file)
            return f"data:{media_type_of(value.file)};base64,{mark}"
        if isinstance(value, Mapping):
            return {name: self._marked(item, mark) for name, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._marked(item, mark) for item in value]
        return value

    def __iter__(self) -> Iterator[bytes]:
        """Yield the body in pieces.

        Raises:
            OSError: A file is gone, cannot be read, or has another size than before.
        """
        for place, text in enumerate(self._texts):
            yield text
            if place < len(self._files):
                yield from _in_base64(read_pieces(self._files[place]))


class FileBody:
    """A file as a request body. Each iteration opens the file again.

    Attributes:
        size: Bytes of the file.
        content_type: Value of ``Content-Type``.
    """

    def __init__(self, file: FileUpload) -> None:
        self._file = file
        self.size, self.content_type = file.size, media_type_of(file)

    def __iter__(self) -> Iterator[bytes]:
        """Yield the file in pieces.

        Raises:
            OSError: The file is gone, cannot be read, or has another size than before.
        """
        return read_pieces(self._file)


def media_type_of(file: FileUpload) -> str:
    """Return the media type of a file, by its name if the caller stated none."""
    if file.content_type != DEFAULT_CONTENT_TYPE:
        return file.content_type
    return mimetypes.guess_type(file.filename)[0] or DEFAULT_CONTENT_TYPE


def _in_base64(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Encode pieces. Only the last one may end within a group of three bytes."""
    rest = b""
    for piece in pieces:
        whole = rest + piece
        cut = len(whole) - len(whole) % 3
        rest = whole[cut:]
        yield base64.b64encode(whole[:cut])
    if rest:
        yield base64.b64encode(rest)
