"""Configuration: typed values from a file or a dictionary. Every error states its position."""

from modelmesh._engine.config.merging import merge_configs
from modelmesh._engine.config.mesh_config import MeshConfig
from modelmesh._engine.foundation.units import format_duration, parse_duration, parse_size

__all__ = ["MeshConfig", "format_duration", "merge_configs", "parse_duration", "parse_size"]
