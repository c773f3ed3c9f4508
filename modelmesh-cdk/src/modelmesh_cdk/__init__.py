"""Connector development kit: base classes and building blocks of connectors.

=================================  =====================================================================================
:class:`BaseProvider`              base class of providers over HTTP: override the hooks that encode, decode and classify
:class:`OpenAICompatibleProvider`  provider in OpenAI's format: set a base URL and the variable of the key
:class:`QuickProvider`             the same without a class, with the models of the vendor's list
:class:`HttpApiProvider`           provider with other JSON, described by two mappings
:class:`OperationCodec`            format of one operation where it differs from OpenAI's: speech, images, files …
:class:`ErrorMapping`              failure class of a vendor's error codes and messages
:class:`RateLimitHeaders`          names of a vendor's rate limit headers
:class:`EmbeddingLimit`            limits of one embedding request. Larger requests are split
:class:`InProcessProvider`         provider whose model runs in the process: override ``loader`` and ``prepare``
:class:`BaseStrategy`              base class of strategies: override ``select`` or ``score``
:class:`ThresholdRotationPolicy`   standby, recovery and selection by thresholds on a snapshot of the model
:class:`BaseSecretStore`           base class of secret stores: override ``_resolve``
:class:`BaseObservability`         base class of sinks: override ``_write``
:class:`BackgroundObservability`   the same for an output that may block: a thread writes
:class:`BaseStorage`               base class of stores: override ``_read``, ``_write``, ``_remove`` and ``_keys``
:class:`SharedStorage`             the same for several processes: override ``_swap`` too, for locks and counters
:class:`KeyValueStorage`           complete store, in memory or in a folder of files
:class:`BaseDiscovery`             base class of discovery: override the hooks that list models and probe
:class:`HttpHealthDiscovery`       discovery that probes with one GET request
:class:`Cache`                     values with a time to live
:class:`RollingWindow`             samples of the last seconds, with their error rate and average
:func:`write_atomically`           replaces a file completely or not at all
:func:`file_lock`                  lock that excludes other processes
=================================  =====================================================================================

Names are imported on first use. :mod:`modelmesh_cdk.message_rules`, :mod:`modelmesh_cdk.strategy`,
:mod:`modelmesh_cdk.storage` and :mod:`modelmesh_cdk.testing` are public packages. All other modules are private.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from modelmesh_cdk.version import __version__ as __version__

if TYPE_CHECKING:
    from modelmesh._engine.config.merging import merge_configs as merge_configs
    from modelmesh._engine.foundation.deprecation import deprecated as deprecated
    from modelmesh._engine.foundation.ids import ConnectorId as ConnectorId
    from modelmesh._engine.foundation.units import format_duration as format_duration
    from modelmesh._engine.foundation.units import parse_duration as parse_duration
    from modelmesh_cdk.discovery.base import BaseDiscovery as BaseDiscovery
    from modelmesh_cdk.discovery.base import BaseDiscoveryConfig as BaseDiscoveryConfig
    from modelmesh_cdk.discovery.http_health import HttpHealthDiscovery as HttpHealthDiscovery
    from modelmesh_cdk.discovery.http_health import HttpHealthDiscoveryConfig as HttpHealthDiscoveryConfig
    from modelmesh_cdk.in_process import in_process_settings as in_process_settings
    from modelmesh_cdk.in_process.in_process_settings import InProcessConfig as InProcessConfig
    from modelmesh_cdk.in_process.onnx_runtime import import_onnxruntime as import_onnxruntime
    from modelmesh_cdk.in_process.provider import InProcessProvider as InProcessProvider
    from modelmesh_cdk.in_process.provider import InProcessTask as InProcessTask
    from modelmesh_cdk.observability.background import BackgroundObservability as BackgroundObservability
    from modelmesh_cdk.observability.base import BaseObservability as BaseObservability
    from modelmesh_cdk.observability.base import BaseObservabilityConfig as BaseObservabilityConfig
    from modelmesh_cdk.observability.redaction import REDACTED as REDACTED
    from modelmesh_cdk.observability.redaction import names_a_secret as names_a_secret
    from modelmesh_cdk.observability.redaction import redact_secret as redact_secret
    from modelmesh_cdk.provider import model_list as model_list
    from modelmesh_cdk.provider.base import BaseProvider as BaseProvider
    from modelmesh_cdk.provider.catalogue import load_catalogue as load_catalogue
    from modelmesh_cdk.provider.catalogue import read_row as read_row
    from modelmesh_cdk.provider.codec_parts import drop_parameters as drop_parameters
    from modelmesh_cdk.provider.codec_parts import required_part as required_part
    from modelmesh_cdk.provider.config import BaseProviderConfig as BaseProviderConfig
    from modelmesh_cdk.provider.embedding_batches import EmbeddingLimit as EmbeddingLimit
    from modelmesh_cdk.provider.error_mapping import ANY_STATUS as ANY_STATUS
    from modelmesh_cdk.provider.error_mapping import ErrorMapping as ErrorMapping
    from modelmesh_cdk.provider.error_mapping import error_mapping as error_mapping
    from modelmesh_cdk.provider.http_api import HttpApiProvider as HttpApiProvider
    from modelmesh_cdk.provider.http_api import HttpApiProviderConfig as HttpApiProviderConfig
    from modelmesh_cdk.provider.image_sizes import nearest_ratio as nearest_ratio
    from modelmesh_cdk.provider.image_sizes import read_image_size as read_image_size
    from modelmesh_cdk.provider.lazy_codecs import LazyCodecs as LazyCodecs
    from modelmesh_cdk.provider.mapping import RequestMapping as RequestMapping
    from modelmesh_cdk.provider.mapping import ResponseMapping as ResponseMapping
    from modelmesh_cdk.provider.openai_compatible import OpenAICompatibleProvider as OpenAICompatibleProvider
    from modelmesh_cdk.provider.openai_stream import ChunkDecoder as ChunkDecoder
    from modelmesh_cdk.provider.operation_codec import OperationCodec as OperationCodec
    from modelmesh_cdk.provider.operation_codec import UnservedOperation as UnservedOperation
    from modelmesh_cdk.provider.operation_codec import operations_under as operations_under
    from modelmesh_cdk.provider.operation_streams import EventDecoder as EventDecoder
    from modelmesh_cdk.provider.provider_errors import invalid_parameter as invalid_parameter
    from modelmesh_cdk.provider.provider_errors import provider_error as provider_error
    from modelmesh_cdk.provider.provider_errors import scrub_key as scrub_key
    from modelmesh_cdk.provider.provider_errors import unsupported_parameter as unsupported_parameter
    from modelmesh_cdk.provider.quick import QuickProvider as QuickProvider
    from modelmesh_cdk.provider.rate_limit_headers import COMMON_RATE_LIMIT_HEADERS as COMMON_RATE_LIMIT_HEADERS
    from modelmesh_cdk.provider.rate_limit_headers import RateLimitHeaders as RateLimitHeaders
    from modelmesh_cdk.provider.rate_limit_headers import read_delay as read_delay
    from modelmesh_cdk.provider.tool_parameters import read_tool_choice as read_tool_choice
    from modelmesh_cdk.provider.tool_parameters import read_tools as read_tools
    from modelmesh_cdk.provider.transcripts import Transcript as Transcript
    from modelmesh_cdk.provider.transcripts import TranscriptionCodec as TranscriptionCodec
    from modelmesh_cdk.provider.transcripts import WhisperTranscriptions as WhisperTranscriptions
    from modelmesh_cdk.provider.transcripts import requested_format as requested_format
    from modelmesh_cdk.provider.transcripts import segments_of_words as segments_of_words
    from modelmesh_cdk.provider.transcripts import write_transcript as write_transcript
    from modelmesh_cdk.provider.vectors import pack_base64 as pack_base64
    from modelmesh_cdk.provider.vectors import to_requested_encoding as to_requested_encoding
    from modelmesh_cdk.secret_store.base import BaseSecretStore as BaseSecretStore
    from modelmesh_cdk.secret_store.base import BaseSecretStoreConfig as BaseSecretStoreConfig
    from modelmesh_cdk.secret_store.cache import Cache as Cache
    from modelmesh_cdk.secret_store.cache import CacheStats as CacheStats
    from modelmesh_cdk.storage.base import BaseStorage as BaseStorage
    from modelmesh_cdk.storage.base import BaseStorageConfig as BaseStorageConfig
    from modelmesh_cdk.storage.files import file_lock as file_lock
    from modelmesh_cdk.storage.files import write_atomically as write_atomically
    from modelmesh_cdk.storage.key_value import KeyValueStorage as KeyValueStorage
    from modelmesh_cdk.storage.key_value import KeyValueStorageConfig as KeyValueStorageConfig
    from modelmesh_cdk.storage.shared import SharedStorage as SharedStorage
    from modelmesh_cdk.strategy.base import BaseStrategy as BaseStrategy
    from modelmesh_cdk.strategy.rolling_window import RollingWindow as RollingWindow
    from modelmesh_cdk.strategy.threshold_rotation import ThresholdRotationConfig as ThresholdRotationConfig
    from modelmesh_cdk.strategy.threshold_rotation import ThresholdRotationPolicy as ThresholdRotationPolicy
    from modelmesh_cdk.wire import json_codec as json_codec
    from modelmesh_cdk.wire.json_with_files import DataUrl as DataUrl
    from modelmesh_cdk.wire.json_with_files import FileBody as FileBody
    from modelmesh_cdk.wire.json_with_files import JsonWithFiles as JsonWithFiles
    from modelmesh_cdk.wire.json_with_files import media_type_of as media_type_of
    from modelmesh_cdk.wire.multipart import MultipartBody as MultipartBody
    from modelmesh_cdk.wire.request import WireRequest as WireRequest
    from modelmesh_cdk.wire.sse import ServerSentEvent as ServerSentEvent
    from modelmesh_cdk.wire.sse import SseDecoder as SseDecoder

_HOMES = {
    "ANY_STATUS": "modelmesh_cdk.provider.error_mapping",
    "BackgroundObservability": "modelmesh_cdk.observability.background",
    "BaseDiscovery": "modelmesh_cdk.discovery.base",
    "BaseDiscoveryConfig": "modelmesh_cdk.discovery.base",
    "BaseObservability": "modelmesh_cdk.observability.base",
    "BaseObservabilityConfig": "modelmesh_cdk.observability.base",
    "BaseProvider": "modelmesh_cdk.provider.base",
    "BaseProviderConfig": "modelmesh_cdk.provider.config",
    "BaseSecretStore": "modelmesh_cdk.secret_store.base",
    "BaseSecretStoreConfig": "modelmesh_cdk.secret_store.base",
    "BaseStorage": "modelmesh_cdk.storage.base",
    "BaseStorageConfig": "modelmesh_cdk.storage.base",
    "BaseStrategy": "modelmesh_cdk.strategy.base",
    "COMMON_RATE_LIMIT_HEADERS": "modelmesh_cdk.provider.rate_limit_headers",
    "Cache": "modelmesh_cdk.secret_store.cache",
    "CacheStats": "modelmesh_cdk.secret_store.cache",
    "ChunkDecoder": "modelmesh_cdk.provider.openai_stream",
    "ConnectorId": "modelmesh._engine.foundation.ids",
    "DataUrl": "modelmesh_cdk.wire.json_with_files",
    "EmbeddingLimit": "modelmesh_cdk.provider.embedding_batches",
    "ErrorMapping": "modelmesh_cdk.provider.error_mapping",
    "EventDecoder": "modelmesh_cdk.provider.operation_streams",
    "FileBody": "modelmesh_cdk.wire.json_with_files",
    "HttpApiProvider": "modelmesh_cdk.provider.http_api",
    "HttpApiProviderConfig": "modelmesh_cdk.provider.http_api",
    "HttpHealthDiscovery": "modelmesh_cdk.discovery.http_health",
    "HttpHealthDiscoveryConfig": "modelmesh_cdk.discovery.http_health",
    "InProcessConfig": "modelmesh_cdk.in_process.in_process_settings",
    "InProcessProvider": "modelmesh_cdk.in_process.provider",
    "InProcessTask": "modelmesh_cdk.in_process.provider",
    "JsonWithFiles": "modelmesh_cdk.wire.json_with_files",
    "KeyValueStorage": "modelmesh_cdk.storage.key_value",
    "KeyValueStorageConfig": "modelmesh_cdk.storage.key_value",
    "LazyCodecs": "modelmesh_cdk.provider.lazy_codecs",
    "MultipartBody": "modelmesh_cdk.wire.multipart",
    "OpenAICompatibleProvider": "modelmesh_cdk.provider.openai_compatible",
    "OperationCodec": "modelmesh_cdk.provider.operation_codec",
    "QuickProvider": "modelmesh_cdk.provider.quick",
    "REDACTED": "modelmesh_cdk.observability.redaction",
    "RateLimitHeaders": "modelmesh_cdk.provider.rate_limit_headers",
    "RequestMapping": "modelmesh_cdk.provider.mapping",
    "ResponseMapping": "modelmesh_cdk.provider.mapping",
    "RollingWindow": "modelmesh_cdk.strategy.rolling_window",
    "ServerSentEvent": "modelmesh_cdk.wire.sse",
    "SharedStorage": "modelmesh_cdk.storage.shared",
    "SseDecoder": "modelmesh_cdk.wire.sse",
    "ThresholdRotationConfig": "modelmesh_cdk.strategy.threshold_rotation",
    "ThresholdRotationPolicy": "modelmesh_cdk.strategy.threshold_rotation",
    "Transcript": "modelmesh_cdk.provider.transcripts",
    "TranscriptionCodec": "modelmesh_cdk.provider.transcripts",
    "UnservedOperation": "modelmesh_cdk.provider.operation_codec",
    "WhisperTranscriptions": "modelmesh_cdk.provider.transcripts",
    "WireRequest": "modelmesh_cdk.wire.request",
    "deprecated": "modelmesh._engine.foundation.deprecation",
    "drop_parameters": "modelmesh_cdk.provider.codec_parts",
    "error_mapping": "modelmesh_cdk.provider.error_mapping",
    "file_lock": "modelmesh_cdk.storage.files",
    "format_duration": "modelmesh._engine.foundation.units",
    "import_onnxruntime": "modelmesh_cdk.in_process.onnx_runtime",
    "in_process_settings": "modelmesh_cdk.in_process.in_process_settings",
    "invalid_parameter": "modelmesh_cdk.provider.provider_errors",
    "json_codec": "modelmesh_cdk.wire.json_codec",
    "load_catalogue": "modelmesh_cdk.provider.catalogue",
    "media_type_of": "modelmesh_cdk.wire.json_with_files",
    "merge_configs": "modelmesh._engine.config.merging",
    "model_list": "modelmesh_cdk.provider.model_list",
    "names_a_secret": "modelmesh_cdk.observability.redaction",
    "nearest_ratio": "modelmesh_cdk.provider.image_sizes",
    "operations_under": "modelmesh_cdk.provider.operation_codec",
    "pack_base64": "modelmesh_cdk.provider.vectors",
    "parse_duration": "modelmesh._engine.foundation.units",
    "provider_error": "modelmesh_cdk.provider.provider_errors",
    "read_delay": "modelmesh_cdk.provider.rate_limit_headers",
    "read_image_size": "modelmesh_cdk.provider.image_sizes",
    "read_row": "modelmesh_cdk.provider.catalogue",
    "read_tool_choice": "modelmesh_cdk.provider.tool_parameters",
    "read_tools": "modelmesh_cdk.provider.tool_parameters",
    "redact_secret": "modelmesh_cdk.observability.redaction",
    "requested_format": "modelmesh_cdk.provider.transcripts",
    "required_part": "modelmesh_cdk.provider.codec_parts",
    "scrub_key": "modelmesh_cdk.provider.provider_errors",
    "segments_of_words": "modelmesh_cdk.provider.transcripts",
    "to_requested_encoding": "modelmesh_cdk.provider.vectors",
    "unsupported_parameter": "modelmesh_cdk.provider.provider_errors",
    "write_atomically": "modelmesh_cdk.storage.files",
    "write_transcript": "modelmesh_cdk.provider.transcripts",
}

_MODULES = frozenset({"in_process_settings", "json_codec", "model_list"})

__all__ = [*_HOMES, "__version__"]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        message = f"module 'modelmesh_cdk' has no attribute {name!r}"
        raise AttributeError(message)
    module = importlib.import_module(home)
    value: object = module if name in _MODULES else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
