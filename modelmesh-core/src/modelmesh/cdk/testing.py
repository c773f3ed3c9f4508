"""``modelmesh.cdk.testing``: for the tests of connectors, installed by ``modelmesh-cdk``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelmesh._engine.foundation.facade import forward

if TYPE_CHECKING:
    from modelmesh_cdk.testing import DiscoveryConformance as DiscoveryConformance
    from modelmesh_cdk.testing import InProcessAccount as InProcessAccount
    from modelmesh_cdk.testing import InProcessMesh as InProcessMesh
    from modelmesh_cdk.testing import InProcessProviderConformance as InProcessProviderConformance
    from modelmesh_cdk.testing import ObservabilityConformance as ObservabilityConformance
    from modelmesh_cdk.testing import ProviderConformance as ProviderConformance
    from modelmesh_cdk.testing import Received as Received
    from modelmesh_cdk.testing import Script as Script
    from modelmesh_cdk.testing import SecretStoreConformance as SecretStoreConformance
    from modelmesh_cdk.testing import StorageConformance as StorageConformance
    from modelmesh_cdk.testing import StrategyConformance as StrategyConformance
    from modelmesh_cdk.testing import Turn as Turn
    from modelmesh_cdk.testing import Upstream as Upstream
    from modelmesh_cdk.testing import models_listed as models_listed

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

__getattr__ = forward(__name__, "modelmesh_cdk", "modelmesh-cdk", __all__, home="modelmesh_cdk.testing")


def __dir__() -> list[str]:
    return list(__all__)
