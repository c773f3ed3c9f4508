"""Readers that share one file object."""

from __future__ import annotations

import io
from threading import Lock
from typing import Any


class SharedReader(io.RawIOBase):
    """A reader with its own position in a file object that other attempts and other requests read, too."""

    def __init__(self, file: Any, lock: Lock, start: int = 0) -> None:
        """Initialize a reader.

        Args:
            file: The file object, which must be seekable. Closing the reader does not close it.
            lock: Held while the position of the file object is in use.
            start: Position of the first byte.
        """
        super().__init__()
        self._file, self._lock, self._position = file, lock, start

    def readable(self) -> bool:
        """Return true."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read the next bytes of the file into a buffer."""
        with self._lock:
            try:
                before = self._file.tell()
                self._file.seek(self._position)
                size = self._read_into(buffer)
                self._file.seek(before)  # the position of the file object stays the caller's
            except ValueError as error:  # the file object was closed
                message = f"the file object of the request cannot be read: {error}"
                raise OSError(message) from error
        self._position += size
        return size

    def _read_into(self, buffer: Any) -> int:
        read_into = getattr(self._file, "readinto", None)
        if read_into is not None:  # without a copy
            return read_into(buffer) or 0
        piece = self._file.read(len(buffer)) or b""
        buffer[: len(piece)] = piece
        return len(piece)
