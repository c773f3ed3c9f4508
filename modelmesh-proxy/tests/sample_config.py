"""Configuration of a proxy without an installed connector: one provider at an address where nothing listens."""

from modelmesh.cdk import QuickProvider

PROVIDERS = {"local": {"instance": QuickProvider(base_url="http://127.0.0.1:9", models=["m"])}}
CONFIG = {"providers": PROVIDERS, "pools": {"text-generation": {}}}
