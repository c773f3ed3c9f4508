"""Assembling a mesh to see whether it can be, collecting what is wrong and sending nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from attrs import define, field

from modelmesh._engine.config import MeshConfig
from modelmesh._engine.config.problems import Problems
from modelmesh.cli.offline import nothing_sent
from modelmesh.client import ModelMesh
from modelmesh.errors import ModelMeshError


@define
class Assembled:
    """The result.

    Attributes:
        mesh: The mesh, ``None`` when it could not be assembled.
        problems: What is wrong, a message each.
        unchecked: What could not be checked without sending something, a sentence each.
    """

    mesh: ModelMesh | None = None
    problems: list[str] = field(factory=list)
    unchecked: list[str] = field(factory=list)


class _OfflineProblems(Problems):
    """Collects problems, and separates those that only follow from a refused connection."""

    def __init__(self, config: MeshConfig) -> None:
        super().__init__(config.source_map)
        self.refused: list[str] = []
        self.unchecked: list[str] = []

    def add_error(self, error: ModelMeshError, what: str = "") -> None:
        """Record a problem that was raised."""
        if not self.is_excused(what):
            super().add_error(error, what)

    def is_excused(self, what: str) -> bool:
        """Return whether a connection was refused in this step; whatever the connector made of it, this is why it failed."""
        if not self.refused:
            return False
        step, address = what or "a part", self.refused[0]
        self.refused.clear()
        self.unchecked.append(f"{step} was not checked: it would have to ask {address}. Let it: modelmesh check --online")
        return True


@contextmanager
def assembled(config: MeshConfig, *, online: bool) -> Iterator[Assembled]:
    """Try to assemble a mesh, and shut it down afterwards.

    Args:
        config: A configuration.
        online: Whether connectors may use the network.
    """
    found, mesh, problems = Assembled(), ModelMesh(), _OfflineProblems(config)
    try:
        allowed: AbstractContextManager[list[str]] = nullcontext([]) if online else nothing_sent()
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
