"""Configuration: from a file or a dictionary to typed values, every error with its place."""

from modelmesh.config.mesh_config import MeshConfig
from modelmesh.config.units import duration, size

__all__ = ["MeshConfig", "duration", "size"]
