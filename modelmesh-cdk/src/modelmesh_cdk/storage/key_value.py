"""Key-value store in memory, or in a folder with a file for each key."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Any, ClassVar
from urllib.parse import quote, unquote

from attrs import field, frozen, validators

from modelmesh_cdk.storage.base import BaseStorageConfig
from modelmesh_cdk.storage.files import file_lock, write_atomically
from modelmesh_cdk.storage.shared import SharedStorage

_LONGEST = 180
_LOCK_FILE = ".lock"


@frozen(kw_only=True)
class KeyValueStorageConfig(BaseStorageConfig):
    """Settings of a :class:`KeyValueStorage`.

    Attributes:
        backend: ``memory`` or ``file``.
        directory: Folder of the files. The store creates it.
    """

    backend: str = field(default="memory", validator=validators.in_(("memory", "file")))
    directory: Path = field(default=Path(".modelmesh/storage"), converter=Path)


class KeyValueStorage(SharedStorage):
    """Store that keeps blobs in a dictionary, or in files that threads and processes of one machine share.

    Example:
        ::

            store = KeyValueStorage({"backend": "file", "directory": "state", "compression": True})
    """

    id: ClassVar[str] = "modelmesh.key-value.v1"
    config_class: ClassVar[type[BaseStorageConfig]] = KeyValueStorageConfig
    hint: ClassVar[str] = "Look at the folder's owner and room: ls -ld, df -h"

    def __init__(self, config: Mapping[str, Any] | BaseStorageConfig | None = None) -> None:
        super().__init__(config)
        self._blobs: _Memory | _Folder = _Folder(self.config.directory) if self.config.backend == "file" else _Memory()

    def _read(self, key: str) -> bytes | None:
        return self._blobs.read(key)

    def _write(self, key: str, blob: bytes) -> None:
        self._blobs.write(key, blob)

    def _remove(self, key: str) -> bool:
        return self._blobs.remove(key)

    def _keys(self, prefix: str) -> Iterable[str]:
        return self._blobs.keys()

    def _swap(self, key: str, blob: bytes, tag: Any) -> bool:
        return self._blobs.swap(key, blob, tag)

    def after_fork(self) -> None:
        """Create new locks in a child process."""
        self._blobs.after_fork()


class _Memory:
    def __init__(self) -> None:
        self._lock = Lock()
        self._held: dict[str, bytes] = {}

    def read(self, key: str) -> bytes | None:
        return self._held.get(key)

    def write(self, key: str, blob: bytes) -> None:
        with self._lock:
            self._held[key] = blob

    def remove(self, key: str) -> bool:
        with self._lock:
            return self._held.pop(key, None) is not None

    def keys(self) -> list[str]:
        with self._lock:
            return list(self._held)

    def swap(self, key: str, blob: bytes, old: bytes | None) -> bool:
        with self._lock:
            if self._held.get(key) != old:
                return False
            self._held[key] = blob
            return True

    def after_fork(self) -> None:
        self._lock = Lock()


class _Folder:
    """A folder with one file for each key. Writers hold a file lock. Readers need none, because a write replaces the file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, key: str) -> bytes | None:
        try:
            return self._file(key).read_bytes().partition(b"\n")[2]
        except FileNotFoundError:
            return None

    def write(self, key: str, blob: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with file_lock(self._folder / _LOCK_FILE):
            self._put(key, blob)

    def remove(self, key: str) -> bool:
        try:
            with file_lock(self._folder / _LOCK_FILE):
                self._file(key).unlink()
        except FileNotFoundError:  # the file, or the folder
            return False
        return True

    def keys(self) -> list[str]:
        try:
            files = [file for file in self._folder.iterdir() if file.suffix == ".entry"]
        except FileNotFoundError:  # nothing was saved yet
            return []
        found = []
        for file in files:
            with contextlib.suppress(FileNotFoundError), file.open("rb") as opened:  # or deleted meanwhile
                found.append(unquote(opened.readline().rstrip(b"\n").decode()))
        return found

    def swap(self, key: str, blob: bytes, old: bytes | None) -> bool:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with file_lock(self._folder / _LOCK_FILE):
            if self.read(key) != old:
                return False
            self._put(key, blob)
            return True

    def after_fork(self) -> None:
        """Do nothing: the file lock has its own fork hook."""

    def _put(self, key: str, blob: bytes) -> None:
        write_atomically(self._file(key), quote(key).encode() + b"\n" + blob)

    def _file(self, key: str) -> Path:
        """Return the file of a key. Its name has the key's characters for people, and a digest that makes it unique."""
        shown = quote(key, safe=" ").replace("%", "=").replace(".", "=2E").lower()[:_LONGEST].strip()
        return self._folder / f"{shown}-{sha256(key.encode()).hexdigest()[:24]}.entry"
