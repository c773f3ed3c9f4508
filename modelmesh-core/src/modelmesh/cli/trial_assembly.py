"""Trial assembly of a mesh, which collects problems and sends nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from attrs import define, field

from modelmesh._engine.config import MeshConfig
from modelmesh._engine.config.problems import Problems
from modelmesh.cli.offline import refuse_connections
from modelmesh.client import ModelMesh
from modelmesh.errors import ModelMeshError


@define
class TrialAssembly:
    """Result of a trial assembly.

    Attributes:
        mesh: The mesh, ``None`` when it could not be assembled.
        problems: Messages, one for each problem.
        unchecked: Sentences, one for each part that needs the network to be checked.
    """

    mesh: ModelMesh | None = None
    problems: list[str] = field(factory=list)
    unchecked: list[str] = field(factory=list)


class _OfflineProblems(Problems):
    """Collection of problems without those that a refused connection caused."""

    def __init__(self, config: MeshConfig) -> None:
        super().__init__(config.source_map)
        self.refused: list[str] = []
        self.unchecked: list[str] = []

    def add_error(self, error: ModelMeshError, what: str = "") -> None:
        """Record a problem, unless a refused connection caused it."""
        if not self.is_excused(what):
            super().add_error(error, what)

    def is_excused(self, what: str) -> bool:
        """Return whether a connection was refused in this step, which then is the cause of its failure."""
        if not self.refused:
            return False
        step, address = what or "a part", self.refused[0]
        self.refused.clear()
        self.unchecked.append(
            f"{step} was not checked: it needs a connection to {address}. To allow connections: modelmesh check --online"
        )
        return True


@contextmanager
def trial_assembly(config: MeshConfig, *, online: bool) -> Iterator[TrialAssembly]:
    """Assemble a mesh on trial, and shut it down afterwards.

    Args:
        config: The configuration.
        online: Whether connectors may use the network.
    """
    found, mesh, problems = TrialAssembly(), ModelMesh(), _OfflineProblems(config)
    try:
        allowed: AbstractContextManager[list[str]] = nullcontext([]) if online else refuse_connections()
        with allowed as problems.refused:
            try:
                mesh.initialize(config, read_only=True, problems=problems)
            except ModelMeshError as error:
                if not problems:
                    problems.add_error(error)
            else:
                found.mesh = mesh
        found.problems, found.unchecked = problems.messages, problems.unchecked
        if found.unchecked:
            found.mesh = None
        yield found
    finally:
        mesh.shutdown()
