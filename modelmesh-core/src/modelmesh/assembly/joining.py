"""Taking models in that are found while a mesh runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from attrs import define

from modelmesh.assembly.accounts import ProviderEntry
from modelmesh.assembly.limits import limit_pool_members
from modelmesh.assembly.membership import Models
from modelmesh.capabilities.nodes import CapabilityNode
from modelmesh.config.schema import PoolSection
from modelmesh.contracts.models import ModelInfo
from modelmesh.routing.candidates import Candidate
from modelmesh.routing.health import HealthBook
from modelmesh.routing.maintenance import Maintenance
from modelmesh.routing.pool import Pool
from modelmesh.routing.router import Router


@define(eq=False)
class Joining:
    """What the pools' configuration says of a model that was not there when they were built.

    Attributes:
        models: Every model of the mesh.
        sections: What the configuration says of each pool.
        targets: The node that each pool targets.
        router: Knows the pools.
        windows: The pools' maintenance windows, by their names.
        limit: Counts against a model what its quota or its free tier says.
        fixed: Whether the caller chose the models, so that there may be no others.
    """

    models: Models
    sections: Mapping[str, PoolSection]
    targets: Mapping[str, CapabilityNode | None]
    router: Router
    windows: Mapping[str, Maintenance]
    limit: Callable[[Candidate], None]
    fixed: bool

    def of(self, provider: str) -> dict[str, list[Candidate]]:
        """Return the models of a provider that the mesh has, by the names that it lists them under."""
        found: dict[str, list[Candidate]] = {}
        for one in self.models.candidates:
            if one.provider_id == provider:
                found.setdefault(self.models.listed_as(one), []).append(one)
        return found

    def join(self, entry: ProviderEntry, info: ModelInfo, book: HealthBook, now: float) -> tuple[Candidate | None, list[Pool]]:
        """Take a model into every pool whose configuration it fits; under the mesh's lock.

        Returns:
            The model, ``None`` when it may not join, and the pools that it has joined.
        """
        candidate = None if self.fixed else self.models.discovered(entry, info)
        if candidate is None:
            return None, []
        self.limit(candidate)
        joined = []
        for pool in self.router.list_pools():
            section = self.sections[pool.name]
            if not self.models.takes(section, self.targets[pool.name], candidate):
                continue
            limit_pool_members(section, [candidate])
            if pool.judge is not None:
                candidate.judges.append(pool.judge)
            pool.admit(candidate)
            window = self.windows.get(pool.name)
            if window is not None:
                window.join(candidate.health, book, now)
            joined.append(pool)
        self.router.admitted(candidate)
        return candidate, joined
