"""Storage of entries, locks and counters in one JSON file, or in a folder with one file for each."""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar, Self

from attrs import field, frozen, validators

from modelmesh.contracts import Secret, validated_key
from modelmesh_cdk import BaseStorageConfig, SharedStorage, file_lock, write_atomically
from modelmesh_cdk.storage import RESERVED, is_over
from modelmesh_storage_local_file.file_format import DamagedError, decode, encode

CLEAN_UP_S = 3600.0
"""Interval of the removal of expired counters and of temporary files that a crashed process left behind."""

_TEMPORARY = re.compile(r"\.(.+)\.[a-z0-9_]{8}\.tmp")


def _path(value: Any) -> Path:
    # A path that contains a reference such as ${env:…} arrives as a Secret, as every setting with a reference does.
    given = Path(value.reveal() if isinstance(value, Secret) else value).expanduser()
    return Path(os.path.realpath(given))  # a save replaces the target of a symbolic link, not the link


@frozen(kw_only=True)
class LocalFileConfig(BaseStorageConfig):
    """Settings of the store.

    Attributes:
        path: A file if it ends in ``.json``, else a folder. ``~`` is the home folder. Missing folders are created.
        backup: Whether the previous content of a file is kept as ``.bak``, for the case that the file is damaged.
    """

    path: Path = field(default=Path("mesh-state.json"), converter=_path)
    backup: bool = field(default=True, validator=validators.instance_of(bool))

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Self:
        """Create the settings from a mapping. ``file_path`` is an alias of ``path``."""
        given = dict(settings)
        other = given.pop("file_path", None)
        return super().of(given if other is None else {"path": other, **given})


