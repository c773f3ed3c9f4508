"""What the mesh does, as lines of JSON: ``modelmesh.file.v1``."""

from modelmesh_observability_file.sink import FileObservability

__all__ = ["FileObservability"]
