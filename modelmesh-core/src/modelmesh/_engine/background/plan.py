"""Inputs of a mesh's background tasks, as the assembly provides them.

This package is below the configuration and the assembly. It therefore names what it needs of a provider and of a model joiner
as protocols.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from attrs import frozen

if TYPE_CHECKING:
    from modelmesh._engine.background.probes import ProbeTarget
    from modelmesh._engine.background.watches import DiscoveryWatch
    from modelmesh._engine.health.health_registry import HealthRegistry
    from modelmesh._engine.health.provider_health import ProviderHealth
    from modelmesh._engine.routing.candidates import Candidate
    from modelmesh._engine.routing.router import Router
    from modelmesh.contracts.models import ModelInfo
    from modelmesh.errors import ProviderError


class WatchedProvider(Protocol):
    """The part of a configured provider that background tasks use."""

    @property
    def account(self) -> ProviderHealth:
        """Health of the provider account."""

    def catalogue(self) -> Sequence[ModelInfo]:
        """Return the models that the provider lists."""


class Joiner(Protocol):
    """Adds models to the pools of a running mesh."""

    @property
    def router(self) -> Router:
        """The router that owns the pools."""

    def known_models(self, provider: str) -> Mapping[str, Sequence[Candidate]]:
        """Return the provider's models in the mesh, by the ID under which the provider lists them."""

    def join(
        self, provider: str, models: Iterable[ModelInfo], health: HealthRegistry, now: float, *, is_late: bool = False
    ) -> Sequence[Candidate]:
        """Add models to every pool that accepts them and return those that joined. Needs the mesh's lock."""


@frozen(kw_only=True)
class BackgroundPlan:
    """Everything that the background tasks of one mesh work on.

    Attributes:
        providers: Providers by their keys in the configuration.
        joiner: Adds models to pools.
        watches: Discovery connectors.
        unlisted: Errors of the providers that could not list their models at the start, by key.
        probe_targets: Returns the accounts to probe, including those of models that joined later.
        late_probe_intervals: Probe intervals of pools that models may join later.
        has_probes: Whether a pool probes accounts.
    """

    providers: Mapping[str, WatchedProvider]
    joiner: Joiner
    watches: Sequence[DiscoveryWatch]
    unlisted: Mapping[str, ProviderError]
    probe_targets: Callable[[], list[ProbeTarget]]
    late_probe_intervals: frozenset[float]
    has_probes: bool

    @property
    def has_tasks(self) -> bool:
        """Whether there is anything to do in the background."""
        return bool(self.watches or self.unlisted or self.has_probes)
