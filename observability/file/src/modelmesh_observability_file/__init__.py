"""Observability sink for JSON lines in a file: ``modelmesh.file.v1``."""

from modelmesh_observability_file.sink import FileObservability

__all__ = ["FileObservability"]
