"""Taking models in that are found while a mesh runs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence

from attrs import define

from modelmesh._engine.assembly.limits import limit_pool_members
from modelmesh._engine.assembly.model_catalog import ModelCatalog, without_vendor
from modelmesh._engine.assembly.providers import ProviderEntry
from modelmesh._engine.config.schema import PoolSection
from modelmesh._engine.health.maintenance import MaintenanceWindow
from modelmesh._engine.health.registry import HealthRegistry
from modelmesh._engine.routing.candidates import Candidate
from modelmesh._engine.routing.pool import Pool
from modelmesh._engine.routing.router import Router
from modelmesh.capabilities.nodes import CapabilityNode
from modelmesh.contracts.models import ModelInfo
from modelmesh.errors import ConfigurationError

_log = logging.getLogger("modelmesh.discovery")


@define(eq=False, kw_only=True)
class ModelJoiner:
    """What the pools' configuration says of a model that was not there when they were built.

    Attributes:
        models: Every model of the mesh.
        providers: Providers by their keys.
        sections: What the configuration says of each pool.
        targets: The node that each pool targets.
        router: Knows the pools.
        windows: The pools' maintenance windows, by their names.
        limit: Counts against a model what its quota or its free tier says.
        only: The models that the caller chose by name, so that there may be no others; ``None`` for any.
    """

    models: ModelCatalog
    providers: Mapping[str, ProviderEntry]
    sections: Mapping[str, PoolSection]
    targets: Mapping[str, CapabilityNode | None]
    router: Router
    windows: Mapping[str, MaintenanceWindow]
    limit: Callable[[Candidate], None]
    only: Sequence[str] | None

    def known_models(self, provider: str) -> dict[str, list[Candidate]]:
        """Return the models of a provider that the mesh has, by the names that it lists them under."""
        found: dict[str, list[Candidate]] = {}
        for one in self.models.candidates:
            if one.provider_id == provider:
                found.setdefault(self.models.listed_as(one), []).append(one)
        return found

    def join(
        self, provider: str, models: Iterable[ModelInfo], health: HealthRegistry, now: float, *, is_late: bool = False
    ) -> list[Candidate]:
        """Take models into every pool whose configuration they fit; under the mesh's lock.

        Args:
            provider: Key of the provider that has the models.
            models: The models.
            health: The health of everything.
            now: Monotonic seconds.
            is_late: The models belong to the start: the provider could not list them then. They join although the caller
                chose models by name, as far as they are among those.

        Returns:
            Those that have joined a pool.
        """
        entry = self.providers[provider]
        if self.only is not None:
            models = [info for info in models if is_late and any(_is_named(entry, info, name) for name in self.only)]
        found = [self.models.discovered(entry, info) for info in models]
        candidates = [one for one in found if one is not None and self._limited(one)]
        for pool in self.router.list_pools():
            self._add_to_pool(pool, candidates, health, now)
        joined = [one for one in candidates if one.memberships]
        for candidate in joined:
            self.router.admitted(candidate)
        return joined

    def _add_to_pool(self, pool: Pool, candidates: Iterable[Candidate], health: HealthRegistry, now: float) -> None:
        section, target, window = self.sections[pool.name], self.targets[pool.name], self.windows.get(pool.name)
        taken = [one for one in candidates if self.models.takes(section, target, one)]
        limit_pool_members(section, taken, pool.reservations)
        for candidate in taken:
            candidate.standby_policies += [] if pool.standby_policy is None else [pool.standby_policy]
        pool.add(taken)
        if window is not None:
            for candidate in taken:
                health.join_window(window, candidate.health, now)

    def _limited(self, candidate: Candidate) -> bool:
        try:
            self.limit(candidate)
        except ConfigurationError as error:
            _log.warning("%s joins no pool, for its limits cannot be read: %s", candidate, error)
            return False
        return True


def _is_named(entry: ProviderEntry, info: ModelInfo, name: str) -> bool:
    """Return whether a name means this model, written with or without its provider."""
    return name in (info.id, info.name) or without_vendor(name, entry) == info.id
