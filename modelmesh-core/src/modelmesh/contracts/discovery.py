"""What a discovery connector implements: finding out in the background what providers have and whether they are up.

:class:`Discovery` is all that is required, and sync as storage is, for the same reason. When ``sync`` and ``probe`` are
called, and what follows from their results, is the mesh's; a connector starts no thread of its own. Before anything is
asked these are called, where the connector has them: ``attach(providers)`` with the live providers by their keys in the
configuration, and ``know(provider_id, models)`` with the models that a provider serves already, by the IDs that it lists
them under. ``after_fork()`` is called in a child process before anything is asked there, ``close()`` at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from attrs import frozen

from modelmesh.contracts.models import ModelInfo


@frozen
class SyncResult:
    """What changed in the catalogues, as ``provider/model``, sorted, each once; ``errors`` as ``provider: message``."""

    new_models: tuple[str, ...] = ()
    deprecated_models: tuple[str, ...] = ()
    updated_models: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()


@frozen
class SyncStatus:
    """How the catalogues stand.

    Attributes:
        last_sync: When they were last compared, Unix seconds; ``None``: never.
        next_sync: When it is time again.
        models_synced: Models that are known.
        status: ``pending`` before the first time, ``syncing`` meanwhile, ``idle``, or ``failed`` when no provider answered.
    """

    last_sync: float | None = None
    next_sync: float | None = None
    models_synced: int = 0
    status: str = "pending"


@frozen
class ProbeResult:
    """One look at one provider. ``latency_ms`` is ``None`` when it did not answer."""

    provider_id: str
    success: bool
    latency_ms: float | None = None
    status_code: int | None = None
    error: str | None = None


@frozen
class HealthReport:
    """What the probes of one provider come to.

    Attributes:
        provider_id: Key of the provider in the configuration.
        available: Whether it is up: fewer failed probes in a row than the threshold. ``None``: never probed.
        latency_ms: Of the last probe that succeeded.
        status_code: Of the last probe.
        error: Of the last probe.
        availability_score: Share of the probes kept that succeeded, 0 to 1; ``None`` without any.
        timestamp: Of the last probe, Unix seconds; ``None`` without any.
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
    """Asks providers, never callers."""

    id: str

    def sync(self, providers: Sequence[str] | None = None) -> SyncResult:
        """Compare the catalogues with what is known; all providers when none is named."""
        ...

    def probe(self, provider_id: str) -> ProbeResult:
        """Look whether a provider is up. Never raises for one that is not."""
        ...


@runtime_checkable
class DiscoveredModels(Protocol):
    """What a connector can say of a model that its comparison named. Without it a new model has a name and no more."""

    def found(self, provider_id: str, model_id: str) -> ModelInfo | None:
        """Return the row of a model as it was last read, ``None`` when it is not known. Asks nobody."""
        ...


@runtime_checkable
class DiscoveryReports(Protocol):
    """What a connector can say of what it found out, when it keeps it."""

    def get_sync_status(self) -> SyncStatus:
        """Return how the catalogues stand."""
        ...

    def get_health_report(self, provider_id: str | None = None) -> list[HealthReport]:
        """Return one report for each provider, or for the one named. Probes nobody."""
        ...
