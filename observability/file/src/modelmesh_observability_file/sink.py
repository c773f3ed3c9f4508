"""JSON lines in a file that is renewed when it grows too large."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import IO, Any, ClassVar

from modelmesh.contracts import Secret, size
from modelmesh.errors import ConfigurationError
from modelmesh_cdk import BaseObservability


class FileObservability(BaseObservability):
    """Appends one JSON object a line; records are those of the reference page "observability records".

    Options: ``path`` (or ``file_path``, ``modelmesh.log``), ``append`` (true), ``flush_each_line`` (true), ``max_size``
    (or ``max_file_size_bytes``; 0 never renews) and ``max_files`` (5, the current one among them): older ones are kept
    as ``.1``, ``.2`` … Files are made readable by their owner only. One process writes to one path.
    """

    id: ClassVar[str] = "modelmesh.file.v1"
    options: ClassVar[Collection[str]] = (
        "path",
        "file_path",
        "flush_each_line",
        "max_size",
        "max_file_size_bytes",
        "max_files",
        "append",
    )

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        super().__init__(config)
        options = self.config.options
        path = options.get("path") or options.get("file_path") or "modelmesh.log"
        # A path with ${env:…} in it arrives sealed, as everything does that a reference was part of.
        self._path = Path(path.reveal() if isinstance(path, Secret) else str(path)).expanduser()
        self._flush = bool(options.get("flush_each_line", True))
        self._most = _size(options.get("max_size", options.get("max_file_size_bytes", 0)))
        self._files = _count(options.get("max_files", 5))
        self._anew = not options.get("append", True)
        self._file: IO[bytes] | None = None
        self._length = 0

    def _write(self, line: str) -> None:
        # A lone surrogate cannot be UTF-8; written as \udXXX it is the same string in JSON.
        data = line.encode("utf-8", "backslashreplace") + b"\n"
        file = self._file or self._open()
        if self._most and self._length and self._length + len(data) > self._most:
            self._let_go()
            self._renew()
            file = self._open()
        file.write(data)
        self._length += len(data)
        if self._flush:
            file.flush()

    def _open(self) -> IO[bytes]:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | (os.O_TRUNC if self._anew else 0)
        self._file = os.fdopen(os.open(self._path, flags, 0o600), "ab")
        self._anew = False
        self._length = os.fstat(self._file.fileno()).st_size
        return self._file

    def _renew(self) -> None:
        if self._files == 1:
            self._path.unlink(missing_ok=True)
        for number in range(self._files - 1, 0, -1):
            older = self._numbered(number - 1)
            if older.exists():
                older.replace(self._numbered(number))

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}") if number else self._path

    def _let_go(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def close(self) -> None:
        """Write what is still held, and close the file; the next line opens it again."""
        with self._lock:
            self._let_go()


def _size(value: Any) -> int:
    try:
        return size(value)
    except ValueError as error:
        message = f"observability: 'max_size' of {FileObservability.id} cannot be read: {error}"
        raise ConfigurationError(message, where="observability.max_size") from None


def _count(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return value
    message = f"observability: 'max_files' of {FileObservability.id} must be a whole number from 1 on, not {value!r}"
    raise ConfigurationError(message, where="observability.max_files")
