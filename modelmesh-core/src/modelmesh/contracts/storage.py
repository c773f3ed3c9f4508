"""What a storage connector implements: bytes under keys, and locks where it can."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from attrs import field, frozen


@frozen
class StorageEntry:
    """What is stored under a key."""

    key: str
    data: bytes
    metadata: Mapping[str, Any] = field(factory=dict)


@frozen
class EntryMetadata:
    """What is known of an entry without reading it. ``size`` in bytes, ``last_modified`` in Unix seconds."""

    key: str
    size: int
    last_modified: float
    content_type: str | None = None


@runtime_checkable
class Storage(Protocol):
    """Keeps state between runs."""

    id: str

    def load(self, key: str) -> StorageEntry | None:
        """Return an entry, ``None`` when there is none."""
        ...

    def save(self, key: str, entry: StorageEntry) -> None:
        """Store an entry in place of any before it."""
        ...

    def list(self, prefix: str | None = None) -> list[str]:
        """Return the keys, sorted; only those that begin with ``prefix`` when one is given."""
        ...

    def delete(self, key: str) -> bool:
        """Remove an entry; ``False`` when there was none."""
        ...

    def stat(self, key: str) -> EntryMetadata | None:
        """Describe an entry, ``None`` when there is none."""
        ...

    def exists(self, key: str) -> bool:
        """Whether there is an entry."""
        ...
