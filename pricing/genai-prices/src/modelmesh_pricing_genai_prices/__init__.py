"""Prices from the genai-prices library, for models without a price in their connector."""

from modelmesh_pricing_genai_prices.source import PROVIDERS, modelmesh_price

__version__ = "0.1.0"
__all__ = ["PROVIDERS", "__version__", "modelmesh_price"]
