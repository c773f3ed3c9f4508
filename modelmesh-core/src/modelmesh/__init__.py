"""ModelMesh: one OpenAI-compatible client for many AI providers, with routing by capability and failover.

Names are loaded on first use, so ``import modelmesh`` takes almost no time.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelmesh import capabilities as capabilities
    from modelmesh._engine.background.late_providers import ProviderUnavailableWarning as ProviderUnavailableWarning
    from modelmesh._engine.config import MeshConfig as MeshConfig
    from modelmesh._engine.create import create as create
    from modelmesh._engine.create import create_async as create_async
    from modelmesh._engine.foundation.secret import Secret as Secret
    from modelmesh._engine.plugins import CONNECTOR_REGISTRY as CONNECTOR_REGISTRY
    from modelmesh._engine.plugins import register_connector as register_connector
    from modelmesh.client import AsyncMeshClient as AsyncMeshClient
    from modelmesh.client import MeshClient as MeshClient
    from modelmesh.client import ModelMesh as ModelMesh
    from modelmesh.client import OpenAIClient as OpenAIClient
    from modelmesh.errors import AllProvidersExhaustedError as AllProvidersExhaustedError
    from modelmesh.errors import AuthenticationError as AuthenticationError
    from modelmesh.errors import BadRequestError as BadRequestError
    from modelmesh.errors import BadUpstreamResponseError as BadUpstreamResponseError
    from modelmesh.errors import BrokenConnectorError as BrokenConnectorError
    from modelmesh.errors import BudgetExceededError as BudgetExceededError
    from modelmesh.errors import CapabilityNotFoundError as CapabilityNotFoundError
    from modelmesh.errors import ConfigurationError as ConfigurationError
    from modelmesh.errors import ConnectorError as ConnectorError
    from modelmesh.errors import ConnectorLoadError as ConnectorLoadError
    from modelmesh.errors import DuplicateConnectorError as DuplicateConnectorError
    from modelmesh.errors import ModelMeshError as ModelMeshError
    from modelmesh.errors import ModelNotFoundError as ModelNotFoundError
    from modelmesh.errors import NoActiveModelError as NoActiveModelError
    from modelmesh.errors import NoProvidersError as NoProvidersError
    from modelmesh.errors import ProviderConnectionError as ProviderConnectionError
    from modelmesh.errors import ProviderError as ProviderError
    from modelmesh.errors import ProviderInitError as ProviderInitError
    from modelmesh.errors import ProviderServerError as ProviderServerError
    from modelmesh.errors import ProviderTimeoutError as ProviderTimeoutError
    from modelmesh.errors import QuotaExceededError as QuotaExceededError
    from modelmesh.errors import RateLimitError as RateLimitError
    from modelmesh.errors import ResponseTooLargeError as ResponseTooLargeError
    from modelmesh.errors import RoutingError as RoutingError
    from modelmesh.errors import SecretNotFoundError as SecretNotFoundError
    from modelmesh.errors import SessionModelUnavailableError as SessionModelUnavailableError
    from modelmesh.errors import StorageConflictError as StorageConflictError
    from modelmesh.errors import StorageError as StorageError
    from modelmesh.errors import StorageLockError as StorageLockError
    from modelmesh.errors import StoreUnavailableError as StoreUnavailableError
    from modelmesh.errors import StreamInterruptedError as StreamInterruptedError
    from modelmesh.errors import UnknownConnectorError as UnknownConnectorError

__version__ = "0.1.0"

_HOMES = {
    "AsyncMeshClient": "modelmesh.client",
    "MeshClient": "modelmesh.client",
    "OpenAIClient": "modelmesh.client",
    "MeshConfig": "modelmesh._engine.config",
    "create": "modelmesh._engine.create",
    "create_async": "modelmesh._engine.create",
    "AllProvidersExhaustedError": "modelmesh.errors",
    "AuthenticationError": "modelmesh.errors",
    "BadRequestError": "modelmesh.errors",
    "BadUpstreamResponseError": "modelmesh.errors",
    "BrokenConnectorError": "modelmesh.errors",
    "BudgetExceededError": "modelmesh.errors",
    "CapabilityNotFoundError": "modelmesh.errors",
    "ConfigurationError": "modelmesh.errors",
    "ConnectorError": "modelmesh.errors",
    "ConnectorLoadError": "modelmesh.errors",
    "DuplicateConnectorError": "modelmesh.errors",
    "ModelMeshError": "modelmesh.errors",
    "ModelNotFoundError": "modelmesh.errors",
    "NoActiveModelError": "modelmesh.errors",
    "NoProvidersError": "modelmesh.errors",
    "ProviderConnectionError": "modelmesh.errors",
    "ProviderError": "modelmesh.errors",
    "ProviderInitError": "modelmesh.errors",
    "ProviderUnavailableWarning": "modelmesh._engine.background.late_providers",
    "ProviderServerError": "modelmesh.errors",
    "ProviderTimeoutError": "modelmesh.errors",
    "QuotaExceededError": "modelmesh.errors",
    "RateLimitError": "modelmesh.errors",
    "ResponseTooLargeError": "modelmesh.errors",
    "RoutingError": "modelmesh.errors",
    "SecretNotFoundError": "modelmesh.errors",
    "SessionModelUnavailableError": "modelmesh.errors",
    "StorageConflictError": "modelmesh.errors",
    "StorageError": "modelmesh.errors",
    "StorageLockError": "modelmesh.errors",
    "StoreUnavailableError": "modelmesh.errors",
    "StreamInterruptedError": "modelmesh.errors",
    "UnknownConnectorError": "modelmesh.errors",
    "ModelMesh": "modelmesh.client",
    "CONNECTOR_REGISTRY": "modelmesh._engine.plugins",
    "register_connector": "modelmesh._engine.plugins",
    "Secret": "modelmesh._engine.foundation.secret",
}

_MODULES = frozenset({"capabilities", "cdk", "client", "contracts", "errors", "exceptions", "testing"})
"""Modules that are attributes without an import of their own."""

__all__ = [*_HOMES, "__version__", "capabilities"]


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return importlib.import_module(f"modelmesh.{name}")
    home = _HOMES.get(name)
    if home is None:
        message = f"module 'modelmesh' has no attribute {name!r}"
        raise AttributeError(message)
    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
