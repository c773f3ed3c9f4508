"""Changes of one file, found by polling, because a replaced file or link keeps no watch of the kernel alive."""

from __future__ import annotations

import os
from pathlib import Path

Signature = tuple[str, int, int, int, int]


def signature(path: str) -> Signature | None:
    """Return what changes with the content of a file, ``None`` while there is none.

    The real path is a part of it: Kubernetes replaces a link to a folder, and the file in the new folder may have the old time.
    """
    try:
        found = Path(path).stat()
        return os.path.realpath(path), found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size
    except OSError:
        return None


class FileWatch:
    """Detects that a file has changed and is complete: it did not change between two polls."""

    def __init__(self, path: str) -> None:
        """Remember the file as it is now.

        Args:
            path: Path of the file.
        """
        self._path = path
        self._known = self._last = signature(path)

    def poll(self) -> bool:
        """Return whether the file has changed since the last ``True``. A missing file is no change."""
        now = signature(self._path)
        is_settled, self._last = now == self._last, now
        if now is None or not is_settled or now == self._known:
            return False
        self._known = now
        return True
