"""The registry of tokens of a configuration, for commands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelmesh._engine.config import MeshConfig
    from modelmesh_proxy.tokens.registry import TokenRegistry

HOW_TO_STORE = """for example for one machine:
  storage:
    connector: modelmesh.sqlite.v1        # pip install modelmesh-storage-sqlite
    path: ./mesh-state.db
    sync_policy: immediate                # budgets hold over all workers
For several machines use redis.redis.v1. Tokens that never change can stand in the configuration: proxy.auth.tokens."""


@contextmanager
def opened_registry(config: str | None, *, amounts: bool = False) -> Iterator[tuple[TokenRegistry, MeshConfig]]:
    """Open the store of the configuration, and close it at the end.

    Raises:
        ModelMeshError: There is no configuration or no storage, or the storage cannot be used.
    """
    from modelmesh import MeshConfig  # noqa: PLC0415 - the engine, not for --help
    from modelmesh._engine.assembly.storage_only import open_storage  # noqa: PLC0415
    from modelmesh._engine.builtin.memory import MemoryStorage  # noqa: PLC0415
    from modelmesh.errors import ModelMeshError  # noqa: PLC0415
    from modelmesh_proxy.application.mesh_source import find_config  # noqa: PLC0415
    from modelmesh_proxy.tokens.amounts import amounts_of_store  # noqa: PLC0415
    from modelmesh_proxy.tokens.registry import TokenRegistry  # noqa: PLC0415
    from modelmesh_proxy.tokens.token_store import TokenStore  # noqa: PLC0415

    path = config or find_config()
    if path is None:
        message = (
            "there is no configuration: no --config, no MODELMESH_CONFIG and no ./modelmesh.yaml. "
            f"Tokens are kept in its storage. Save a modelmesh.yaml with a storage, {HOW_TO_STORE}"
        )
        raise ModelMeshError(message)
    settings = MeshConfig.from_file(path)
    opened = open_storage(settings)
    if opened is None:
        message = f"{path} has no section 'storage'. Tokens are kept there. Add one, {HOW_TO_STORE}"
        raise ModelMeshError(message)
    storage, section = opened
    if isinstance(storage, MemoryStorage):
        message = f"{path} selects {storage.id}, which ends with its process. Select a storage that stays, {HOW_TO_STORE}"
        raise ModelMeshError(message)
    try:
        source = amounts_of_store(storage, section) if amounts else None
        yield TokenRegistry(TokenStore(storage), source), settings
    finally:
        close = getattr(storage, "close", None)
        if close is not None:
            close()
