"""Plugins: lookup of installed connectors by ID, without an import of those that are not used."""

from modelmesh._engine.plugins.catalog import Catalog, PluginEntry
from modelmesh._engine.plugins.in_process import CONNECTOR_REGISTRY, register_connector
from modelmesh._engine.plugins.resolver import Resolver, build

__all__ = ["CONNECTOR_REGISTRY", "Catalog", "PluginEntry", "Resolver", "build", "register_connector"]
