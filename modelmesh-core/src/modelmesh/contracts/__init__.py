"""What each kind of plugin implements: protocols and value types, one module a kind.

Names are imported on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelmesh._engine.foundation.lazy_import import lazy_names

if TYPE_CHECKING:
    from modelmesh._engine.foundation.failure_rules import RULES as RULES
    from modelmesh._engine.foundation.failures import Billed as Billed
    from modelmesh._engine.foundation.failures import Effect as Effect
    from modelmesh._engine.foundation.failures import FailureClass as FailureClass
    from modelmesh._engine.foundation.failures import RetrySame as RetrySame
    from modelmesh._engine.foundation.failures import Scope as Scope
    from modelmesh._engine.foundation.ids import ConnectorId as ConnectorId
    from modelmesh._engine.foundation.ids import Kind as Kind
    from modelmesh._engine.foundation.secret import Secret as Secret
    from modelmesh._engine.foundation.units import format_duration as format_duration
    from modelmesh._engine.foundation.units import parse_duration as parse_duration
    from modelmesh._engine.foundation.units import parse_size as parse_size
    from modelmesh.contracts.call import Call as Call
    from modelmesh.contracts.call import CallOptions as CallOptions
    from modelmesh.contracts.call import Limits as Limits
    from modelmesh.contracts.call import PromptSize as PromptSize
    from modelmesh.contracts.caller import Caller as Caller
    from modelmesh.contracts.candidates import Candidate as Candidate
    from modelmesh.contracts.candidates import Candidates as Candidates
    from modelmesh.contracts.candidates import CandidateStatus as CandidateStatus
    from modelmesh.contracts.candidates import CountedLimit as CountedLimit
    from modelmesh.contracts.candidates import Order as Order
    from modelmesh.contracts.candidates import PoolView as PoolView
    from modelmesh.contracts.conversation import messages_for_connector as messages_for_connector
    from modelmesh.contracts.discovery import DiscoveredModels as DiscoveredModels
    from modelmesh.contracts.discovery import Discovery as Discovery
    from modelmesh.contracts.discovery import DiscoveryReports as DiscoveryReports
    from modelmesh.contracts.discovery import HealthReport as HealthReport
    from modelmesh.contracts.discovery import ProbeResult as ProbeResult
    from modelmesh.contracts.discovery import SyncResult as SyncResult
    from modelmesh.contracts.discovery import SyncState as SyncState
    from modelmesh.contracts.discovery import SyncStatus as SyncStatus
    from modelmesh.contracts.files import FileUpload as FileUpload
    from modelmesh.contracts.models import ModelInfo as ModelInfo
    from modelmesh.contracts.models import ModelPricing as ModelPricing
    from modelmesh.contracts.models import PriceBand as PriceBand
    from modelmesh.contracts.observability import EVENT_TYPES as EVENT_TYPES
    from modelmesh.contracts.observability import AggregateStats as AggregateStats
    from modelmesh.contracts.observability import EventType as EventType
    from modelmesh.contracts.observability import Observability as Observability
    from modelmesh.contracts.observability import RequestLogEntry as RequestLogEntry
    from modelmesh.contracts.observability import RoutingEvent as RoutingEvent
    from modelmesh.contracts.observability import Severity as Severity
    from modelmesh.contracts.observability import TraceEntry as TraceEntry
    from modelmesh.contracts.operations import CHAT as CHAT
    from modelmesh.contracts.operations import EMBEDDINGS as EMBEDDINGS
    from modelmesh.contracts.operations import OPERATIONS as OPERATIONS
    from modelmesh.contracts.operations import BodyKind as BodyKind
    from modelmesh.contracts.operations import Operation as Operation
    from modelmesh.contracts.operations import OperationScope as OperationScope
    from modelmesh.contracts.operations import ReplyKind as ReplyKind
    from modelmesh.contracts.operations import StreamKind as StreamKind
    from modelmesh.contracts.operations import operation_of_capability as operation_of_capability
    from modelmesh.contracts.pricing import UnitPrices as UnitPrices
    from modelmesh.contracts.provider import Answer as Answer
    from modelmesh.contracts.provider import AsyncEventStream as AsyncEventStream
    from modelmesh.contracts.provider import EventStream as EventStream
    from modelmesh.contracts.provider import ListsModels as ListsModels
    from modelmesh.contracts.provider import Probing as Probing
    from modelmesh.contracts.provider import Provider as Provider
    from modelmesh.contracts.rate_limits import RateLimit as RateLimit
    from modelmesh.contracts.rotation import DeactivationPolicy as DeactivationPolicy
    from modelmesh.contracts.rotation import DeactivationReason as DeactivationReason
    from modelmesh.contracts.rotation import ModelSnapshot as ModelSnapshot
    from modelmesh.contracts.rotation import RecoveryPolicy as RecoveryPolicy
    from modelmesh.contracts.secret_store import SecretManagement as SecretManagement
    from modelmesh.contracts.secret_store import SecretStore as SecretStore
    from modelmesh.contracts.secret_store import variable_names as variable_names
    from modelmesh.contracts.storage import BatchCounters as BatchCounters
    from modelmesh.contracts.storage import ConditionalSave as ConditionalSave
    from modelmesh.contracts.storage import Counters as Counters
    from modelmesh.contracts.storage import EntryMetadata as EntryMetadata
    from modelmesh.contracts.storage import LockHandle as LockHandle
    from modelmesh.contracts.storage import Locking as Locking
    from modelmesh.contracts.storage import Storage as Storage
    from modelmesh.contracts.storage import StorageEntry as StorageEntry
    from modelmesh.contracts.storage import lock_timeout_error as lock_timeout_error
    from modelmesh.contracts.storage import validated_key as validated_key
    from modelmesh.contracts.strategy import SelectionRequest as SelectionRequest
    from modelmesh.contracts.strategy import SelectionResult as SelectionResult
    from modelmesh.contracts.strategy import Strategy as Strategy
    from modelmesh.contracts.text_chunk import TextChunk as TextChunk
    from modelmesh.contracts.usage import reported_tokens as reported_tokens

_HOMES = {
    "UnitPrices": "modelmesh.contracts.pricing",
    "operation_of_capability": "modelmesh.contracts.operations",
    "StreamKind": "modelmesh.contracts.operations",
    "TextChunk": "modelmesh.contracts.text_chunk",
    "OperationScope": "modelmesh.contracts.operations",
    "FileUpload": "modelmesh.contracts.files",
    "BodyKind": "modelmesh.contracts.operations",
    "AggregateStats": "modelmesh.contracts.observability",
    "Answer": "modelmesh.contracts.provider",
    "AsyncEventStream": "modelmesh.contracts.provider",
    "BatchCounters": "modelmesh.contracts.storage",
    "Billed": "modelmesh._engine.foundation.failures",
    "CHAT": "modelmesh.contracts.operations",
    "Call": "modelmesh.contracts.call",
    "CallOptions": "modelmesh.contracts.call",
    "Caller": "modelmesh.contracts.caller",
    "Candidate": "modelmesh.contracts.candidates",
    "CandidateStatus": "modelmesh.contracts.candidates",
    "Candidates": "modelmesh.contracts.candidates",
    "ConditionalSave": "modelmesh.contracts.storage",
    "ConnectorId": "modelmesh._engine.foundation.ids",
    "CountedLimit": "modelmesh.contracts.candidates",
    "Counters": "modelmesh.contracts.storage",
    "DeactivationPolicy": "modelmesh.contracts.rotation",
    "DeactivationReason": "modelmesh.contracts.rotation",
    "DiscoveredModels": "modelmesh.contracts.discovery",
    "Discovery": "modelmesh.contracts.discovery",
    "DiscoveryReports": "modelmesh.contracts.discovery",
    "EMBEDDINGS": "modelmesh.contracts.operations",
    "EVENT_TYPES": "modelmesh.contracts.observability",
    "Effect": "modelmesh._engine.foundation.failures",
    "EntryMetadata": "modelmesh.contracts.storage",
    "EventStream": "modelmesh.contracts.provider",
    "EventType": "modelmesh.contracts.observability",
    "FailureClass": "modelmesh._engine.foundation.failures",
    "HealthReport": "modelmesh.contracts.discovery",
    "Kind": "modelmesh._engine.foundation.ids",
    "Limits": "modelmesh.contracts.call",
    "ListsModels": "modelmesh.contracts.provider",
    "LockHandle": "modelmesh.contracts.storage",
    "Locking": "modelmesh.contracts.storage",
    "ModelInfo": "modelmesh.contracts.models",
    "ModelPricing": "modelmesh.contracts.models",
    "ModelSnapshot": "modelmesh.contracts.rotation",
    "OPERATIONS": "modelmesh.contracts.operations",
    "Observability": "modelmesh.contracts.observability",
    "Operation": "modelmesh.contracts.operations",
    "Order": "modelmesh.contracts.candidates",
    "PoolView": "modelmesh.contracts.candidates",
    "PriceBand": "modelmesh.contracts.models",
    "ProbeResult": "modelmesh.contracts.discovery",
    "Probing": "modelmesh.contracts.provider",
    "PromptSize": "modelmesh.contracts.call",
    "Provider": "modelmesh.contracts.provider",
    "RULES": "modelmesh._engine.foundation.failure_rules",
    "RateLimit": "modelmesh.contracts.rate_limits",
    "RecoveryPolicy": "modelmesh.contracts.rotation",
    "ReplyKind": "modelmesh.contracts.operations",
    "RequestLogEntry": "modelmesh.contracts.observability",
    "RetrySame": "modelmesh._engine.foundation.failures",
    "RoutingEvent": "modelmesh.contracts.observability",
    "Scope": "modelmesh._engine.foundation.failures",
    "Secret": "modelmesh._engine.foundation.secret",
    "SecretManagement": "modelmesh.contracts.secret_store",
    "SecretStore": "modelmesh.contracts.secret_store",
    "SelectionRequest": "modelmesh.contracts.strategy",
    "SelectionResult": "modelmesh.contracts.strategy",
    "Severity": "modelmesh.contracts.observability",
    "Storage": "modelmesh.contracts.storage",
    "StorageEntry": "modelmesh.contracts.storage",
    "Strategy": "modelmesh.contracts.strategy",
    "SyncResult": "modelmesh.contracts.discovery",
    "SyncState": "modelmesh.contracts.discovery",
    "SyncStatus": "modelmesh.contracts.discovery",
    "TraceEntry": "modelmesh.contracts.observability",
    "format_duration": "modelmesh._engine.foundation.units",
    "lock_timeout_error": "modelmesh.contracts.storage",
    "messages_for_connector": "modelmesh.contracts.conversation",
    "parse_duration": "modelmesh._engine.foundation.units",
    "parse_size": "modelmesh._engine.foundation.units",
    "reported_tokens": "modelmesh.contracts.usage",
    "validated_key": "modelmesh.contracts.storage",
    "variable_names": "modelmesh.contracts.secret_store",
}

__all__ = [*_HOMES]

__getattr__ = lazy_names(globals(), _HOMES)


def __dir__() -> list[str]:
    return sorted(__all__)
