"""What is stored of a mesh, for commands that look at it: assembled as the configuration says, with nothing saved."""

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

HOW_TO_KEEP = """To keep it, pip install modelmesh-storage-local-file and write into the configuration:
  storage:
    connector: modelmesh.local-file.v1
    path: ./mesh-state.json"""

config_option = click.option("-c", "--config", metavar="PATH", help="Use this YAML or JSON file instead of what is detected.")


@frozen
class Stored:
    """A mesh that goes on from what is stored.

    Attributes:
        file: What the configuration is called in messages.
        mesh: The mesh; it saves nothing by itself.
        state: What was stored, ``None`` when nothing was.
        why_nothing: Why nothing can be kept at all, ``None`` when it can.
    """

    file: str
    mesh: ModelMesh
    state: SystemState | None
    why_nothing: str | None

    @property
    def storage(self) -> str | None:
        """ID of the store, ``None`` where nothing is kept."""
        return self.mesh.state.storage.id if self.mesh.state is not None and self.why_nothing is None else None

    @property
    def stored_at(self) -> float | None:
        """When it was stored, Unix seconds."""
        return self.state.timestamp if self.state is not None else None

    @property
    def heading(self) -> str:
        """Where it is stored, and since when."""
        if self.storage is None:
            return f"Nothing is kept: {self.why_nothing}"
        if self.stored_at is None:
            return f"Nothing is stored in {self.storage} yet"
        return f"Stored in {self.storage}, {shown_time(self.stored_at)}"

    def pool(self, name: str) -> Pool:
        """Return a pool by its name.

        Raises:
            click.BadParameter: There is none.
        """
        pools = {pool.name: pool for pool in self.mesh.list_pools()}
        if name not in pools:
            from modelmesh._engine.foundation.suggestions import did_you_mean  # noqa: PLC0415 - only when there is something to say

            message = f"{self.file} has no pool {name!r}.{did_you_mean(name, pools)} It has: {', '.join(pools)}."
            raise click.BadParameter(message, param_hint="POOL")
        return pools[name]


@contextmanager
def stored(config: str | None, *, locked: bool = False) -> Iterator[Stored]:
    """Assemble a mesh and let it go on from what is stored; nothing is saved at the end.

    Args:
        config: Path of a configuration, ``None`` to detect providers.
        locked: Whether nobody else may save meanwhile, where the store has locks.

    Raises:
        ModelMeshError: The configuration is wrong, or what is stored cannot be read.
    """
    from modelmesh._engine.config import MeshConfig  # noqa: PLC0415 - the engine, not for --help
    from modelmesh._engine.create import assemble  # noqa: PLC0415

    settings = MeshConfig({}) if config is None else MeshConfig.from_file(config)
    mesh = assemble(*_capabilities(settings), config=_silent(settings))
    file = config or "the environment"
    try:
        why = _why_nothing(mesh, file)
        yield Stored(file, mesh, None if why else read_state(mesh, locked=locked), why)
    finally:
        mesh.shutdown()


def _silent(settings: MeshConfig) -> MeshConfig:
    """Leave sinks out: a look is no event, and must not open their files."""
    return settings.replaced(observability=None)


def _capabilities(settings: MeshConfig) -> tuple[str, ...]:
    return () if settings.capabilities or not settings.is_overlay else (DEFAULT_CAPABILITY,)


def _why_nothing(mesh: ModelMesh, file: str) -> str | None:
    from modelmesh._engine.builtin.memory import MemoryStorage  # noqa: PLC0415 - the engine, not for --help

    if mesh.state is None:
        whose = "there is no configuration" if file == "the environment" else f"{file} has no section 'storage'"
        return f"{whose}, so counts and standby end with the process that has them"
    if mesh.state.policy == "in-memory":
        return f"{file} says 'sync_policy: in-memory', so counts and standby end with the process that has them"
    if isinstance(mesh.state.storage, MemoryStorage):
        return f"{mesh.state.storage.id}, which {file} names, lasts as long as the process that has it"
    return None


def read_state(mesh: ModelMesh, *, locked: bool = False) -> SystemState | None:
    """Let a mesh go on from what is stored, and leave that as it is.

    Args:
        mesh: One that was assembled to look.
        locked: Whether nobody else may save meanwhile, where the store has locks.

    Raises:
        ModelMeshError: What is stored cannot be read.
    """
    from modelmesh._engine.state import DamagedStateError, NewerStateError  # noqa: PLC0415
    from modelmesh.contracts.storage import Locking  # noqa: PLC0415 - the engine, not for --help
    from modelmesh.errors import ModelMeshError, StorageError  # noqa: PLC0415

    if mesh.state is None:
        return None
    store = mesh.state.storage.id
    try:
        if locked and isinstance(mesh.state.storage, Locking):
            mesh.state.acquire_lock()  # given back when the mesh shuts down
        return mesh.load_state()
    except NewerStateError as error:
        message = f"what is stored in {store} cannot be read: {error}. Read it with that version: pip install -U modelmesh-core"
        raise ModelMeshError(message) from None
    except DamagedStateError as error:
        message = (
            f"what is stored in {store} cannot be used: {error}. It was left as it is; the next mesh that starts with this "
            "configuration keeps it aside and counts anew."
        )
        raise ModelMeshError(message) from None
    except ModelMeshError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a plugin raises; its text may hold an address with a password
        message = f"{store} failed to read the state ({type(error).__name__}). Look whether it can be reached and read."
        raise StorageError(message, connector_id=store) from None


def shown_time(when: float) -> str:
    """Return a time for people: ``2026-11-21 12:00 UTC``."""
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(when))
