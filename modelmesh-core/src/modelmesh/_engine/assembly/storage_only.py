"""The storage of a configuration without its mesh, for commands that need no provider."""

from __future__ import annotations

from modelmesh._engine.assembly.stores import build_references, build_storage
from modelmesh._engine.config.mesh_config import MeshConfig
from modelmesh._engine.config.problems import Problems, UncheckableError
from modelmesh._engine.config.schema import StorageSection
from modelmesh._engine.config.sections import Sections
from modelmesh._engine.plugins.resolver import Resolver
from modelmesh.contracts.storage import Storage


def read_sections(config: MeshConfig) -> Sections:
    """Return the valid sections of a configuration. Problems of the others are left to ``modelmesh check``."""
    return config.read(Problems(config.source_map))


def open_storage(config: MeshConfig) -> tuple[Storage, StorageSection] | None:
    """Return the storage of a configuration and its section, ``None`` without such a section.

    Raises:
        ConfigurationError: The section is invalid.
        ConnectorError: The connector is unknown or broken.
    """
    problems, resolver = Problems(config.source_map), Resolver()
    references = build_references(config.read_secrets(problems), resolver, problems)
    others = Problems(config.source_map)
    sections = config.read(others, references)
    if sections.storage is None:
        if config.raw.get("storage") is not None:
            raise others.error()
        return None
    try:
        return build_storage(sections.storage, resolver, references, problems), sections.storage
    except UncheckableError:
        raise problems.error() from None
