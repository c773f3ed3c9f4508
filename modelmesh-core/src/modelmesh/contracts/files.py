"""Files in requests. Each attempt reads a file from its start, so failover never sends the rest of a half-read file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import BinaryIO

from attrs import field, frozen

DEFAULT_CONTENT_TYPE = "application/octet-stream"


@frozen
class FileUpload:
    """A file of a request.

    Attributes:
        filename: Name that the vendor receives. Any text.
        size: Bytes.
        content_type: Media type.
        headers: Further headers of the file's part of a multipart body.
        in_memory: Whether the content is in memory, so that reading it never blocks.
    """

    filename: str
    size: int
    content_type: str = DEFAULT_CONTENT_TYPE
    headers: Mapping[str, str] = field(factory=dict, hash=False)
    in_memory: bool = field(default=False, eq=False)
    _open: Callable[[], BinaryIO] = field(kw_only=True, repr=False, eq=False)

    def open(self) -> BinaryIO:
        """Return a new reader at the start of the file. The caller closes it.

        Raises:
            OSError: The file is gone or cannot be read.
        """
        return self._open()
