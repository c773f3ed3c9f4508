"""What a discovery connector implements: finding out in the background what providers have and whether they are up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from attrs import frozen


@frozen
class SyncResult:
    """What changed in the catalogues, as ``provider/model``; ``errors`` as ``provider: message``."""

    new_models: tuple[str, ...] = ()
    deprecated_models: tuple[str, ...] = ()
    updated_models: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()


@frozen
class ProbeResult:
    """One look at one provider. ``latency_ms`` is ``None`` when it did not answer."""

    provider_id: str
    success: bool
    latency_ms: float | None = None
    status_code: int | None = None
    error: str | None = None


@runtime_checkable
class Discovery(Protocol):
    """Asks providers, never callers."""

    id: str

    def sync(self, providers: Sequence[str] | None = None) -> SyncResult:
        """Compare the catalogues with what is known; all providers when none is named."""
        ...

    def probe(self, provider_id: str) -> ProbeResult:
        """Look whether a provider is up."""
        ...
