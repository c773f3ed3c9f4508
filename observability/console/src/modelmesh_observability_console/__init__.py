"""Observability sink for a terminal: ``modelmesh.console.v1``."""

from modelmesh_observability_console.sink import ConsoleObservability

__all__ = ["ConsoleObservability"]
