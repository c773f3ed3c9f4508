"""Storage connector for a JSON file or a folder of JSON files: ``modelmesh.local-file.v1``."""

from modelmesh_storage_local_file.storage import LocalFileConfig, LocalFileStorage

__all__ = ["LocalFileConfig", "LocalFileStorage"]
