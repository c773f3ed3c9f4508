"""Base class of stores: encodes entries as blobs, and reports failures of the backend."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, ClassVar, Self

from attrs import field, fields_dict, frozen, validators

from modelmesh.contracts import parse_duration
from modelmesh.contracts.storage import EntryMetadata, StorageEntry, validated_key
from modelmesh.errors import ConfigurationError, ModelMeshError, StorageError
from modelmesh_cdk.declared_options import DeclaresOptions
from modelmesh_cdk.storage.envelope import FORMATS, Stored, packed, unpacked

_log = logging.getLogger("modelmesh.storage")

RESERVED = "~"
"""Prefix of the raw keys that the kit uses for locks and counters. An entry key with this prefix gets a second one."""


@frozen(kw_only=True)
class BaseStorageConfig:
    """Settings of a store.

    Attributes:
        format: Format of new entries: ``json``, ``yaml`` or ``msgpack``. A store reads all of them.
        compression: Whether entries are compressed.
        lock_timeout: Longest wait for a lock, and time until a lock that is not released expires, in seconds.
        retry_interval: Interval between attempts to acquire a lock, in seconds.
        options: All other settings, for the connector.
    """

    format: str = field(default="json", validator=validators.in_(FORMATS))
    compression: bool = False
    lock_timeout: float = field(default=30.0, converter=parse_duration)
    retry_interval: float = field(default=1.0, converter=parse_duration)
    options: Mapping[str, Any] = field(factory=dict, repr=False)

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Self:
        """Read settings from a map, flat or in the sections ``persistence`` and ``locking``. Unknown keys go to ``options``.

        Raises:
            ConfigurationError: A value is invalid, or encryption is configured, which stores of this kit do not support.
        """
        locking = dict(settings.get("locking") or {})
        locks = {"lock_timeout": locking.get("timeout"), "retry_interval": locking.get("retry_interval")}
        flat = {**settings, **(settings.get("persistence") or {}), **{k: v for k, v in locks.items() if v is not None}}
        if "lock_timeout_seconds" in flat:
            flat["lock_timeout"] = flat.pop("lock_timeout_seconds")
        if flat.pop("encryption", False):
            message = (
                "storage.persistence.encryption is true, and this store does not encrypt; encrypt the disk, or set it to false"
            )
            raise ConfigurationError(message)
        known = {name: value for name, value in flat.items() if name in fields_dict(cls) and name != "options"}
        apart = {*known, "persistence", "locking", "sync_policy", "sync_interval", "options"}
        rest = {name: value for name, value in flat.items() if name not in apart}
        try:
            return cls(**known, options={**settings.get("options", {}), **rest})
        except ConfigurationError:
            raise
        except (TypeError, ValueError) as error:
            where = f"storage.{_at_fault(cls, known, error)}"
            message = f"{where} cannot be used: {error.args[0]}"
            raise ConfigurationError(message, where=where) from None


def _at_fault(cls: type[Any], known: Mapping[str, Any], error: Exception) -> str:
    """Return the setting that caused an error. A validator's error names it. For a converter, each setting is tried."""
    if len(error.args) > 1:
        return str(getattr(error.args[1], "name", ""))
    for name, value in known.items():
        converter: Any = fields_dict(cls)[name].converter
        try:
            _ = converter and converter(value)
        except (TypeError, ValueError):
            return name
    return "config"


