"""What a mesh remembers between runs and shares with other processes."""

from modelmesh.state.image import DamagedStateError, NewerStateError, SystemState
from modelmesh.state.manager import StateManager, SyncStatus
from modelmesh.state.of_mesh import StateOfMesh
from modelmesh.state.shared_counts import SharedCounts

__all__ = ["DamagedStateError", "NewerStateError", "SharedCounts", "StateManager", "StateOfMesh", "SyncStatus", "SystemState"]
