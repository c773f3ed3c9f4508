"""The connector development kit: what a connector is made of, so that its author writes only what is different.

=================================  =====================================================================================
:class:`BaseProvider`              a provider over HTTP: hooks to encode, decode and classify; the kit does the rest
:class:`OpenAICompatibleProvider`  the same for vendors that speak OpenAI's format: a base URL and a variable are enough
:class:`QuickProvider`             one of these made on the spot, its models asked of the vendor
:class:`HttpApiProvider`           a vendor with JSON of its own: two mappings describe it
:class:`EmbeddingLimit`            what one request for embeddings may hold; larger ones are sent in parts
:class:`BaseStrategy`              override ``select`` or ``score``
:class:`ThresholdRotationPolicy`   when to standby, when back, who first: thresholds on a snapshot
:class:`BaseSecretStore`           override ``_resolve``
:class:`BaseObservability`         override ``_write``
:class:`BaseStorage`               keeps entries: override ``_read``, ``_write``, ``_remove`` and ``_keys``
:class:`SharedStorage`             the same for many processes: ``_swap`` too, and locks and counters follow
:class:`KeyValueStorage`           one that is complete: in memory, or a folder of files
:class:`BaseDiscovery`             compares catalogues and counts probes: override the two hooks that ask
:class:`HttpHealthDiscovery`       probes that are one GET
:class:`Cache`                     values kept for a while
:class:`RollingWindow`             the last samples of the last seconds: rate, average
:func:`write_atomically`           a file that is whole or not there; :func:`alone_at` lets processes take turns at it
=================================  =====================================================================================
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelmesh.config.merging import merge_configs as merge_configs
    from modelmesh.config.units import format_duration as format_duration
    from modelmesh.config.units import parse_duration as parse_duration
    from modelmesh.ids import ConnectorId as ConnectorId
    from modelmesh_cdk.base_discovery import BaseDiscovery as BaseDiscovery
    from modelmesh_cdk.base_discovery import BaseDiscoveryConfig as BaseDiscoveryConfig
    from modelmesh_cdk.base_observability import BaseObservability as BaseObservability
    from modelmesh_cdk.base_observability import BaseObservabilityConfig as BaseObservabilityConfig
    from modelmesh_cdk.base_provider import BaseProvider as BaseProvider
    from modelmesh_cdk.base_secret_store import BaseSecretStore as BaseSecretStore
    from modelmesh_cdk.base_secret_store import BaseSecretStoreConfig as BaseSecretStoreConfig
    from modelmesh_cdk.base_storage import BaseStorage as BaseStorage
    from modelmesh_cdk.base_storage import BaseStorageConfig as BaseStorageConfig
    from modelmesh_cdk.base_strategy import BaseStrategy as BaseStrategy
    from modelmesh_cdk.cache import Cache as Cache
    from modelmesh_cdk.cache import CacheStats as CacheStats
    from modelmesh_cdk.catalogue import load_catalogue as load_catalogue
    from modelmesh_cdk.embedding_batches import EmbeddingLimit as EmbeddingLimit
    from modelmesh_cdk.error_mapping import ErrorMapping as ErrorMapping
    from modelmesh_cdk.files import alone_at as alone_at
    from modelmesh_cdk.files import write_atomically as write_atomically
    from modelmesh_cdk.http_api_provider import HttpApiProvider as HttpApiProvider
    from modelmesh_cdk.http_api_provider import HttpApiProviderConfig as HttpApiProviderConfig
    from modelmesh_cdk.http_health_discovery import HttpHealthDiscovery as HttpHealthDiscovery
    from modelmesh_cdk.http_health_discovery import HttpHealthDiscoveryConfig as HttpHealthDiscoveryConfig
    from modelmesh_cdk.key_value_storage import KeyValueStorage as KeyValueStorage
    from modelmesh_cdk.key_value_storage import KeyValueStorageConfig as KeyValueStorageConfig
    from modelmesh_cdk.mapping import RequestMapping as RequestMapping
    from modelmesh_cdk.mapping import ResponseMapping as ResponseMapping
    from modelmesh_cdk.openai_compatible import OpenAICompatibleProvider as OpenAICompatibleProvider
    from modelmesh_cdk.provider_config import BaseProviderConfig as BaseProviderConfig
    from modelmesh_cdk.quick_provider import QuickProvider as QuickProvider
    from modelmesh_cdk.rate_limit_headers import RateLimitHeaders as RateLimitHeaders
    from modelmesh_cdk.redaction import redact_secret as redact_secret
    from modelmesh_cdk.rolling_window import RollingWindow as RollingWindow
    from modelmesh_cdk.shared_storage import SharedStorage as SharedStorage
    from modelmesh_cdk.threshold_rotation import ThresholdRotationConfig as ThresholdRotationConfig
    from modelmesh_cdk.threshold_rotation import ThresholdRotationPolicy as ThresholdRotationPolicy
    from modelmesh_cdk.wire.request import WireRequest as WireRequest
    from modelmesh_cdk.wire.sse import ServerSentEvent as ServerSentEvent
    from modelmesh_cdk.wire.sse import SseDecoder as SseDecoder

__version__ = "0.1.0"

_HOMES = {
    "BaseDiscovery": "modelmesh_cdk.base_discovery",
    "BaseDiscoveryConfig": "modelmesh_cdk.base_discovery",
    "BaseObservability": "modelmesh_cdk.base_observability",
    "BaseObservabilityConfig": "modelmesh_cdk.base_observability",
    "BaseProvider": "modelmesh_cdk.base_provider",
    "BaseProviderConfig": "modelmesh_cdk.provider_config",
    "BaseSecretStore": "modelmesh_cdk.base_secret_store",
    "BaseSecretStoreConfig": "modelmesh_cdk.base_secret_store",
    "BaseStorage": "modelmesh_cdk.base_storage",
    "BaseStorageConfig": "modelmesh_cdk.base_storage",
    "BaseStrategy": "modelmesh_cdk.base_strategy",
    "Cache": "modelmesh_cdk.cache",
    "CacheStats": "modelmesh_cdk.cache",
    "ConnectorId": "modelmesh.ids",
    "EmbeddingLimit": "modelmesh_cdk.embedding_batches",
    "ErrorMapping": "modelmesh_cdk.error_mapping",
    "HttpApiProvider": "modelmesh_cdk.http_api_provider",
    "HttpApiProviderConfig": "modelmesh_cdk.http_api_provider",
    "HttpHealthDiscovery": "modelmesh_cdk.http_health_discovery",
    "HttpHealthDiscoveryConfig": "modelmesh_cdk.http_health_discovery",
    "KeyValueStorage": "modelmesh_cdk.key_value_storage",
    "KeyValueStorageConfig": "modelmesh_cdk.key_value_storage",
    "OpenAICompatibleProvider": "modelmesh_cdk.openai_compatible",
    "QuickProvider": "modelmesh_cdk.quick_provider",
    "RateLimitHeaders": "modelmesh_cdk.rate_limit_headers",
    "RequestMapping": "modelmesh_cdk.mapping",
    "ResponseMapping": "modelmesh_cdk.mapping",
    "RollingWindow": "modelmesh_cdk.rolling_window",
    "ServerSentEvent": "modelmesh_cdk.wire.sse",
    "SharedStorage": "modelmesh_cdk.shared_storage",
    "SseDecoder": "modelmesh_cdk.wire.sse",
    "ThresholdRotationConfig": "modelmesh_cdk.threshold_rotation",
    "ThresholdRotationPolicy": "modelmesh_cdk.threshold_rotation",
    "WireRequest": "modelmesh_cdk.wire.request",
    "alone_at": "modelmesh_cdk.files",
    "format_duration": "modelmesh.config.units",
    "load_catalogue": "modelmesh_cdk.catalogue",
    "merge_configs": "modelmesh.config.merging",
    "parse_duration": "modelmesh.config.units",
    "redact_secret": "modelmesh_cdk.redaction",
    "write_atomically": "modelmesh_cdk.files",
}

__all__ = [*_HOMES, "__version__"]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        message = f"module 'modelmesh_cdk' has no attribute {name!r}"
        raise AttributeError(message)
    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
