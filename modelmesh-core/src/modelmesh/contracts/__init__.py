"""What each kind of plugin implements: protocols and value types, one module a kind."""

from modelmesh.contracts.call import Call, CallOptions, Limits
from modelmesh.contracts.discovery import (
    DiscoveredModels,
    Discovery,
    DiscoveryReports,
    HealthReport,
    ProbeResult,
    SyncResult,
    SyncStatus,
)
from modelmesh.contracts.models import ModelInfo, ModelPricing, PriceBand
from modelmesh.contracts.observability import AggregateStats, Observability, RequestLogEntry, RoutingEvent, TraceEntry
from modelmesh.contracts.provider import Answer, AsyncEventStream, EventStream, ListsModels, Probing, Provider
from modelmesh.contracts.rate_limits import RateLimit
from modelmesh.contracts.rotation import DeactivationPolicy, DeactivationReason, ModelSnapshot, RecoveryPolicy, RecoveryTrigger
from modelmesh.contracts.secret_store import SecretManagement, SecretStore
from modelmesh.contracts.storage import (
    ConditionalSave,
    Counters,
    CountersAtOnce,
    EntryMetadata,
    LockHandle,
    Locking,
    Storage,
    StorageEntry,
)
from modelmesh.contracts.strategy import SelectionRequest, SelectionResult, Strategy

__all__ = [
    "AggregateStats",
    "Answer",
    "AsyncEventStream",
    "Call",
    "CallOptions",
    "ConditionalSave",
    "Counters",
    "CountersAtOnce",
    "DeactivationPolicy",
    "DeactivationReason",
    "DiscoveredModels",
    "Discovery",
    "DiscoveryReports",
    "EntryMetadata",
    "EventStream",
    "HealthReport",
    "Limits",
    "ListsModels",
    "LockHandle",
    "Locking",
    "ModelInfo",
    "ModelPricing",
    "ModelSnapshot",
    "Observability",
    "PriceBand",
    "ProbeResult",
    "Probing",
    "Provider",
    "RateLimit",
    "RecoveryPolicy",
    "RecoveryTrigger",
    "RequestLogEntry",
    "RoutingEvent",
    "SecretManagement",
    "SecretStore",
    "SelectionRequest",
    "SelectionResult",
    "Storage",
    "StorageEntry",
    "Strategy",
    "SyncResult",
    "SyncStatus",
    "TraceEntry",
]
