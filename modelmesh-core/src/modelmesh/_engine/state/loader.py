"""Loading of the stored state into the mesh."""

from __future__ import annotations

from modelmesh._engine.state.quarantine import Quarantine
from modelmesh._engine.state.settings import KEY
from modelmesh._engine.state.source import StateSource
from modelmesh._engine.state.store_health import StoreHealth
from modelmesh._engine.state.system_state import DamagedStateError, NewerStateError, SystemState
from modelmesh.contracts.storage import Storage


class StateLoader:
    """Reads the stored state and applies it to the mesh. A store that fails, or damaged data, never stops the start.

    Attributes:
        loaded: Whether the store was read. Until then nothing may be saved over its content.
    """

    def __init__(self, storage: Storage, source: StateSource, health: StoreHealth) -> None:
        self.loaded = False
        self._storage, self._source, self._health = storage, source, health
        self._quarantine = Quarantine(storage, health)
        self._rejected: tuple[bytes, DamagedStateError] | None = None

    def read(self) -> tuple[bytes, SystemState | None]:
        """Return the stored data and the state in it. Unreadable data goes to quarantine."""
        try:
            entry = self._storage.load(KEY)
        except Exception as error:  # noqa: BLE001 - a plugin may raise anything, and the mesh still starts
            self._health.record_failure(error)
            return b"", None
        if entry is None:
            return b"", None
        try:
            return entry.data, SystemState.from_bytes(entry.data)
        except (DamagedStateError, NewerStateError) as error:
            self._quarantine.move(entry.data, error)
            return entry.data, None

    def restore(self) -> None:
        """Read the stored state and apply it to the mesh."""
        before = self._health.error
        data, state = self.read()
        if state is not None:
            try:
                if self._rejected is not None and self._rejected[0] == data:
                    raise self._rejected[1]  # do not apply it twice: a part of it may have been counted the first time
                self._source.restore(state)
            except DamagedStateError as error:
                self._rejected = (data, error)
                self._quarantine.move(data, error)
        self.loaded = self._health.error is before

    def restore_read_only(self) -> SystemState | None:
        """Apply the stored state and change nothing in the store, not even to quarantine unreadable data.

        Returns:
            The stored state, ``None`` when there is none.

        Raises:
            StorageError: The store failed.
            NewerStateError: A later version wrote the state.
            DamagedStateError: The state cannot be used.
        """
        entry = self._storage.load(KEY)
        state = None if entry is None else SystemState.from_bytes(entry.data)
        if state is not None:
            self._source.restore(state)
        self.loaded = True
        return state
