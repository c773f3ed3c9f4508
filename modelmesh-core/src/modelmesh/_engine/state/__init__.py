"""Persisted state of a mesh: snapshots, their storage, and counters shared between processes."""

from modelmesh._engine.state.manager import StateManager
from modelmesh._engine.state.mesh_state import MeshState
from modelmesh._engine.state.settings import StateSettings, SyncPolicy
from modelmesh._engine.state.shared_counters import SharedCounters
from modelmesh._engine.state.sync_status import StateSyncStatus
from modelmesh._engine.state.system_state import DamagedStateError, NewerStateError, SystemState

__all__ = [
    "DamagedStateError",
    "MeshState",
    "NewerStateError",
    "SharedCounters",
    "StateManager",
    "StateSettings",
    "StateSyncStatus",
    "SyncPolicy",
    "SystemState",
]
