"""Test kit for connectors: a scripted HTTP server on the loopback interface, and the conformance tests.

======================================  =============================================================================
:class:`Upstream`                       HTTP server with scripted responses
:func:`models_listed`                   rows that a connector reads from its vendor's model list
:class:`Caller`                         calls a provider as the mesh does, from a thread or from a task
:func:`completion`, :func:`chunk`       responses in OpenAI's format. :func:`event` encodes one event of a stream
:data:`HISTORIES`                       conversations of real applications, each a :class:`History`
:func:`pool_of`                         pool of models for the tests of a strategy
:class:`OpenAIUpstream`                 server that imitates OpenAI's responses, and its fixture :func:`openai_upstream`
:func:`failover_client`                 fixture: factory of clients whose first model fails, for the tests of a sink
:class:`NativeConversations`            tests of conversations in a vendor's own format
:class:`ProviderConformance`            conformance tests of providers: derive a class and set the provider
:class:`InProcessProviderConformance`   conformance tests of providers whose model runs in the same process
:class:`Turn`                           scripted behavior of such a model
:class:`InProcess…Conformance`          the same of ``Embeddings``, ``Speech`` and ``Transcription``
:class:`ScriptedModel`                  scripted behavior of such a model
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

from modelmesh_cdk.testing.accounts import InProcessAccount, pool_of
from modelmesh_cdk.testing.callers import Caller
from modelmesh_cdk.testing.histories import HISTORIES, History
from modelmesh_cdk.testing.lists import models_listed
from modelmesh_cdk.testing.meshes import InProcessMesh
from modelmesh_cdk.testing.scripted_model import ScriptedModel
from modelmesh_cdk.testing.scripted_turns import Turn
from modelmesh_cdk.testing.upstream import Received, Script, Upstream, chunk, completion, event

if TYPE_CHECKING:
    from modelmesh_cdk.testing.discovery import DiscoveryConformance as DiscoveryConformance
    from modelmesh_cdk.testing.fixtures import OpenAIUpstream as OpenAIUpstream
    from modelmesh_cdk.testing.fixtures import failover_client as failover_client
    from modelmesh_cdk.testing.fixtures import openai_upstream as openai_upstream
    from modelmesh_cdk.testing.in_process import InProcessEmbeddingsConformance as InProcessEmbeddingsConformance
    from modelmesh_cdk.testing.in_process import InProcessSpeechConformance as InProcessSpeechConformance
    from modelmesh_cdk.testing.in_process import InProcessTranscriptionConformance as InProcessTranscriptionConformance
    from modelmesh_cdk.testing.native_conversations import NativeConversations as NativeConversations
    from modelmesh_cdk.testing.observability import ObservabilityConformance as ObservabilityConformance
    from modelmesh_cdk.testing.provider import InProcessProviderConformance as InProcessProviderConformance
    from modelmesh_cdk.testing.provider import ProviderConformance as ProviderConformance
    from modelmesh_cdk.testing.secret_store import SecretStoreConformance as SecretStoreConformance
    from modelmesh_cdk.testing.storage import StorageConformance as StorageConformance
    from modelmesh_cdk.testing.strategy import StrategyConformance as StrategyConformance

_KITS = {
    "DiscoveryConformance": "modelmesh_cdk.testing.discovery",
    "InProcessEmbeddingsConformance": "modelmesh_cdk.testing.in_process",
    "InProcessProviderConformance": "modelmesh_cdk.testing.provider",
    "InProcessSpeechConformance": "modelmesh_cdk.testing.in_process",
    "InProcessTranscriptionConformance": "modelmesh_cdk.testing.in_process",
    "NativeConversations": "modelmesh_cdk.testing.native_conversations",
    "ObservabilityConformance": "modelmesh_cdk.testing.observability",
    "OpenAIUpstream": "modelmesh_cdk.testing.fixtures",
    "ProviderConformance": "modelmesh_cdk.testing.provider",
    "SecretStoreConformance": "modelmesh_cdk.testing.secret_store",
    "StorageConformance": "modelmesh_cdk.testing.storage",
    "StrategyConformance": "modelmesh_cdk.testing.strategy",
    "failover_client": "modelmesh_cdk.testing.fixtures",
    "openai_upstream": "modelmesh_cdk.testing.fixtures",
}
_NEEDED = ("pytest", "hypothesis")

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
