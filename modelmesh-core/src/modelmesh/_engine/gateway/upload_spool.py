"""Storage of one uploaded file: in memory while it is small, then on disk until the request ends.

The file on disk has no name, so the system deletes it with its last handle, even if the process is killed.
"""

from __future__ import annotations

from io import BufferedReader, BytesIO
from tempfile import TemporaryFile
from threading import Lock
from typing import BinaryIO

from modelmesh._engine.foundation.shared_reader import SharedReader
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
        self.size = 0

    @property
    def memory(self) -> int:
        """Bytes in memory."""
        return self.size if self._memory is not None else 0

    def write(self, piece: memoryview) -> None:
        """Add a piece, which may be a whole file in the memory of the caller."""
        self.size += len(piece)
        if self._memory is not None and self.size > self._memory_bytes:
            self._move_to_disk(self._memory)
        file = self._disk if self._memory is None else self._memory
        assert file is not None
        file.write(piece)

    def _move_to_disk(self, memory: BytesIO) -> None:
        disk = TemporaryFile()  # noqa: SIM115 - closed by remove()
        self._disk, self._memory = disk, None
        disk.write(memory.getbuffer())

    def finish(self) -> FileUpload:
        """Return the complete file."""
        if self._memory is not None:
            content = self._memory.getvalue()
            return FileUpload(self._filename, self.size, self._content_type, open=lambda: BytesIO(content))
        disk, lock = self._disk, Lock()
        return FileUpload(self._filename, self.size, self._content_type, open=lambda: BufferedReader(SharedReader(disk, lock)))

    def remove(self) -> None:
        """Delete the file from the disk. May be called twice."""
        if self._disk is not None:
            self._disk.close()
