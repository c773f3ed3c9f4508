"""Test kit for connectors: a scripted HTTP server on the loopback interface, and the conformance tests.

======================================  =============================================================================
:class:`Upstream`                       HTTP server with scripted responses
:func:`models_listed`                   rows that a connector reads from its vendor's model list
:class:`ProviderConformance`            conformance tests of providers: derive a class and set the provider
:class:`InProcessProviderConformance`   conformance tests of providers whose model runs in the same process
:class:`Turn`                           scripted behavior of such a model
:class:`InProcessAccount`               account without a network, for tests above the wire
:class:`InProcessMesh`                  mesh of such accounts with a simulated clock
:class:`StrategyConformance`            conformance tests of strategies
:class:`SecretStoreConformance`         conformance tests of secret stores
:class:`ObservabilityConformance`       conformance tests of sinks
:class:`StorageConformance`             conformance tests of stores
:class:`DiscoveryConformance`           conformance tests of discovery connectors
======================================  =============================================================================

:mod:`modelmesh_cdk.testing.dialects` contains the wire formats. ``Upstream`` and the dialects do not need pytest. The
conformance tests need ``pip install 'modelmesh-cdk[testing]'``.
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
        import pytest  # noqa: PLC0415 - Upstream works without pytest

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
