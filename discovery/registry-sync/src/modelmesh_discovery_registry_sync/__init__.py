"""Discovery connector that compares model lists: ``modelmesh.registry-sync.v1``."""

from modelmesh_discovery_registry_sync.discovery import RegistrySync

__all__ = ["RegistrySync"]
