"""Configuration: typed values from a file or a dictionary. Every error states its position."""

from modelmesh._engine.config.merging import merge_configs
from modelmesh._engine.config.mesh_config import MeshConfig
from modelmesh._engine.foundation.units import duration, format_duration, size

__all__ = ["MeshConfig", "duration", "format_duration", "merge_configs", "size"]
