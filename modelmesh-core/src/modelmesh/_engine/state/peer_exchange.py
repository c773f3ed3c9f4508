"""Exchange of health and sessions between the processes that share a store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final, Protocol
from zlib import crc32

from attrs import define, field

from modelmesh._engine.state.save_thread import SaveThread
from modelmesh._engine.state.shared_rows import Row, SharedRows, SharedStore
from modelmesh._engine.state.store_health import StoreHealth
from modelmesh.errors import StorageConflictError

INTERVAL_S: Final = 0.4
"""Seconds between two exchanges. A change reaches other processes within twice this time."""


class SharedView(Protocol):
    """A part of the mesh that processes share. Implementations take the mesh's lock themselves.

    Attributes:
        name: Name of its entries in the store.
        shards: Number of entries over which its rows are spread.
    """

    name: str
    shards: int

    def take_changes(self, now: float) -> dict[str, Row]:
        """Remove and return the rows that changed here since the last call."""
        ...

    def apply(self, rows: Mapping[str, Row], now: float) -> None:
        """Apply the rows of all processes."""
        ...


@define(eq=False)
class _Shard:
    view: SharedView
    rows: SharedRows
    pending: dict[str, Row] = field(factory=dict)


class PeerExchange:
    """Writes the changes of this process to the store, and applies those of others, in a background thread."""

    def __init__(
        self, store: SharedStore, prefix: str, views: Iterable[SharedView], now: Callable[[], float], health: StoreHealth
    ) -> None:
        """Prepare the exchange without starting it.

        Args:
            store: The store.
            prefix: Prefix of the keys of the entries.
            views: What is exchanged.
            now: Returns Unix seconds.
            health: Health of the store. Nothing is exchanged while it has an error: the state manager tests it for recovery.
        """
        self._store, self._now, self._health = store, now, health
        self._shards = {
            view.name: [_Shard(view, SharedRows(store, f"{prefix}{view.name}/{number}")) for number in range(view.shards)]
            for view in views
        }
        self._views = {name: shards[0].view for name, shards in self._shards.items()}
        self.thread = SaveThread(self.exchange, INTERVAL_S)

    def exchange(self) -> None:
        """Exchange once. Failures of the store are recorded, not raised."""
        if self._health.error is not None:
            return
        now = self._now()
        for name, view in self._views.items():
            shards = self._shards[name]
            for row_name, row in view.take_changes(now).items():
                shards[crc32(row_name.encode()) % len(shards)].pending[row_name] = row
        try:
            self._exchange_shards(now)
        except StorageConflictError:
            return  # other processes were faster each time: the changes are kept for the next exchange
        except Exception as error:  # noqa: BLE001 - a plugin may raise anything, and the changes are kept for the next exchange
            self._health.record_failure(error)

    def _exchange_shards(self, now: float) -> None:
        every = [shard for shards in self._shards.values() for shard in shards]
        versions = self._store.increment_many({shard.rows.key: (0, None) for shard in every})
        for shard in every:
            version = versions[shard.rows.key]
            if shard.pending or shard.rows.has_changed(version):
                rows = shard.rows.exchange(shard.pending, version, now)
                shard.pending = {}
                shard.view.apply(rows, now)

    def after_fork(self) -> None:
        """Forget the parent's thread and its unsent changes."""
        self.thread.after_fork()
        for shards in self._shards.values():
            for shard in shards:
                shard.pending = {}
