"""What a store of state is made of."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, ClassVar, Self

from attrs import field, fields_dict, frozen, validators

from modelmesh.contracts import duration
from modelmesh.contracts.storage import EntryMetadata, StorageEntry, validated_key
from modelmesh.errors import ConfigurationError, ModelMeshError, StorageError
from modelmesh_cdk.declared_options import DeclaresOptions
from modelmesh_cdk.storage.envelope import FORMATS, Stored, packed, unpacked

_log = logging.getLogger("modelmesh.storage")

RESERVED = "~"
"""Raw keys that begin so are the kit's own (locks, counters); an entry's key that does gets a second one before it."""


@frozen(kw_only=True)
class BaseStorageConfig:
    """Settings of a store.

    Attributes:
        format: ``json``, ``yaml`` or ``msgpack``: how entries are written. All of them are read.
        compression: Whether they are compressed.
        lock_timeout: How long a lock is waited for, and after how long one that nobody released is free, seconds.
        retry_interval: How often a lock that is held is asked for again, seconds.
        options: Whatever else the configuration said; the connector reads what it knows.
    """

    format: str = field(default="json", validator=validators.in_(FORMATS))
    compression: bool = False
    lock_timeout: float = field(default=30.0, converter=duration)
    retry_interval: float = field(default=1.0, converter=duration)
    options: Mapping[str, Any] = field(factory=dict, repr=False)

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Self:
        """Read a map, in sections (``persistence``, ``locking``) or flat; keys that no field has go to ``options``.

        Raises:
            ConfigurationError: A value is not as it must be, or encryption is wanted, which a store of this kit does not do.
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
    """Return the setting that an error is about: a validator's names it, for a converter's they are tried one by one."""
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
    """Turns entries into blobs and back; a store overrides the four hooks that keep blobs.

    Hooks may raise whatever the backend's library raises: it becomes a ``StorageError`` that names the store and the
    key. They are called by many threads at once. A backend that can compare and set makes a
    :class:`~modelmesh_cdk.SharedStorage`, and gets locks and counters with it.

    Attributes:
        id: Connector ID, the same as the entry point's name.
        config_class: Settings; derive from :class:`BaseStorageConfig` for more of them.
        hint: What the message of a failure ends with: the next command to type.
        on_damage: Set by the mesh; see :mod:`modelmesh.contracts.storage`.
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
        """Return the blob under a raw key, ``None`` when there is none. Override this."""
        raise NotImplementedError

    def _write(self, key: str, blob: bytes) -> None:
        """Store a blob under a raw key in place of any before it, whole or not at all. Override this."""
        raise NotImplementedError

    def _remove(self, key: str) -> bool:
        """Remove a raw key; ``False`` when it was not there. Override this."""
        raise NotImplementedError

    def _keys(self, prefix: str) -> Iterable[str]:
        """Return all raw keys, or only those with the prefix where the backend can choose. Override this."""
        raise NotImplementedError

    def close(self) -> None:
        """Let go of what the store holds. May be called twice."""

    # -- the contract -----------------------------------------------------------------------------------------------

    def load(self, key: str) -> StorageEntry | None:
        """Return an entry, ``None`` when there is none.

        Raises:
            StorageError: The backend failed, or what it holds under the key is no entry.
        """
        found = self._stored(key)
        return found.entry if found else None

    def save(self, key: str, entry: StorageEntry) -> None:
        """Store an entry in place of any before it.

        Raises:
            StorageError: The backend failed.
            TypeError: The metadata is no plain data.
        """
        blob, _ = self._blob(key, entry)
        self._guarded(key, "saved", self._write, raw_key(key), blob)

    def list(self, prefix: str | None = None) -> list[str]:
        """Return the keys, sorted; only those that begin with ``prefix`` when one is given.

        Raises:
            StorageError: The backend failed.
        """
        wanted = prefix or ""
        raw = self._guarded(None, "listed", lambda: list(self._keys(raw_key(wanted) if wanted else "")))
        keys = (_key_of(one) for one in raw)
        return sorted(key for key in keys if key is not None and key.startswith(wanted))

    def delete(self, key: str) -> bool:
        """Remove an entry; ``False`` when there was none.

        Raises:
            StorageError: The backend failed.
        """
        return bool(self._guarded(key, "deleted", self._remove, raw_key(validated_key(key))))

    def stat(self, key: str) -> EntryMetadata | None:
        """Describe an entry, ``None`` when there is none. Reads it; override it where the backend knows without.

        Raises:
            StorageError: The backend failed, or what it holds under the key is no entry.
        """
        found = self._stored(key)
        if found is None:
            return None
        entry = found.entry
        return EntryMetadata(key, len(entry.data), found.saved_at, entry.metadata.get("content_type"), entry.version)

    def exists(self, key: str) -> bool:
        """Whether there is an entry. Reads it; override it where the backend knows without.

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
        except Exception as error:  # noqa: BLE001 - whatever the backend's library raises, it is named
            raise self._failed(key, doing, f"{self._why(error)}. {self.hint}") from None

    def _why(self, error: Exception) -> str:
        """Return what a failure of the backend is called in messages.

        By default the kind of exception and, of the system's own, what it says: a library's text may show a password.
        """
        if not isinstance(error, OSError) or not error.strerror:
            return type(error).__name__
        path = f" ({error.filename})" if isinstance(error.filename, str) else ""
        return f"{type(error).__name__}: {error.strerror}{path}"

    def _damaged(self, why: str, then: str) -> None:
        """Tell that something in the backend was damaged, and what became of it; for a store that goes on without it."""
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
    """Return the key that hooks see for an entry's key."""
    return RESERVED + key if key.startswith(RESERVED) else key


def _key_of(raw: str) -> str | None:
    if not raw.startswith(RESERVED):
        return raw
    return raw[1:] if raw.startswith(RESERVED * 2) else None