class LocalFileStorage(SharedStorage):
    """Files that threads and processes of one machine share. A crash leaves no partial file, and damage is repaired.

    A lock file gives a writer exclusive access. Readers need no lock, because files are replaced atomically. A file that
    does not match its checksum moves to ``.corrupt-1``, a file of a later version to ``.newer-1``, and the previous
    content of the file takes its place.
    """

    id: ClassVar[str] = "modelmesh.local-file.v1"
    options: ClassVar[Collection[str]] = ("file_path",)
    config_class: ClassVar[type[BaseStorageConfig]] = LocalFileConfig
    hint: ClassVar[str] = "Check the folder's owner and free space (ls -ld, df -h), or set storage.path to another folder"

    def __init__(self, config: Mapping[str, Any] | BaseStorageConfig | None = None) -> None:
        super().__init__(config)
        self._path: Path = self.config.path
        self._single = self._path.suffix.lower() == ".json"
        self._folder = self._path.parent if self._single else self._path
        self._lock_file = self._path.with_name(f"{self._path.name}.lock") if self._single else self._path / ".lock"
        self._cleaned_at = -CLEAN_UP_S

    # -- hooks ------------------------------------------------------------------------------------------------------

    def _read(self, key: str) -> bytes | None:
        return self._load(self._file(key)).get(key)

    def _write(self, key: str, blob: bytes) -> None:
        file = self._file(key)
        with self._exclusive():
            self._store(file, {**self._load_locked(file), key: blob})

    def _swap(self, key: str, blob: bytes, tag: Any) -> bool:
        file = self._file(key)
        with self._exclusive():
            blobs = self._load_locked(file)
            if blobs.get(key) != tag:
                return False
            self._store(file, {**blobs, key: blob})
        return True

    def _remove(self, key: str) -> bool:
        file = self._file(key)
        if key not in self._load(file):
            return False
        with self._exclusive():
            blobs = self._load_locked(file)
            found = blobs.pop(key, None) is not None
            if found:
                self._store(file, blobs)
        return found

    def _keys(self, prefix: str) -> Iterable[str]:
        return [key for file in self._files() for key in self._load(file)]

    # -- counters ---------------------------------------------------------------------------------------------------

    def increment(self, key: str, amount: int = 1, expires_s: float | None = None) -> int:
        """Add to a counter atomically and return the sum.

        Raises:
            StorageError: A file cannot be read or written.
        """
        return self.increment_many({key: (amount, expires_s)})[key]

    def increment_many(self, additions: Mapping[str, tuple[int, float | None]]) -> dict[str, int]:
        """Add to several counters under one lock. In one file they are one write. In a folder, a crash may come between two.

        Raises:
            StorageError: A file cannot be read or written.
        """
        if not additions:
            return {}
        raws = {key: f"{RESERVED}counter/{validated_key(key)}" for key in additions}
        sums: dict[str, int] = self._guarded(next(iter(additions)), "counted", self._add, additions, raws)
        return sums

    def _add(self, additions: Mapping[str, tuple[int, float | None]], raws: Mapping[str, str]) -> dict[str, int]:
        now = time.time()
        if not any(amount for amount, _ in additions.values()):
            read = {file: self._load(file) for file in {self._file(raw) for raw in raws.values()}}
            return {key: _value(read[self._file(raw)].get(raw), now)[0] for key, raw in raws.items()}
        sums: dict[str, int] = {}
        with self._exclusive():
            files: dict[Path, dict[str, bytes]] = {}
            changed: set[Path] = set()
            for key, (amount, expires_s) in additions.items():
                file = self._file(raws[key])
                if file not in files:
                    files[file] = self._load_locked(file)
                value, until, exists = _value(files[file].get(raws[key]), now)
                sums[key] = value + amount
                if amount:
                    if not exists:
                        until = None if expires_s is None else now + expires_s
                    files[file][raws[key]] = json.dumps({"value": sums[key], "expires_at": until}).encode()
                    changed.add(file)
            for file in changed:
                self._store(file, files[file])
        return sums

    # -- files ------------------------------------------------------------------------------------------------------

    def _file(self, key: str) -> Path:
        """Return the file of a key. A digest keeps keys apart on file systems that ignore case or shorten names."""
        if self._single:
            return self._path
        shown = re.sub(r"[^a-z0-9_-]+", "-", key.lower())[:60].strip("-")
        return self._path / f"{shown}-{sha256(key.encode()).hexdigest()[:32]}.json"

    def _files(self) -> list[Path]:
        if self._single:
            return [self._path]
        try:
            return sorted(file for file in self._path.iterdir() if file.suffix == ".json")
        except FileNotFoundError:  # no entry was saved yet
            return []

    @contextlib.contextmanager
    def _exclusive(self) -> Iterator[None]:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with file_lock(self._lock_file):
            if time.monotonic() >= self._cleaned_at + CLEAN_UP_S:
                self._cleaned_at = time.monotonic()
                self._clean_up()
            yield

    def _load(self, file: Path) -> dict[str, bytes]:
        """Return the content of a file without changing it, unless it is damaged."""
        try:
            return self._decode_file(file)
        except DamagedError:
            with self._exclusive():
                return self._load_locked(file)

    def _load_locked(self, file: Path) -> dict[str, bytes]:
        """Return the content of a file and repair it if it is damaged. The caller holds the lock."""
        try:
            return self._decode_file(file)
        except DamagedError as error:
            return self._repair(file, error)

    def _decode_file(self, file: Path) -> dict[str, bytes]:
        try:
            return decode(file.read_bytes())
        except FileNotFoundError:
            return {}

    def _store(self, file: Path, blobs: Mapping[str, bytes]) -> None:
        if blobs or self._single:
            write_atomically(file, encode(blobs), previous=_sibling(file, "bak") if self.config.backup else None)
        else:
            _sibling(file, "bak").unlink(missing_ok=True)  # first: a backup must not remain after its file is gone
            file.unlink(missing_ok=True)

    def _repair(self, file: Path, error: DamagedError) -> dict[str, bytes]:
        aside = next(one for n in range(1, 10**9) if not (one := _sibling(file, f"{error.ending}-{n}")).exists())
        try:
            blobs = decode(_sibling(file, "bak").read_bytes())
        except (FileNotFoundError, DamagedError):
            file.replace(aside)
            self._damaged(f"{file} cannot be used: {error}", f"it was moved to {aside.name}, and there is no backup")
            return {}
        write_atomically(file, encode(blobs), previous=aside)
        self._damaged(f"{file} cannot be used: {error}", f"it was moved to {aside.name}, and its backup is used")
        return blobs

    def _clean_up(self) -> None:
        for left in self._folder.iterdir():
            match = _TEMPORARY.fullmatch(left.name)
            if match and (not self._single or match[1] in (self._path.name[:40], _sibling(self._path, "bak").name[:40])):
                left.unlink(missing_ok=True)  # no writer is active: this process holds the lock
        for file in self._files():
            blobs = self._load_locked(file)
            current = {key: blob for key, blob in blobs.items() if not is_over(key, blob)}
            if len(current) < len(blobs):
                self._store(file, current)


def _value(blob: bytes | None, now: float) -> tuple[int, float | None, bool]:
    """Return the value of a stored counter, its expiry, and whether it exists at a time.

    Raises:
        ValueError: The blob is not a counter.
    """
    if blob is None:
        return 0, None, False
    try:
        record = json.loads(blob)
        value, until = int(record["value"]), record["expires_at"]
    except (KeyError, TypeError) as error:
        message = "it is not a counter"
        raise ValueError(message) from error
    return (0, None, False) if until is not None and until <= now else (value, until, True)


def _sibling(file: Path, ending: str) -> Path:
    return file.with_name(f"{file.name}.{ending}")
