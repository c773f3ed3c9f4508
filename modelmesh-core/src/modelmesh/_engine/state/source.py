"""Interface through which the state package reads and changes a mesh."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from modelmesh._engine.state.system_state import SystemState


class StateSource(Protocol):
    """The mesh, as loading and saving see it. Implementations take the mesh's lock themselves."""

    def capture(self) -> SystemState:
        """Return a snapshot of the mesh."""
        ...

    def restore(self, state: SystemState) -> None:
        """Apply a stored snapshot to the mesh.

        Raises:
            DamagedStateError: A value of the snapshot is invalid.
        """
        ...

    def drain_counts(self) -> dict[str, int]:
        """Remove and return the amounts that were settled but not published, with 0 for each exhausted counter."""
        ...

    def apply_totals(self, totals: Mapping[str, int]) -> None:
        """Apply the totals of all processes, by counter name."""
        ...
