"""``modelmesh.cdk``: the connector development kit, installed by ``modelmesh-cdk``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelmesh._engine.foundation.lazy_import import lazy_import

if TYPE_CHECKING:
    from modelmesh_cdk import ANY_STATUS as ANY_STATUS
    from modelmesh_cdk import COMMON_RATE_LIMIT_HEADERS as COMMON_RATE_LIMIT_HEADERS
    from modelmesh_cdk import REDACTED as REDACTED
    from modelmesh_cdk import BackgroundObservability as BackgroundObservability
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
    from modelmesh_cdk import ChunkDecoder as ChunkDecoder
    from modelmesh_cdk import ConnectorId as ConnectorId
    from modelmesh_cdk import DataUrl as DataUrl
    from modelmesh_cdk import EmbeddingLimit as EmbeddingLimit
    from modelmesh_cdk import ErrorMapping as ErrorMapping
    from modelmesh_cdk import EventDecoder as EventDecoder
    from modelmesh_cdk import FileBody as FileBody
    from modelmesh_cdk import HttpApiProvider as HttpApiProvider
    from modelmesh_cdk import HttpApiProviderConfig as HttpApiProviderConfig
    from modelmesh_cdk import HttpHealthDiscovery as HttpHealthDiscovery
    from modelmesh_cdk import HttpHealthDiscoveryConfig as HttpHealthDiscoveryConfig
    from modelmesh_cdk import InProcessConfig as InProcessConfig
    from modelmesh_cdk import InProcessProvider as InProcessProvider
    from modelmesh_cdk import InProcessTask as InProcessTask
    from modelmesh_cdk import JsonWithFiles as JsonWithFiles
    from modelmesh_cdk import KeyValueStorage as KeyValueStorage
    from modelmesh_cdk import KeyValueStorageConfig as KeyValueStorageConfig
    from modelmesh_cdk import LazyCodecs as LazyCodecs
    from modelmesh_cdk import MultipartBody as MultipartBody
    from modelmesh_cdk import OpenAICompatibleProvider as OpenAICompatibleProvider
    from modelmesh_cdk import OperationCodec as OperationCodec
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
    from modelmesh_cdk import Transcript as Transcript
    from modelmesh_cdk import TranscriptionCodec as TranscriptionCodec
    from modelmesh_cdk import UnservedOperation as UnservedOperation
    from modelmesh_cdk import WhisperTranscriptions as WhisperTranscriptions
    from modelmesh_cdk import WireRequest as WireRequest
    from modelmesh_cdk import deprecated as deprecated
    from modelmesh_cdk import drop_parameters as drop_parameters
    from modelmesh_cdk import error_mapping as error_mapping
    from modelmesh_cdk import file_lock as file_lock
    from modelmesh_cdk import format_duration as format_duration
    from modelmesh_cdk import import_onnxruntime as import_onnxruntime
    from modelmesh_cdk import in_process_settings as in_process_settings
    from modelmesh_cdk import invalid_parameter as invalid_parameter
    from modelmesh_cdk import json_codec as json_codec
    from modelmesh_cdk import load_catalogue as load_catalogue
    from modelmesh_cdk import media_type_of as media_type_of
    from modelmesh_cdk import merge_configs as merge_configs
    from modelmesh_cdk import model_list as model_list
    from modelmesh_cdk import names_a_secret as names_a_secret
    from modelmesh_cdk import nearest_ratio as nearest_ratio
    from modelmesh_cdk import operations_under as operations_under
    from modelmesh_cdk import pack_base64 as pack_base64
    from modelmesh_cdk import parse_duration as parse_duration
    from modelmesh_cdk import provider_error as provider_error
    from modelmesh_cdk import read_delay as read_delay
    from modelmesh_cdk import read_image_size as read_image_size
    from modelmesh_cdk import read_row as read_row
    from modelmesh_cdk import read_tool_choice as read_tool_choice
    from modelmesh_cdk import read_tools as read_tools
    from modelmesh_cdk import redact_secret as redact_secret
    from modelmesh_cdk import requested_format as requested_format
    from modelmesh_cdk import required_part as required_part
    from modelmesh_cdk import scrub_key as scrub_key
    from modelmesh_cdk import segments_of_words as segments_of_words
    from modelmesh_cdk import to_requested_encoding as to_requested_encoding
    from modelmesh_cdk import unsupported_parameter as unsupported_parameter
    from modelmesh_cdk import write_atomically as write_atomically
    from modelmesh_cdk import write_transcript as write_transcript

__all__ = [
    "ANY_STATUS",
    "COMMON_RATE_LIMIT_HEADERS",
    "REDACTED",
    "BackgroundObservability",
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
    "ChunkDecoder",
    "ConnectorId",
    "DataUrl",
    "EmbeddingLimit",
    "ErrorMapping",
    "EventDecoder",
    "FileBody",
    "HttpApiProvider",
    "HttpApiProviderConfig",
    "HttpHealthDiscovery",
    "HttpHealthDiscoveryConfig",
    "InProcessConfig",
    "InProcessProvider",
    "InProcessTask",
    "JsonWithFiles",
    "KeyValueStorage",
    "KeyValueStorageConfig",
    "LazyCodecs",
    "MultipartBody",
    "OpenAICompatibleProvider",
    "OperationCodec",
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
    "Transcript",
    "TranscriptionCodec",
    "UnservedOperation",
    "WhisperTranscriptions",
    "WireRequest",
    "deprecated",
    "drop_parameters",
    "error_mapping",
    "file_lock",
    "format_duration",
    "import_onnxruntime",
    "in_process_settings",
    "invalid_parameter",
    "json_codec",
    "load_catalogue",
    "media_type_of",
    "merge_configs",
    "model_list",
    "names_a_secret",
    "nearest_ratio",
    "operations_under",
    "pack_base64",
    "parse_duration",
    "provider_error",
    "read_delay",
    "read_image_size",
    "read_row",
    "read_tool_choice",
    "read_tools",
    "redact_secret",
    "requested_format",
    "required_part",
    "scrub_key",
    "segments_of_words",
    "to_requested_encoding",
    "unsupported_parameter",
    "write_atomically",
    "write_transcript",
]

__getattr__ = lazy_import(__name__, "modelmesh_cdk", "modelmesh-cdk", __all__)


def __dir__() -> list[str]:
    return list(__all__)
