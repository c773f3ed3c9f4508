"""Quarantine of stored state that cannot be read, so that a later save does not destroy it."""

from __future__ import annotations

import logging

from modelmesh._engine.state.settings import KEY
from modelmesh._engine.state.store_health import StoreHealth
from modelmesh._engine.state.system_state import NewerStateError
from modelmesh.contracts.storage import Storage, StorageEntry
from modelmesh.errors import StorageError

_log = logging.getLogger("modelmesh.state")


class Quarantine:
    """Moves unreadable state to ``<key>.corrupt-<n>``, or to ``<key>.newer-<n>`` if a later version wrote it."""

    def __init__(self, storage: Storage, health: StoreHealth) -> None:
        self._storage, self._health = storage, health

    def move(self, data: bytes, error: Exception) -> None:
        """Copy the data to the first free quarantine key and delete the original.

        A store that fails here keeps the original, and the failure is recorded.

        Args:
            data: The unreadable data.
            error: Why the data cannot be used.
        """
        word = "newer" if isinstance(error, NewerStateError) else "corrupt"
        try:
            taken = set(self._storage.list(f"{KEY}.{word}-"))
            number = next(n for n in range(1, len(taken) + 2) if f"{KEY}.{word}-{n}" not in taken)
            aside = f"{KEY}.{word}-{number}"
            self._storage.save(aside, StorageEntry(aside, data))
            self._storage.delete(KEY)
        except Exception as failure:  # noqa: BLE001 - a plugin may raise anything, and the mesh still starts
            message = f"the stored state cannot be used ({error}), and moving it failed ({type(failure).__name__}: {failure})"
            self._health.record_failure(StorageError(message, connector_id=self._storage.id))
            return
        where = f"moved to {aside!r}"
        _log.warning("the stored state cannot be used: %s. It was %s, and all counts start at 0", error, where)
        self._health.report_damage(str(error), where)
