"""JSON lines in a file that is renewed when it grows too large."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, ClassVar

from modelmesh.config.units import size
from modelmesh_cdk import BaseObservability


class FileObservability(BaseObservability):
    """Appends one JSON object a line; records are those of the reference page "observability records".

    Options: ``path`` (or ``file_path``, ``modelmesh.log``), ``append`` (true), ``flush_each_line`` (true), ``max_size``
    (or ``max_file_size_bytes``; 0 never renews) and ``max_files`` (5): older ones are kept as ``.1``, ``.2`` … The file
    is made readable by its owner only.
    """

    id: ClassVar[str] = "modelmesh.file.v1"

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        super().__init__(config)
        options = self.config.options
        self._path = Path(str(options.get("path") or options.get("file_path") or "modelmesh.log"))
        self._flush = bool(options.get("flush_each_line", True))
        self._most = size(options.get("max_size", options.get("max_file_size_bytes", 0)))
        self._files = max(int(options.get("max_files", 5)), 1)
        self._mode = "a" if options.get("append", True) else "w"
        self._file: IO[str] | None = None

    def _open(self) -> IO[str]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | (os.O_APPEND if self._mode == "a" else os.O_TRUNC)
        self._mode = "a"
        return os.fdopen(os.open(self._path, flags, 0o600), "a", encoding="utf-8", newline="\n")

    def _write(self, line: str) -> None:
        if self._file is None:
            self._file = self._open()
        if self._most and self._file.tell() and self._file.tell() + len(line.encode()) + 1 > self._most:
            self._file.close()
            self._renew()
            self._file = self._open()
        self._file.write(line + "\n")
        if self._flush:
            self._file.flush()

    def _renew(self) -> None:
        for number in range(self._files - 1, 0, -1):
            older = self._numbered(number - 1) if number > 1 else self._path
            if older.exists():
                older.replace(self._numbered(number))

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")

    def close(self) -> None:
        """Write what is still held, and close the file; the next line opens it again."""
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None
