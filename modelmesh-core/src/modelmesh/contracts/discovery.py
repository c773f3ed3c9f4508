"""Interface of discovery connectors, which find models and check the availability of providers in the background.

Only :class:`Discovery` is required. It is synchronous, as storage is. The mesh decides when to call ``sync`` and ``probe``
and what follows from their results. A connector starts no thread of its own.

Before the first call, the mesh calls these methods where the connector defines them:

- ``attach(providers)`` passes the live providers, by their keys in the configuration.
- ``set_known_models(provider_id, models)`` passes the models that a provider serves already, under the IDs that the
  provider lists.

``after_fork()`` is called in a child process before any other method, ``close()`` at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol, runtime_checkable

from attrs import frozen

from modelmesh.contracts.models import ModelInfo


@frozen
class SyncResult:
    """Changes in the catalogues of providers.

    Models are listed as ``provider/model``, sorted and without duplicates, errors as ``provider: message``.
    """

    new_models: tuple[str, ...] = ()
    deprecated_models: tuple[str, ...] = ()
    updated_models: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()


class SyncState(StrEnum):
    """State of the comparison of catalogues: ``PENDING`` before the first, ``FAILED`` if no provider answered the last."""

    PENDING = "pending"
    SYNCING = "syncing"
    IDLE = "idle"
    FAILED = "failed"


@frozen
class SyncStatus:
    """Status of the catalogues. Times are Unix seconds.

    Attributes:
        last_sync: Time of the last comparison, ``None`` before the first.
        next_sync: Time of the next comparison.
        models_synced: Number of known models.
        status: State of the comparison.
    """

    last_sync: float | None = None
    next_sync: float | None = None
    models_synced: int = 0
    status: SyncState = SyncState.PENDING


@frozen
class ProbeResult:
    """Result of one probe of one provider. ``latency_ms`` is ``None`` when the provider did not answer."""

    provider_id: str
    success: bool
    latency_ms: float | None = None
    status_code: int | None = None
    error: str | None = None


@frozen
class HealthReport:
    """Health of one provider, computed from its probes.

    Attributes:
        provider_id: Key of the provider in the configuration.
        available: Whether it has fewer consecutive failed probes than the threshold. ``None`` before the first probe.
        latency_ms: Latency of the last successful probe.
        status_code: HTTP status of the last probe.
        error: Error of the last probe.
        availability_score: Share of recent probes that succeeded, 0 to 1. ``None`` before the first probe.
        timestamp: Unix seconds of the last probe. ``None`` before the first probe.
    """

    provider_id: str
    available: bool | None = None
    latency_ms: float | None = None
    status_code: int | None = None
    error: str | None = None
    availability_score: float | None = None
    timestamp: float | None = None


@runtime_checkable
class Discovery(Protocol):
    """Finder of models and prober of providers."""

    id: str

    def sync(self, providers: Sequence[str] | None = None) -> SyncResult:
        """Compare the catalogues of the named providers, by default of all, with the known models."""
        ...

    def probe(self, provider_id: str) -> ProbeResult:
        """Probe a provider. A provider that is down is a result, not an exception."""
        ...


@runtime_checkable
class DiscoveredModels(Protocol):
    """Optional: metadata of models that a comparison found. Without this a new model has a name only."""

    def get_model_info(self, provider_id: str, model_id: str) -> ModelInfo | None:
        """Return the catalogue row of a model as last read, ``None`` when unknown. Sends no request."""
        ...


@runtime_checkable
class DiscoveryReports(Protocol):
    """Optional: results that the connector remembers."""

    def get_sync_status(self) -> SyncStatus:
        """Return the status of the catalogues."""
        ...

    def get_health_report(self, provider_id: str | None = None) -> list[HealthReport]:
        """Return a report for each provider, or for the named one. Sends no probe."""
        ...
