"""Storage of one uploaded file: in memory while it is small, then on disk until the request ends."""

from __future__ import annotations

import os
from io import BytesIO
from tempfile import NamedTemporaryFile
from typing import BinaryIO

from modelmesh.contracts.files import DEFAULT_CONTENT_TYPE, FileUpload


class UploadSpool:
    """Receives one file in pieces. :meth:`remove` deletes it from the disk."""

    def __init__(self, filename: str, content_type: str, memory_bytes: int) -> None:
        """Begin a file.

        Args:
            filename: Its name.
            content_type: Its media type. Empty means unknown.
            memory_bytes: A larger file is stored on disk.
        """
        self._filename, self._content_type = filename, content_type or DEFAULT_CONTENT_TYPE
        self._memory_bytes = memory_bytes
        self._memory: BytesIO | None = BytesIO()
        self._disk: BinaryIO | None = None
        self._path = ""
        self.size = 0

    def write(self, piece: bytes) -> None:
        """Add a piece."""
        self.size += len(piece)
        if self._memory is not None:
            self._memory.write(piece)
            if self.size > self._memory_bytes:
                self._move_to_disk(self._memory)
        else:
            assert self._disk is not None
            self._disk.write(piece)

    def _move_to_disk(self, memory: BytesIO) -> None:
        disk = NamedTemporaryFile(prefix="modelmesh-upload-", delete=False)  # noqa: SIM115 - closed by finish() or remove()
        self._disk, self._path, self._memory = disk, disk.name, None  # type: ignore[assignment]
        disk.write(memory.getbuffer())

    def finish(self) -> FileUpload:
        """Return the complete file."""
        if self._memory is not None:
            content = self._memory.getvalue()
            return FileUpload(self._filename, self.size, self._content_type, open=lambda: BytesIO(content))
        assert self._disk is not None
        self._disk.close()
        path = self._path
        return FileUpload(self._filename, self.size, self._content_type, open=lambda: open(path, "rb"))  # noqa: PTH123

    def remove(self) -> None:
        """Delete the file from the disk. May be called twice."""
        if self._disk is None:
            return
        self._disk.close()
        self._disk = None
        os.unlink(self._path)  # noqa: PTH108 - a path as text
