"""Registration of connectors by the running program."""

from modelmesh._engine.plugins.in_process import CONNECTOR_REGISTRY, register_connector

__all__ = ["CONNECTOR_REGISTRY", "register_connector"]
