"""The configuration of a proxy, and the mesh that is built from it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from modelmesh import ModelMesh

VARIABLE = "MODELMESH_CONFIG"
"""Environment variable with the path of a configuration."""

FILES = ("modelmesh.yaml", "modelmesh.yml", "modelmesh.json")
"""Names that are looked up in the working directory, in this order."""


def find_config() -> str | None:
    """Return the path of the configuration: ``MODELMESH_CONFIG``, else a file of the working directory, else ``None``."""
    stated = os.environ.get(VARIABLE, "").strip()
    return stated or next((name for name in FILES if Path(name).is_file()), None)


def load_mesh(
    config: Any = None, *, read_only: bool = False, worker_store: str | None = None, loads_state: bool = True
) -> ModelMesh:
    """Build the mesh of a configuration.

    Args:
        config: Path, dictionary or :class:`~modelmesh.MeshConfig`. Without one, or without providers, models and pools in it,
            the mesh has the providers with keys in the environment, else the models that need no key. It has every
            predefined pool that has a model.
        read_only: Neither load nor save state, and start no background task.
        worker_store: Path of the database that the workers of a server share, ``None`` for a single worker.
        loads_state: Load the stored state. The mesh of an earlier configuration hands its state over otherwise.

    Raises:
        ConfigurationError: The configuration cannot be used.
        NoProvidersError: No provider was found.
    """
    from modelmesh._engine.create import assemble_default_pools  # noqa: PLC0415 - a caller with a mesh needs no detection

    config = os.fspath(config) if isinstance(config, os.PathLike) else config
    if worker_store is not None:
        from modelmesh_proxy.application.worker_storage import for_workers  # noqa: PLC0415 - not for a single worker

        config = for_workers(config, worker_store)
    return assemble_default_pools(config, read_only=read_only, loads_state=loads_state)
