"""What a mesh remembers, in a file or a folder of files: ``modelmesh.local-file.v1``."""

from modelmesh_storage_local_file.storage import LocalFileConfig, LocalFileStorage

__all__ = ["LocalFileConfig", "LocalFileStorage"]
