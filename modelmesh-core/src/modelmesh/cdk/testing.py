"""``modelmesh.cdk.testing``: for the tests of connectors, installed by ``modelmesh-cdk``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelmesh._engine.foundation.lazy_import import lazy_import

if TYPE_CHECKING:
    from modelmesh_cdk.testing import HISTORIES as HISTORIES
    from modelmesh_cdk.testing import Caller as Caller
    from modelmesh_cdk.testing import DiscoveryConformance as DiscoveryConformance
    from modelmesh_cdk.testing import History as History
    from modelmesh_cdk.testing import InProcessAccount as InProcessAccount
    from modelmesh_cdk.testing import InProcessEmbeddingsConformance as InProcessEmbeddingsConformance
    from modelmesh_cdk.testing import InProcessMesh as InProcessMesh
    from modelmesh_cdk.testing import InProcessProviderConformance as InProcessProviderConformance
    from modelmesh_cdk.testing import InProcessSpeechConformance as InProcessSpeechConformance
    from modelmesh_cdk.testing import InProcessTranscriptionConformance as InProcessTranscriptionConformance
    from modelmesh_cdk.testing import NativeConversations as NativeConversations
    from modelmesh_cdk.testing import ObservabilityConformance as ObservabilityConformance
    from modelmesh_cdk.testing import OpenAIUpstream as OpenAIUpstream
    from modelmesh_cdk.testing import ProviderConformance as ProviderConformance
    from modelmesh_cdk.testing import Received as Received
    from modelmesh_cdk.testing import Script as Script
    from modelmesh_cdk.testing import ScriptedModel as ScriptedModel
    from modelmesh_cdk.testing import SecretStoreConformance as SecretStoreConformance
    from modelmesh_cdk.testing import StorageConformance as StorageConformance
    from modelmesh_cdk.testing import StrategyConformance as StrategyConformance
    from modelmesh_cdk.testing import Turn as Turn
    from modelmesh_cdk.testing import Upstream as Upstream
    from modelmesh_cdk.testing import chunk as chunk
    from modelmesh_cdk.testing import completion as completion
    from modelmesh_cdk.testing import event as event
    from modelmesh_cdk.testing import failover_client as failover_client
    from modelmesh_cdk.testing import models_listed as models_listed
    from modelmesh_cdk.testing import openai_upstream as openai_upstream
    from modelmesh_cdk.testing import pool_of as pool_of

__all__ = [
    "HISTORIES",
    "Caller",
    "DiscoveryConformance",
    "History",
    "InProcessAccount",
    "InProcessEmbeddingsConformance",
    "InProcessMesh",
    "InProcessProviderConformance",
    "InProcessSpeechConformance",
    "InProcessTranscriptionConformance",
    "NativeConversations",
    "ObservabilityConformance",
    "OpenAIUpstream",
    "ProviderConformance",
    "Received",
    "Script",
    "ScriptedModel",
    "SecretStoreConformance",
    "StorageConformance",
    "StrategyConformance",
    "Turn",
    "Upstream",
    "chunk",
    "completion",
    "event",
    "failover_client",
    "models_listed",
    "openai_upstream",
    "pool_of",
]

__getattr__ = lazy_import(__name__, "modelmesh_cdk", "modelmesh-cdk", __all__, home="modelmesh_cdk.testing")


def __dir__() -> list[str]:
    return list(__all__)
