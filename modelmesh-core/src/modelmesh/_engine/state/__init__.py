"""What a mesh remembers between runs and shares with other processes."""

from modelmesh._engine.state.manager import StateManager, SyncStatus
from modelmesh._engine.state.mesh_state import StateOfMesh
from modelmesh._engine.state.shared_counters import SharedCounts
from modelmesh._engine.state.snapshot import DamagedStateError, NewerStateError, SystemState

__all__ = ["DamagedStateError", "NewerStateError", "SharedCounts", "StateManager", "StateOfMesh", "SyncStatus", "SystemState"]
