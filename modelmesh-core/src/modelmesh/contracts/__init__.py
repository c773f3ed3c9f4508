"""What each kind of plugin implements: protocols and value types, one module a kind."""

from modelmesh._engine.foundation.failure_rules import RULES
from modelmesh._engine.foundation.failures import Billed, Effect, FailureClass, RetrySame, Scope
from modelmesh._engine.foundation.ids import ConnectorId, Kind
from modelmesh._engine.foundation.secret import Secret
from modelmesh._engine.foundation.units import format_duration, parse_duration, parse_size
from modelmesh.contracts.call import Call, CallOptions, Limits, PromptSize
from modelmesh.contracts.candidates import Candidate, Candidates, CandidateStatus, CountedLimit, Order, PoolView
from modelmesh.contracts.conversation import messages_for_connector
from modelmesh.contracts.discovery import (
    DiscoveredModels,
    Discovery,
    DiscoveryReports,
    HealthReport,
    ProbeResult,
    SyncResult,
    SyncState,
    SyncStatus,
)
from modelmesh.contracts.models import ModelInfo, ModelPricing, PriceBand
from modelmesh.contracts.observability import (
    EVENT_TYPES,
    AggregateStats,
    EventType,
    Observability,
    RequestLogEntry,
    RoutingEvent,
    Severity,
    TraceEntry,
)
from modelmesh.contracts.operations import CHAT, EMBEDDINGS, OPERATIONS, Operation, ReplyKind
from modelmesh.contracts.provider import Answer, AsyncEventStream, EventStream, ListsModels, Probing, Provider
from modelmesh.contracts.rate_limits import RateLimit
from modelmesh.contracts.rotation import DeactivationPolicy, DeactivationReason, ModelSnapshot, RecoveryPolicy
from modelmesh.contracts.secret_store import SecretManagement, SecretStore, variable_names
from modelmesh.contracts.storage import (
    BatchCounters,
    ConditionalSave,
    Counters,
    EntryMetadata,
    LockHandle,
    Locking,
    Storage,
    StorageEntry,
    lock_timeout_error,
    validated_key,
)
from modelmesh.contracts.strategy import SelectionRequest, SelectionResult, Strategy
from modelmesh.contracts.usage import reported_tokens

__all__ = [
    "CHAT",
    "EMBEDDINGS",
    "EVENT_TYPES",
    "OPERATIONS",
    "RULES",
    "AggregateStats",
    "Answer",
    "AsyncEventStream",
    "BatchCounters",
    "Billed",
    "Call",
    "CallOptions",
    "Candidate",
    "CandidateStatus",
    "Candidates",
    "ConditionalSave",
    "ConnectorId",
    "CountedLimit",
    "Counters",
    "DeactivationPolicy",
    "DeactivationReason",
    "DiscoveredModels",
    "Discovery",
    "DiscoveryReports",
    "Effect",
    "EntryMetadata",
    "EventStream",
    "EventType",
    "FailureClass",
    "HealthReport",
    "Kind",
    "Limits",
    "ListsModels",
    "LockHandle",
    "Locking",
    "ModelInfo",
    "ModelPricing",
    "ModelSnapshot",
    "Observability",
    "Operation",
    "Order",
    "PoolView",
    "PriceBand",
    "ProbeResult",
    "Probing",
    "PromptSize",
    "Provider",
    "RateLimit",
    "RecoveryPolicy",
    "ReplyKind",
    "RequestLogEntry",
    "RetrySame",
    "RoutingEvent",
    "Scope",
    "Secret",
    "SecretManagement",
    "SecretStore",
    "SelectionRequest",
    "SelectionResult",
    "Severity",
    "Storage",
    "StorageEntry",
    "Strategy",
    "SyncResult",
    "SyncState",
    "SyncStatus",
    "TraceEntry",
    "format_duration",
    "lock_timeout_error",
    "messages_for_connector",
    "parse_duration",
    "parse_size",
    "reported_tokens",
    "validated_key",
    "variable_names",
]
