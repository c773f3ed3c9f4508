"""Finding connectors: by ID, in the metadata of what is installed, without importing what nobody names."""

from modelmesh._engine.plugins.catalog import Catalog, Found
from modelmesh._engine.plugins.in_process import CONNECTOR_REGISTRY, register_connector
from modelmesh._engine.plugins.resolver import Resolver, build

__all__ = ["CONNECTOR_REGISTRY", "Catalog", "Found", "Resolver", "build", "register_connector"]
