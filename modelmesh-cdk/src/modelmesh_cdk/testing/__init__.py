"""For the tests of connectors: a vendor's API on loopback, and the conformance kit.

======================================  =============================================================================
:class:`Upstream`                       a vendor's API on loopback whose answers the test writes down
:func:`models_listed`                   what a connector makes of its vendor's list of models
:class:`ProviderConformance`            what every provider keeps: derive a test class, name the provider, that is all
:class:`InProcessProviderConformance`   the same for a model in this very process, which has no wire
:class:`Turn`                           what such a model is to do when it is asked
:class:`InProcessAccount`               an account without a network, for what is tested above the wire
:class:`InProcessMesh`                  a mesh of such accounts, on a clock that the test turns
:class:`StrategyConformance`            the same for strategies
:class:`SecretStoreConformance`         the same for secret stores
:class:`ObservabilityConformance`       the same for sinks
:class:`StorageConformance`             the same for stores of state
:class:`DiscoveryConformance`           the same for discovery connectors
======================================  =============================================================================

The wires that providers speak are in :mod:`modelmesh_cdk.testing.dialects`. ``Upstream`` and they need no pytest; the kit needs
``pip install 'modelmesh-cdk[testing]'``.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

from modelmesh_cdk.testing.accounts import InProcessAccount
from modelmesh_cdk.testing.lists import models_listed
from modelmesh_cdk.testing.meshes import InProcessMesh
from modelmesh_cdk.testing.scripted_turns import Turn
from modelmesh_cdk.testing.upstream import Received, Script, Upstream

if TYPE_CHECKING:
    from modelmesh_cdk.testing.discovery import DiscoveryConformance as DiscoveryConformance
    from modelmesh_cdk.testing.observability import ObservabilityConformance as ObservabilityConformance
    from modelmesh_cdk.testing.provider import InProcessProviderConformance as InProcessProviderConformance
    from modelmesh_cdk.testing.provider import ProviderConformance as ProviderConformance
    from modelmesh_cdk.testing.secret_store import SecretStoreConformance as SecretStoreConformance
    from modelmesh_cdk.testing.storage import StorageConformance as StorageConformance
    from modelmesh_cdk.testing.strategy import StrategyConformance as StrategyConformance

_KITS = {
    "DiscoveryConformance": "modelmesh_cdk.testing.discovery",
    "InProcessProviderConformance": "modelmesh_cdk.testing.provider",
    "ObservabilityConformance": "modelmesh_cdk.testing.observability",
    "ProviderConformance": "modelmesh_cdk.testing.provider",
    "SecretStoreConformance": "modelmesh_cdk.testing.secret_store",
    "StorageConformance": "modelmesh_cdk.testing.storage",
    "StrategyConformance": "modelmesh_cdk.testing.strategy",
}
_NEEDED = ("pytest", "hypothesis")

__all__ = [
    "DiscoveryConformance",
    "InProcessAccount",
    "InProcessMesh",
    "InProcessProviderConformance",
    "ObservabilityConformance",
    "ProviderConformance",
    "Received",
    "Script",
    "SecretStoreConformance",
    "StorageConformance",
    "StrategyConformance",
    "Turn",
    "Upstream",
    "models_listed",
]


def __getattr__(name: str) -> object:
    home = _KITS.get(name)
    if home is None:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    try:
        import pytest  # noqa: PLC0415 - who only wants Upstream needs no pytest

        if home not in sys.modules:
            pytest.register_assert_rewrite(home)  # failures then show both sides
        found = getattr(importlib.import_module(home), name)
    except ModuleNotFoundError as error:
        if error.name not in _NEEDED:
            raise
        message = f"{name} needs {error.name}: pip install 'modelmesh-cdk[testing]'"
        raise ModuleNotFoundError(message, name=error.name) from error
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return list(__all__)
