"""Entries, locks and counters in one JSON file, or in a folder with a file for each."""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar, Self

from attrs import field, frozen, validators

from modelmesh.contracts import Secret
from modelmesh_cdk import BaseStorageConfig, SharedStorage, file_lock, write_atomically
from modelmesh_cdk.storage.shared import is_over
from modelmesh_storage_local_file.image import DamagedError, decoded, encoded

TIDY_S = 3600.0
"""How often what is left over is looked for: counters whose time is up, and the temporary files of processes that died."""

_LEFT_OVER = re.compile(r"\.(.+)\.[a-z0-9_]{8}\.tmp")


def _path(value: Any) -> Path:
    # A path with ${env:…} in it arrives sealed, as everything does that a reference was part of.
    given = Path(value.reveal() if isinstance(value, Secret) else value).expanduser()
    return Path(os.path.realpath(given))  # a link stays a link: what it points to is replaced


@frozen(kw_only=True)
class LocalFileConfig(BaseStorageConfig):
    """Settings of the store.

    Attributes:
        path: A file when it ends in ``.json``, else a folder; ``~`` is the home folder. Folders are made.
        backup: Whether what a file held before is kept beside it, as ``.bak``, for when the file is damaged.
    """

    path: Path = field(default=Path("mesh-state.json"), converter=_path)
    backup: bool = field(default=True, validator=validators.instance_of(bool))

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Self:
        """Read a map; ``file_path`` is another name of ``path``."""
        given = dict(settings)
        other = given.pop("file_path", None)
        return super().of(given if other is None else {"path": other, **given})


class LocalFileStorage(SharedStorage):
    """Files that threads and processes of one machine share, that are whole after a crash, and that mend themselves.

    Who changes a file does so alone, by a lock file beside it; who reads needs no lock, for files are replaced whole. A
    file that does not match its checksum is kept aside as ``.corrupt-1``, one of a later version as ``.newer-1``, and what
    it held before takes its place.
    """

    id: ClassVar[str] = "modelmesh.local-file.v1"
    options: ClassVar[Collection[str]] = ("file_path",)
    config_class: ClassVar[type[BaseStorageConfig]] = LocalFileConfig
    hint: ClassVar[str] = "Look at the folder's owner and room (ls -ld, df -h), or set storage.path to another"

    def __init__(self, config: Mapping[str, Any] | BaseStorageConfig | None = None) -> None:
        super().__init__(config)
        self._path: Path = self.config.path
        self._single = self._path.suffix.lower() == ".json"
        self._folder = self._path.parent if self._single else self._path
        self._lock_file = self._path.with_name(f"{self._path.name}.lock") if self._single else self._path / ".lock"
        self._tidied = -TIDY_S

    # -- hooks ------------------------------------------------------------------------------------------------------

    def _read(self, key: str) -> bytes | None:
        return self._seen(self._file(key)).get(key)

    def _write(self, key: str, blob: bytes) -> None:
        file = self._file(key)
        with self._alone():
            self._put(file, {**self._held(file), key: blob})

    def _swap(self, key: str, blob: bytes, tag: Any) -> bool:
        file = self._file(key)
        with self._alone():
            blobs = self._held(file)
            if blobs.get(key) != tag:
                return False
            self._put(file, {**blobs, key: blob})
        return True

    def _remove(self, key: str) -> bool:
        file = self._file(key)
        if key not in self._seen(file):
            return False
        with self._alone():
            blobs = self._held(file)
            found = blobs.pop(key, None) is not None
            if found:
                self._put(file, blobs)
        return found

    def _keys(self, prefix: str) -> Iterable[str]:
        return [key for file in self._files() for key in self._seen(file)]

    # -- files ------------------------------------------------------------------------------------------------------

    def _file(self, key: str) -> Path:
        """Return the file of a key: with a digest, for file systems keep neither all letters nor long names apart."""
        if self._single:
            return self._path
        shown = re.sub(r"[^a-z0-9_-]+", "-", key.lower())[:60].strip("-")
        return self._path / f"{shown}-{sha256(key.encode()).hexdigest()[:32]}.json"

    def _files(self) -> list[Path]:
        if self._single:
            return [self._path]
        try:
            return sorted(file for file in self._path.iterdir() if file.suffix == ".json")
        except FileNotFoundError:  # nothing was saved yet
            return []

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with file_lock(self._lock_file):
            if time.monotonic() >= self._tidied + TIDY_S:
                self._tidied = time.monotonic()
                self._tidy()
            yield

    def _seen(self, file: Path) -> dict[str, bytes]:
        """Return what a file holds, for who only looks."""
        try:
            return self._opened(file)
        except DamagedError:
            with self._alone():
                return self._held(file)

    def _held(self, file: Path) -> dict[str, bytes]:
        """Return what a file holds, for who is alone: when it is damaged, what it held before, and it is mended."""
        try:
            return self._opened(file)
        except DamagedError as error:
            return self._mended(file, error)

    def _opened(self, file: Path) -> dict[str, bytes]:
        try:
            return decoded(file.read_bytes())
        except FileNotFoundError:
            return {}

    def _put(self, file: Path, blobs: Mapping[str, bytes]) -> None:
        if blobs or self._single:
            write_atomically(file, encoded(blobs), previous=_beside(file, "bak") if self.config.backup else None)
        else:
            _beside(file, "bak").unlink(missing_ok=True)  # first: it must not outlive what it was kept for
            file.unlink(missing_ok=True)

    def _mended(self, file: Path, error: DamagedError) -> dict[str, bytes]:
        aside = next(one for n in range(1, 10**9) if not (one := _beside(file, f"{error.ending}-{n}")).exists())
        try:
            blobs = decoded(_beside(file, "bak").read_bytes())
        except (FileNotFoundError, DamagedError):
            file.replace(aside)
            self._damaged(f"{file} cannot be used: {error}", f"it is kept as {aside.name}, and nothing before it is there")
            return {}
        write_atomically(file, encoded(blobs), previous=aside)
        self._damaged(f"{file} cannot be used: {error}", f"it is kept as {aside.name}, and what it held before is used")
        return blobs

    def _tidy(self) -> None:
        for left in self._folder.iterdir():
            match = _LEFT_OVER.fullmatch(left.name)
            if match and (not self._single or match[1] in (self._path.name[:40], _beside(self._path, "bak").name[:40])):
                left.unlink(missing_ok=True)  # nobody is writing: we are alone
        for file in self._files():
            blobs = self._held(file)
            current = {key: blob for key, blob in blobs.items() if not is_over(key, blob)}
            if len(current) < len(blobs):
                self._put(file, current)


def _beside(file: Path, ending: str) -> Path:
    return file.with_name(f"{file.name}.{ending}")
