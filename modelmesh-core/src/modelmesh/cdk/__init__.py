"""``modelmesh.cdk``: the connector development kit, installed by ``modelmesh-cdk``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelmesh._engine.foundation.facade import forward

if TYPE_CHECKING:
    from modelmesh_cdk import BaseDiscovery as BaseDiscovery
    from modelmesh_cdk import BaseDiscoveryConfig as BaseDiscoveryConfig
    from modelmesh_cdk import BaseObservability as BaseObservability
    from modelmesh_cdk import BaseObservabilityConfig as BaseObservabilityConfig
    from modelmesh_cdk import BaseProvider as BaseProvider
    from modelmesh_cdk import BaseProviderConfig as BaseProviderConfig
    from modelmesh_cdk import BaseSecretStore as BaseSecretStore
    from modelmesh_cdk import BaseSecretStoreConfig as BaseSecretStoreConfig
    from modelmesh_cdk import BaseStorage as BaseStorage
    from modelmesh_cdk import BaseStorageConfig as BaseStorageConfig
    from modelmesh_cdk import BaseStrategy as BaseStrategy
    from modelmesh_cdk import Cache as Cache
    from modelmesh_cdk import CacheStats as CacheStats
    from modelmesh_cdk import ConnectorId as ConnectorId
    from modelmesh_cdk import EmbeddingLimit as EmbeddingLimit
    from modelmesh_cdk import ErrorMapping as ErrorMapping
    from modelmesh_cdk import HttpApiProvider as HttpApiProvider
    from modelmesh_cdk import HttpApiProviderConfig as HttpApiProviderConfig
    from modelmesh_cdk import HttpHealthDiscovery as HttpHealthDiscovery
    from modelmesh_cdk import HttpHealthDiscoveryConfig as HttpHealthDiscoveryConfig
    from modelmesh_cdk import KeyValueStorage as KeyValueStorage
    from modelmesh_cdk import KeyValueStorageConfig as KeyValueStorageConfig
    from modelmesh_cdk import OpenAICompatibleProvider as OpenAICompatibleProvider
    from modelmesh_cdk import QuickProvider as QuickProvider
    from modelmesh_cdk import RateLimitHeaders as RateLimitHeaders
    from modelmesh_cdk import RequestMapping as RequestMapping
    from modelmesh_cdk import ResponseMapping as ResponseMapping
    from modelmesh_cdk import RollingWindow as RollingWindow
    from modelmesh_cdk import ServerSentEvent as ServerSentEvent
    from modelmesh_cdk import SharedStorage as SharedStorage
    from modelmesh_cdk import SseDecoder as SseDecoder
    from modelmesh_cdk import ThresholdRotationConfig as ThresholdRotationConfig
    from modelmesh_cdk import ThresholdRotationPolicy as ThresholdRotationPolicy
    from modelmesh_cdk import WireRequest as WireRequest
    from modelmesh_cdk import file_lock as file_lock
    from modelmesh_cdk import format_duration as format_duration
    from modelmesh_cdk import load_catalogue as load_catalogue
    from modelmesh_cdk import merge_configs as merge_configs
    from modelmesh_cdk import parse_duration as parse_duration
    from modelmesh_cdk import redact_secret as redact_secret
    from modelmesh_cdk import write_atomically as write_atomically

__all__ = [
    "BaseDiscovery",
    "BaseDiscoveryConfig",
    "BaseObservability",
    "BaseObservabilityConfig",
    "BaseProvider",
    "BaseProviderConfig",
    "BaseSecretStore",
    "BaseSecretStoreConfig",
    "BaseStorage",
    "BaseStorageConfig",
    "BaseStrategy",
    "Cache",
    "CacheStats",
    "ConnectorId",
    "EmbeddingLimit",
    "ErrorMapping",
    "HttpApiProvider",
    "HttpApiProviderConfig",
    "HttpHealthDiscovery",
    "HttpHealthDiscoveryConfig",
    "KeyValueStorage",
    "KeyValueStorageConfig",
    "OpenAICompatibleProvider",
    "QuickProvider",
    "RateLimitHeaders",
    "RequestMapping",
    "ResponseMapping",
    "RollingWindow",
    "ServerSentEvent",
    "SharedStorage",
    "SseDecoder",
    "ThresholdRotationConfig",
    "ThresholdRotationPolicy",
    "WireRequest",
    "file_lock",
    "format_duration",
    "load_catalogue",
    "merge_configs",
    "parse_duration",
    "redact_secret",
    "write_atomically",
]

__getattr__ = forward(__name__, "modelmesh_cdk", "modelmesh-cdk", __all__)


def __dir__() -> list[str]:
    return list(__all__)
