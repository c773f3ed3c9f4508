"""Storage that the worker processes of one server share, so that limits apply to all of them together."""

from __future__ import annotations

from typing import Any, Final

from modelmesh._engine.config import MeshConfig
from modelmesh._engine.config.problems import Problems
from modelmesh.errors import ConfigurationError

CONNECTOR: Final = "modelmesh.sqlite.v1"

OF_ONE_PROCESS: Final = "modelmesh.memory.v1"
"""The store of one process alone."""


def for_workers(config: Any, store: str) -> MeshConfig:
    """Return a configuration with counts that several workers share.

    Without a storage, the workers share a database that lasts as long as the server. A configured storage is used as it is.

    Args:
        config: Path, dictionary or configuration, ``None`` for an empty one.
        store: Path of a database that lasts as long as the server.

    Raises:
        ConfigurationError: Each worker would have counts of its own in the configured storage.
    """
    settings = MeshConfig.of({} if config is None else config)
    section = settings.read(Problems(settings.source_map)).storage
    if section is None or section.connector == OF_ONE_PROCESS:
        shared = {"connector": CONNECTOR, "path": store, "durable": False, "sync_policy": "immediate"}
        return settings.replaced(storage=shared)
    if section.sync_policy == "immediate":
        return settings
    where = settings.source_map.where(("storage",))
    lost = "" if section.sync_policy == "in-memory" else " and overwrite what the others save"
    message = (
        f"{where}: with sync_policy: {section.sync_policy}, each worker would count quotas and budgets alone{lost}. "
        "Set storage.sync_policy: immediate, or serve with --workers 1."
    )
    raise ConfigurationError(message, where=where)
