"""Stored state of a mesh, for read-only commands."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click
from attrs import frozen

if TYPE_CHECKING:
    from modelmesh._engine.config import MeshConfig
    from modelmesh._engine.routing.pool import Pool
    from modelmesh._engine.state import SystemState
    from modelmesh.client import ModelMesh

DEFAULT_CAPABILITY = "chat-completion"

HOW_TO_STORE = """To store it, pip install modelmesh-storage-local-file and add to the configuration:
  storage:
    connector: modelmesh.local-file.v1
    path: ./mesh-state.json"""

config_option = click.option("-c", "--config", metavar="PATH", help="Use this YAML or JSON file instead of detection.")


@frozen
class StoredMesh:
    """A read-only mesh with the stored state.

    Attributes:
        file: Name of the configuration in messages.
        mesh: The mesh. It saves nothing by itself.
        state: The stored state, ``None`` when there is none.
        storage_problem: Why no state can be stored, ``None`` when it can.
    """

    file: str
    mesh: ModelMesh
    state: SystemState | None
    storage_problem: str | None

    @property
    def storage(self) -> str | None:
        """ID of the store, ``None`` when no state can be stored."""
        return self.mesh.state.storage.id if self.mesh.state is not None and self.storage_problem is None else None

    @property
    def stored_at(self) -> float | None:
        """Unix seconds of the stored state."""
        return self.state.timestamp if self.state is not None else None

    @property
    def heading(self) -> str:
        """Heading with the store and the time of the state."""
        if self.storage is None:
            return f"No state is stored: {self.storage_problem}"
        if self.stored_at is None:
            return f"No state is stored in {self.storage} yet"
        return f"Stored in {self.storage}, {format_time(self.stored_at)}"

    def pool(self, name: str) -> Pool:
        """Return a pool by its name.

        Raises:
            click.BadParameter: There is no such pool.
        """
        pools = {pool.name: pool for pool in self.mesh.list_pools()}
        if name not in pools:
            from modelmesh._engine.foundation.suggestions import did_you_mean  # noqa: PLC0415 - only when needed

            message = f"{self.file} has no pool {name!r}.{did_you_mean(name, pools)} It has: {', '.join(pools)}."
            raise click.BadParameter(message, param_hint="POOL")
        return pools[name]


@contextmanager
def stored_mesh(config: str | None, *, locked: bool = False) -> Iterator[StoredMesh]:
    """Assemble a mesh and load the stored state into it. Nothing is saved at the end.

    Args:
        config: Path of a configuration, ``None`` to detect providers.
        locked: Whether to hold the lock of the state, where the store has locks.

    Raises:
        ModelMeshError: The configuration is invalid, or the stored state cannot be read.
    """
    from modelmesh import MeshConfig  # noqa: PLC0415 - the engine, not for --help
    from modelmesh._engine.create import assemble  # noqa: PLC0415

    settings = MeshConfig({}) if config is None else MeshConfig.from_file(config)
    mesh = assemble(*_capabilities(settings), config=_without_sinks(settings))
    file = config or "the environment"
    try:
        why = _storage_problem(mesh, file)
        yield StoredMesh(file, mesh, None if why else read_state(mesh, locked=locked), why)
    finally:
        mesh.shutdown()


def _without_sinks(settings: MeshConfig) -> MeshConfig:
    """Return the configuration without sinks: a read-only command must not open their files."""
    return settings.replaced(observability=None)


def _capabilities(settings: MeshConfig) -> tuple[str, ...]:
    return () if settings.capabilities or not settings.is_overlay else (DEFAULT_CAPABILITY,)


def _storage_problem(mesh: ModelMesh, file: str) -> str | None:
    from modelmesh._engine.builtin.memory import MemoryStorage  # noqa: PLC0415 - the engine, not for --help
    from modelmesh._engine.state import SyncPolicy  # noqa: PLC0415

    if mesh.state is None:
        cause = "there is no configuration" if file == "the environment" else f"{file} has no section 'storage'"
        return f"{cause}, so counts and standby end with their process"
    if mesh.state.policy is SyncPolicy.IN_MEMORY:
        return f"{file} sets 'sync_policy: in-memory', so counts and standby end with their process"
    if isinstance(mesh.state.storage, MemoryStorage):
        return f"{mesh.state.storage.id}, which {file} selects, ends with its process"
    return None


def read_state(mesh: ModelMesh, *, locked: bool = False) -> SystemState | None:
    """Load the stored state into a read-only mesh.

    Args:
        mesh: The mesh.
        locked: Whether to hold the lock of the state, where the store has locks.

    Raises:
        ModelMeshError: The stored state cannot be read.
    """
    from modelmesh._engine.state import DamagedStateError, NewerStateError  # noqa: PLC0415
    from modelmesh.contracts.storage import Locking  # noqa: PLC0415 - the engine, not for --help
    from modelmesh.errors import ModelMeshError, StorageError  # noqa: PLC0415

    if mesh.state is None:
        return None
    store = mesh.state.storage.id
    try:
        if locked and isinstance(mesh.state.storage, Locking):
            mesh.state.acquire_lock()  # released when the mesh shuts down
        return mesh.load_state()
    except NewerStateError as error:
        message = f"the state in {store} cannot be read: {error}. Install that version: pip install -U modelmesh-core"
        raise ModelMeshError(message) from None
    except DamagedStateError as error:
        message = (
            f"the state in {store} cannot be used: {error}. It was not changed. The next mesh with this configuration moves "
            "it to quarantine and starts with empty counts."
        )
        raise ModelMeshError(message) from None
    except ModelMeshError:
        raise
    except Exception as error:  # noqa: BLE001 - a plugin may raise anything, with a password in its text
        message = f"{store} failed to read the state ({type(error).__name__}). Check that it can be reached and read."
        raise StorageError(message, connector_id=store) from None


def format_time(when: float) -> str:
    """Return a time as ``2026-11-21 12:00 UTC``."""
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(when))
