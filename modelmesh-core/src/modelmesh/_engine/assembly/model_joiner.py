"""Addition of models to the pools of a running mesh."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence

from attrs import define

from modelmesh._engine.assembly.limits import limit_pool_members
from modelmesh._engine.assembly.model_catalog import ModelCatalog
from modelmesh._engine.assembly.model_names import without_vendor
from modelmesh._engine.assembly.pool_membership import PoolMembership
from modelmesh._engine.assembly.provider_entry import ProviderEntry
from modelmesh._engine.config.schema import PoolSection
from modelmesh._engine.health.health_registry import HealthRegistry
from modelmesh._engine.health.maintenance import MaintenanceWindow
from modelmesh._engine.routing.candidates import Candidate
from modelmesh._engine.routing.pool import Pool
from modelmesh._engine.routing.router import Router
from modelmesh.capabilities.nodes import CapabilityNode
from modelmesh.contracts.models import ModelInfo
from modelmesh.errors import ConfigurationError

_log = logging.getLogger("modelmesh.discovery")


@define(eq=False, kw_only=True)
class ModelJoiner:
    """Adds models that were unknown when the pools were built, as the configuration of the pools states.

    Attributes:
        models: Every model of the mesh.
        membership: Assigns models to pools.
        providers: Providers by their keys.
        sections: Configuration of each pool.
        targets: Capability of each pool.
        router: Owns the pools.
        windows: Maintenance windows by the name of the pool.
        limit: Applies the quota and the free tier to a model.
        only: Names of the models that the caller chose. ``None`` accepts any.
    """

    models: ModelCatalog
    membership: PoolMembership
    providers: Mapping[str, ProviderEntry]
    sections: Mapping[str, PoolSection]
    targets: Mapping[str, CapabilityNode | None]
    router: Router
    windows: Mapping[str, MaintenanceWindow]
    limit: Callable[[Candidate], None]
    only: Sequence[str] | None

    def known_models(self, provider: str) -> dict[str, list[Candidate]]:
        """Return the provider's models in the mesh, by the ID under which the provider lists them."""
        found: dict[str, list[Candidate]] = {}
        for one in self.models.candidates:
            if one.provider_id == provider:
                found.setdefault(self.models.listed_id(one), []).append(one)
        return found

    def join(
        self, provider: str, models: Iterable[ModelInfo], health: HealthRegistry, now: float, *, is_late: bool = False
    ) -> list[Candidate]:
        """Add models to every pool that accepts them. Needs the mesh's lock.

        Args:
            provider: Key of the provider that has the models.
            models: The models.
            health: The health of everything.
            now: Monotonic seconds.
            is_late: Whether the provider could not list its models at the start. If the caller chose models by name, only
                late models with one of these names join.

        Returns:
            The models that joined a pool.
        """
        entry = self.providers[provider]
        if self.only is not None:
            models = [info for info in models if is_late and any(_is_named(entry, info, name) for name in self.only)]
        found = [self.models.add_discovered(entry, info) for info in models]
        candidates = [one for one in found if one is not None and self._apply_limits(one)]
        for pool in self.router.list_pools():
            self._add_to_pool(pool, candidates, health, now)
        joined = [one for one in candidates if one.memberships]
        for candidate in joined:
            self.router.add_candidate(candidate)
        return joined

    def _add_to_pool(self, pool: Pool, candidates: Iterable[Candidate], health: HealthRegistry, now: float) -> None:
        section, target, window = self.sections[pool.name], self.targets[pool.name], self.windows.get(pool.name)
        taken = [one for one in candidates if self.membership.accepts(section, target, one)]
        limit_pool_members(section, taken, pool.reservations)
        for candidate in taken:
            candidate.standby_policies += [] if pool.standby_policy is None else [pool.standby_policy]
        pool.add(taken)
        if window is not None:
            for candidate in taken:
                health.join_window(window, candidate.health, now)

    def _apply_limits(self, candidate: Candidate) -> bool:
        try:
            self.limit(candidate)
        except ConfigurationError as error:
            _log.warning("%s joins no pool because its limits are invalid: %s", candidate, error)
            return False
        return True


def _is_named(entry: ProviderEntry, info: ModelInfo, name: str) -> bool:
    """Return whether a name means this model, with or without its provider before it."""
    return name in (info.id, info.name) or without_vendor(name, entry) == info.id