class BaseStorage(DeclaresOptions):
    """Base class that encodes entries as blobs. A store overrides the four hooks that keep blobs.

    A hook may raise any exception of the backend's library: the base class converts it to a ``StorageError`` with the store
    and the key. Several threads call the hooks at the same time. A backend with a compare-and-swap operation makes a
    :class:`~modelmesh_cdk.SharedStorage`, which adds locks and counters.

    Attributes:
        id: Connector ID, equal to the entry point's name.
        config_class: Class of the settings. Derive it from :class:`BaseStorageConfig` to add settings.
        hint: Last part of error messages: the next command to run.
        on_damage: Callback that the mesh sets, see :mod:`modelmesh.contracts.storage`.
    """

    id: ClassVar[str] = "modelmesh.base-storage.v1"
    config_class: ClassVar[type[BaseStorageConfig]] = BaseStorageConfig
    _base_settings: ClassVar[Collection[str]] = ("persistence", "locking", "encryption", "lock_timeout_seconds")
    hint: ClassVar[str] = "Check the storage section of the configuration: modelmesh check"

    def __init__(self, config: Mapping[str, Any] | BaseStorageConfig | None = None) -> None:
        self.on_damage: Callable[[str, str], None] | None = None
        self.config: Any = config if isinstance(config, BaseStorageConfig) else self.config_class.of(config or {})

    # -- hooks: where blobs are kept --------------------------------------------------------------------------------

    def _read(self, key: str) -> bytes | None:
        """Return the blob of a raw key, or ``None``. Override this."""
        raise NotImplementedError

    def _write(self, key: str, blob: bytes) -> None:
        """Store a blob under a raw key, in one step, and replace any previous one. Override this."""
        raise NotImplementedError

    def _remove(self, key: str) -> bool:
        """Remove a raw key. Return ``False`` if it does not exist. Override this."""
        raise NotImplementedError

    def _keys(self, prefix: str) -> Iterable[str]:
        """Return all raw keys, or those with the prefix if the backend can filter. Override this."""
        raise NotImplementedError

    def close(self) -> None:
        """Release the store's resources. A second call has no effect."""

    # -- the contract -----------------------------------------------------------------------------------------------

    def load(self, key: str) -> StorageEntry | None:
        """Return an entry, or ``None``.

        Raises:
            StorageError: The backend failed, or the stored blob is not a valid entry.
        """
        found = self._stored(key)
        return found.entry if found else None

    def save(self, key: str, entry: StorageEntry) -> None:
        """Store an entry and replace any previous one.

        Raises:
            StorageError: The backend failed.
            TypeError: The metadata is not plain data.
        """
        blob, _ = self._blob(key, entry)
        self._guarded(key, "saved", self._write, raw_key(key), blob)

    def list(self, prefix: str | None = None) -> list[str]:
        """Return the sorted keys, or those that start with ``prefix``.

        Raises:
            StorageError: The backend failed.
        """
        wanted = prefix or ""
        raw = self._guarded(None, "listed", lambda: list(self._keys(raw_key(wanted) if wanted else "")))
        keys = (_key_of(one) for one in raw)
        return sorted(key for key in keys if key is not None and key.startswith(wanted))

    def delete(self, key: str) -> bool:
        """Remove an entry. Return ``False`` if it does not exist.

        Raises:
            StorageError: The backend failed.
        """
        return bool(self._guarded(key, "deleted", self._remove, raw_key(validated_key(key))))

    def stat(self, key: str) -> EntryMetadata | None:
        """Return the metadata of an entry, or ``None``. Override this if the backend can answer without a read of the entry.

        Raises:
            StorageError: The backend failed, or the stored blob is not a valid entry.
        """
        found = self._stored(key)
        if found is None:
            return None
        entry = found.entry
        return EntryMetadata(key, len(entry.data), found.saved_at, entry.metadata.get("content_type"), entry.version)

    def exists(self, key: str) -> bool:
        """Return whether an entry exists. Override this if the backend can answer without a read of the entry.

        Raises:
            StorageError: The backend failed.
        """
        return self._guarded(key, "read", self._read, raw_key(validated_key(key))) is not None

    # -- around the hooks -------------------------------------------------------------------------------------------

    def _stored(self, key: str) -> Stored | None:
        blob = self._guarded(key, "read", self._read, raw_key(validated_key(key)))
        return None if blob is None else self._unpacked(key, blob)

    def _unpacked(self, key: str, blob: bytes) -> Stored:
        try:
            return unpacked(blob)
        except ValueError as error:
            why = f"{error}. Delete it with store.delete(key), or put a copy in its place"
            raise self._failed(key, "read", why) from None

    def _blob(self, key: str, entry: StorageEntry) -> tuple[bytes, str]:
        version = uuid.uuid4().hex
        kept = StorageEntry(validated_key(key), entry.data, entry.metadata, version)
        return packed(Stored(kept, time.time()), self.config.format, compressed=self.config.compression), version

    def _guarded(self, key: str | None, doing: str, hook: Any, *arguments: Any) -> Any:
        try:
            return hook(*arguments)
        except (ModelMeshError, NotImplementedError):
            raise
        except Exception as error:  # noqa: BLE001 - the backend's library may raise anything
            raise self._failed(key, doing, f"{self._why(error)}. {self.hint}") from None

    def _why(self, error: Exception) -> str:
        """Return the text of a backend failure for error messages.

        By default the type of the exception, and the message of an ``OSError``. A library's message may contain a password.
        """
        if not isinstance(error, OSError) or not error.strerror:
            return type(error).__name__
        path = f" ({error.filename})" if isinstance(error.filename, str) else ""
        return f"{type(error).__name__}: {error.strerror}{path}"

    def _damaged(self, why: str, then: str) -> None:
        """Report damaged data and its handling, for a store that continues without it."""
        _log.warning("%s: %s; %s", self.id, why, then)
        if self.on_damage is not None:
            self.on_damage(why, then)

    def _failed(self, key: str | None, doing: str, why: str) -> StorageError:
        what = "the keys" if key is None else f"the entry {key!r}"
        message = f"{what} in {self.id} cannot be {doing}: {why}"
        return StorageError(message, connector_id=self.id, key=key)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id}>"


def raw_key(key: str) -> str:
    """Return the raw key of an entry's key."""
    return RESERVED + key if key.startswith(RESERVED) else key


def _key_of(raw: str) -> str | None:
    if not raw.startswith(RESERVED):
        return raw
    return raw[1:] if raw.startswith(RESERVED * 2) else None
