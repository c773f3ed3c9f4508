"""File sink: JSON lines with rotation by size.

``logging.handlers.RotatingFileHandler`` does not serve here: it creates files with the mode of the umask, counts characters
instead of bytes, and hides write errors.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import IO, Any, ClassVar

from modelmesh.contracts import Secret, parse_size
from modelmesh.errors import ConfigurationError
from modelmesh_cdk import BackgroundObservability


class FileObservability(BackgroundObservability):
    """Sink that appends one JSON object per line. The reference page "observability records" describes the records.

    Options: ``path`` or ``file_path`` (``modelmesh.log``), ``append`` (true), ``flush_each_line`` (true), ``max_size`` or
    ``max_file_size_bytes`` (0 disables rotation), ``max_files`` (5, including the current one) and ``queue_size`` (10,000
    records). Older files are named ``.1``, ``.2`` and so on. Only their owner may read the files. One process writes to one
    path.
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
        # A path that contains a reference such as ${env:…} arrives as a Secret, as every setting with a reference does.
        self._path = Path(path.reveal() if isinstance(path, Secret) else str(path)).expanduser()
        self._flush = bool(options.get("flush_each_line", True))
        self._max_size = _size(options.get("max_size", options.get("max_file_size_bytes", 0)))
        self._max_files = _count(options.get("max_files", 5))
        self._truncate = not options.get("append", True)
        self._file: IO[bytes] | None = None
        self._written = 0

    def _write(self, line: str) -> None:
        # UTF-8 cannot encode a lone surrogate. The escape \udXXX is the same string in JSON.
        data = line.encode("utf-8", "backslashreplace") + b"\n"
        file = self._file or self._open()
        if self._max_size and self._written and self._written + len(data) > self._max_size:
            self._close_output()
            self._rotate()
            file = self._open()
        file.write(data)
        self._written += len(data)

    def _end_batch(self) -> None:
        if self._flush and self._file is not None:
            self._file.flush()

    def before_fork(self) -> None:
        """Write the buffer, which a forked child process would write again."""
        if self._file is not None:
            self._file.flush()

    def _open(self) -> IO[bytes]:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | (os.O_TRUNC if self._truncate else 0)
        self._file = os.fdopen(os.open(self._path, flags, 0o600), "ab")
        self._truncate = False
        self._written = os.fstat(self._file.fileno()).st_size
        return self._file

    def _rotate(self) -> None:
        if self._max_files == 1:
            self._path.unlink(missing_ok=True)
        for number in range(self._max_files - 1, 0, -1):
            older = self._numbered(number - 1)
            if older.exists():
                older.replace(self._numbered(number))

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}") if number else self._path

    def _close_output(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.close()


def _size(value: Any) -> int:
    try:
        return parse_size(value)
    except ValueError as error:
        message = f"observability: 'max_size' of {FileObservability.id} cannot be read: {error}"
        raise ConfigurationError(message, where="observability.max_size") from None


def _count(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return value
    message = f"observability: 'max_files' of {FileObservability.id} must be an integer of at least 1, not {value!r}"
    raise ConfigurationError(message, where="observability.max_files")
