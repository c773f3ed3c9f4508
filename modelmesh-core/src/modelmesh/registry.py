"""Alias of :mod:`modelmesh.connectors`."""

from modelmesh.connectors import CONNECTOR_REGISTRY, register_connector

__all__ = ["CONNECTOR_REGISTRY", "register_connector"]
