"""Construction of the parts of a mesh from its configuration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from modelmesh._engine.assembly.limits import ModelLimits, budget_counters, limit_accounts, limit_pool_members
from modelmesh._engine.assembly.model_catalog import ModelCatalog
from modelmesh._engine.assembly.model_joiner import ModelJoiner
from modelmesh._engine.assembly.model_names import without_vendor
from modelmesh._engine.assembly.policies import pool_policy
from modelmesh._engine.assembly.pool_membership import PoolMembership
from modelmesh._engine.assembly.prices import PriceSources
from modelmesh._engine.assembly.probe_targets import has_probes, late_probe_intervals, probe_targets
from modelmesh._engine.assembly.provider_entry import ProviderEntry, build_entry
from modelmesh._engine.assembly.providers import Providers
from modelmesh._engine.assembly.sinks import build_emitter
from modelmesh._engine.assembly.standby_policies import attach_standby_policy, build_maintenance_window, has_deactivation_policy
from modelmesh._engine.assembly.stores import build_references, build_storage
from modelmesh._engine.assembly.strategies import DEFAULT_STRATEGY, build_strategy
from modelmesh._engine.background.plan import BackgroundPlan
from modelmesh._engine.builtin.stick_until_failure import StickUntilFailure
from modelmesh._engine.config.mesh_config import MeshConfig, warn_not_enforced
from modelmesh._engine.config.problems import Problems, UncheckableError
from modelmesh._engine.config.references import References
from modelmesh._engine.config.schema import (
    PoolSection,
    ProviderSection,
    ProxySection,
    QuotaSection,
    StatisticsSection,
    StorageSection,
)
from modelmesh._engine.config.sections import Sections
from modelmesh._engine.foundation.ids import Kind
from modelmesh._engine.foundation.suggestions import suggestion
from modelmesh._engine.health.health_registry import HealthRegistry
from modelmesh._engine.health.maintenance import MaintenanceWindow
from modelmesh._engine.limits.reservations import Reservations
from modelmesh._engine.plugins.aliases import canonical_id
from modelmesh._engine.plugins.resolver import Resolver
from modelmesh._engine.routing.candidates import Candidate
from modelmesh._engine.routing.pacing import Pacer
from modelmesh._engine.routing.pool import Pool
from modelmesh._engine.routing.router import Router
from modelmesh._engine.telemetry.events import Emitter
from modelmesh.capabilities.derived import derived
from modelmesh.capabilities.nodes import CapabilityNode, CapabilityTree, mesh_tree
from modelmesh.contracts.operations import CHAT, OPERATIONS
from modelmesh.contracts.storage import Storage
from modelmesh.contracts.strategy import Strategy
from modelmesh.errors import ConfigurationError, ModelMeshError, UnknownConnectorError

if TYPE_CHECKING:
    from modelmesh._engine.background.watches import DiscoveryWatch


@frozen(kw_only=True)
class MeshParts:
    """Parts of a mesh.

    Attributes:
        providers: The providers.
        tree: The capabilities.
        router: Owns the pools.
        emitter: Sends events to sinks and hook plugins.
        storage: Store of state, if one is configured.
        storage_settings: Settings of the store.
        price_failures: Failures of price sources by plugin name.
        background: What the background tasks work on.
        windows: Maintenance windows of the pools.
        statistics: Settings of the statistics.
        proxy: Settings of the HTTP server.
    """

    providers: Providers
    tree: CapabilityTree
    router: Router
    emitter: Emitter
    storage: Storage | None
    storage_settings: StorageSection | None
    price_failures: Mapping[str, int]
    background: BackgroundPlan
    windows: tuple[MaintenanceWindow, ...]
    statistics: StatisticsSection
    proxy: ProxySection


__all__ = ["DEFAULT_STRATEGY", "Assembler", "MeshParts"]


class Assembler:
    """Builds the parts of one mesh."""

    def __init__(
        self,
        config: MeshConfig,
        resolver: Resolver,
        health: HealthRegistry,
        reservations: Reservations,
        *,
        strategy: str | None = None,
        models: Sequence[str] | None = None,
        capabilities: Sequence[str] = (),
        fallbacks: Mapping[str, str] | None = None,
        problems: Problems | None = None,
    ) -> None:
        """Store the inputs. :meth:`assemble` builds the parts.

        Args:
            config: The configuration.
            resolver: Resolves connector IDs.
            health: Health of all models and provider accounts.
            reservations: Counters of quotas and budgets.
            strategy: Strategy that replaces the one of every pool.
            models: IDs of the only models that pools may contain.
            capabilities: Pools to create for a configuration without pools.
            fallbacks: Connector IDs of providers that need no key, by provider key. One is built for a pool whose capability no
                configured provider has.
            problems: Collects problems.
        """
        self._config = config
        self._resolver = resolver
        self._health = health
        self._reservations = reservations
        self._strategy_override = strategy
        self._model_names = models
        self._capabilities = capabilities
        self._fallbacks = [ProviderSection(key=key, connector=name) for key, name in (fallbacks or {}).items()]
        self._problems = Problems(config.source_map) if problems is None else problems

    def assemble(self) -> MeshParts:
        """Build all parts.

        A failed step does not stop the later ones, so that one run reports all problems.

        Raises:
            ConfigurationError: The configuration is invalid.
            ConnectorError: A configured connector cannot be used.
        """
        resolver, problems = self._resolver, self._problems
        references = build_references(self._config.read_secrets(problems), resolver, problems)
        sections = self._config.read(problems, references)
        tree = mesh_tree()
        providers = self._build_providers(sections, references)
        prices = PriceSources(resolver)
        self._list_models(providers, tree, prices, sections)
        may_add = self._fallbacks and providers.is_complete and self._model_names is None
        added = self._needed_fallbacks(sections, references, tree) if may_add else []
        if added:
            providers = providers.extended(added)
            self._list_models(providers, tree, prices, sections)
        with problems.collecting():
            self._add_wanted_models()
        sections = self._with_pools(sections, references)
        if any(section.aliases for section in sections.pools.values()):
            from modelmesh._engine.assembly.pool_aliases import check_aliases  # noqa: PLC0415 - most meshes have none

            check_aliases(sections.pools, tree, problems)
        self._targets: dict[str, CapabilityNode | None] = {}
        pools = {
            name: pool for name, section in sections.pools.items() if (pool := self._build_pool(section, sections)) is not None
        }
        if self._models.unlisted and pools and not any(pool.members for pool in pools.values()):
            problems.add_error(next(iter(self._models.unlisted.values())))
        limits = self._apply_limits(sections, providers)
        router = Router(pools, tree, StickUntilFailure, self._models.offers)
        emitter = build_emitter(sections.observability, sections.observability_paths, resolver, references, problems)
        storage = self._build_storage(sections, references)
        every = {name: build_maintenance_window(sections.pools[name], pool) for name, pool in pools.items()}
        windows = {name: window for name, window in every.items() if window is not None}
        watches = self._build_watches(sections, references, providers)
        auth = sections.proxy.auth
        proxy = evolve(
            sections.proxy, auth=evolve(auth, tokens=references.resolve_known(auth.tokens, ("proxy", "auth", "tokens")))
        )
        if problems:
            raise problems.error()
        warn_not_enforced(problems)
        joiner = ModelJoiner(
            models=self._models,
            membership=self._membership,
            providers=providers.by_key,
            sections=sections.pools,
            targets=self._targets,
            router=router,
            windows=windows,
            limit=limits.limit,
            only=self._model_names,
        )
        background = BackgroundPlan(
            providers=providers.by_key,
            joiner=joiner,
            watches=watches,
            unlisted=self._models.unlisted,
            probe_targets=partial(probe_targets, router, sections.pools, providers.by_key),
            late_probe_intervals=late_probe_intervals(sections.pools, watches),
            has_probes=has_probes(sections.pools),
        )
        return MeshParts(
            providers=providers,
            tree=tree,
            router=router,
            emitter=emitter,
            storage=storage,
            storage_settings=sections.storage,
            price_failures=prices.failures,
            background=background,
            windows=tuple(windows.values()),
            statistics=sections.statistics,
            proxy=proxy,
        )

    def _build_storage(self, sections: Sections, references: References) -> Storage | None:
        if sections.storage is not None and ("storage", "connector") not in sections.invalid:
            with self._problems.collecting("storage"):
                return build_storage(sections.storage, self._resolver, references, self._problems)
        return None

    def _list_models(self, providers: Providers, tree: CapabilityTree, prices: PriceSources, sections: Sections) -> None:
        self._models = ModelCatalog(providers, tree, self._problems.source_map, prices, self._problems)
        self._membership = PoolMembership(self._models, providers, tree, self._problems)
        self._models.add_configured(sections.models)

    # -- providers --------------------------------------------------------------------------------------------------

    def _build_providers(self, sections: Sections, references: References) -> Providers:
        built: dict[str, ProviderEntry] = {}
        broken = {
            str(path[1])
            for path in sections.invalid
            if path[0] == "providers" and len(path) > 1 and path[2:] in ((), ("connector",))
        }
        for key, section in sections.providers.items():
            if section.enabled and key not in broken:
                with self._problems.collecting(f"provider {key!r}"):
                    built[key] = self._build_provider(section, references)
                if key not in built:
                    broken.update((key, canonical_id(section.connector or key, Kind.PROVIDER)))
        providers = Providers(built, broken, sections.invalid)
        providers.disabled = self._disabled_names(sections)
        return providers

    def _disabled_names(self, sections: Sections) -> frozenset[str]:
        off = {key: section for key, section in sections.providers.items() if not section.enabled}
        names = {name for key, section in off.items() for name in (key, canonical_id(section.connector or key, Kind.PROVIDER))}
        return (
            frozenset(names) | {str(row) for section in off.values() for row in section.models or ()} | sections.disabled_models
        )

    def _build_provider(self, section: ProviderSection, references: References) -> ProviderEntry:
        try:
            return build_entry(section, self._resolver, references, self._problems)
        except UnknownConnectorError as error:
            nearest = error.details.get("nearest")
            if nearest is None or not self._resolver.catalog.has(Kind.PROVIDER, nearest):
                raise
            self._problems.add_error(error)
            try:  # the most similar connector replaces it, so that models and pools can be checked
                return build_entry(section, self._resolver, references, Problems(self._problems.source_map), nearest)
            except ModelMeshError as other:
                raise UncheckableError(section.key) from other

    def _needed_fallbacks(self, sections: Sections, references: References, tree: CapabilityTree) -> list[ProviderEntry]:
        """Build the first fallback for each pool whose capability no model has. A provider that is down may still have it."""
        names = [section.capability or section.name for section in sections.pools.values()]
        wanted = [node for node in map(tree.get_node, names) if node is not None and not self._membership.offered(node)]
        built: list[ProviderEntry] = []
        if self._models.unlisted or self._models.has_lost_models:
            return built
        for section in self._fallbacks if wanted else ():
            left = [node for node in wanted if not self._may_serve(section, node, tree)]
            if len(left) < len(wanted):
                with self._problems.collecting(f"provider {section.key!r}"):
                    built.append(self._build_provider(section, references))
            wanted = left
        return built

    def _may_serve(self, section: ProviderSection, node: CapabilityNode, tree: CapabilityTree) -> bool:
        """Return whether a connector states a capability, or one from which it follows."""
        cls = self._resolver.resolve(Kind.PROVIDER, section.connector or section.key)
        stated = [one for one in map(tree.get_node, _capabilities_of(cls)) if one is not None]
        follows = map(tree.ensure, derived([one.path for one in stated], {}))
        return any(tree.covers(node, one) for one in (*stated, *follows))

    def _build_watches(self, sections: Sections, references: References, providers: Providers) -> tuple[DiscoveryWatch, ...]:
        if not sections.discovery:
            return ()
        from modelmesh._engine.assembly.discovery import build_watch  # noqa: PLC0415 - only with a discovery section

        built: list[DiscoveryWatch | None] = []
        for section, path in zip(sections.discovery, sections.discovery_paths, strict=True):
            with self._problems.collecting("discovery"):
                built.append(
                    build_watch(
                        section, path, self._resolver, references, self._problems, providers, self._models, sections.invalid
                    )
                )
        return tuple(watch for watch in built if watch is not None)

    def _add_wanted_models(self) -> None:
        for name in self._model_names or ():
            if not self._models.named(name) and not self._models.add_named(name) and not self._models.unlisted:
                listed = ", ".join(dict.fromkeys(c.model_id for c in self._models.candidates))
                message = (
                    f"models: no configured provider lists {name!r}. Listed: {listed}. To use another model, write its "
                    f"provider before it, e.g. 'openai.{name}'."
                )
                raise ConfigurationError(message, where="models")

    # -- pools ------------------------------------------------------------------------------------------------------

    def _with_pools(self, sections: Sections, references: References) -> Sections:
        """Return the sections with pools, by default one for each capability."""
        before = len(self._problems)
        self._check_capabilities(sections.capabilities)
        if len(self._problems) > before:
            return sections
        if sections.pools or not sections.providers or any(path[0] == "pools" for path in sections.invalid):
            return sections
        names = [*self._capabilities, *sections.capabilities] or self._membership.default_pools()
        whole = self._config.replaced(pools=dict.fromkeys(names) or None, capabilities=None)
        return whole.read(self._problems, references)

    def _check_capabilities(self, names: Sequence[str]) -> None:
        tree = mesh_tree()
        for name in names:
            if tree.get_node(name) is None and "." not in name:
                near = tree.suggest(name)
                hint = suggestion(near)
                self._problems.add(("capabilities",), f"unknown capability {name!r}.{hint} List them: modelmesh capabilities")

    def _build_pool(self, section: PoolSection, sections: Sections) -> Pool | None:
        problems, pool = self._problems, None
        strategy: Strategy | None = None
        with problems.collecting(f"pool {section.name!r}"):
            strategy = build_strategy(section, self._strategy_override, self._resolver, problems)
        members: list[Candidate] = []
        node: CapabilityNode | None = None
        with problems.collecting(f"pool {section.name!r}"):
            if not {("pools", section.name, key) for key in ("capability", "name")} & sections.invalid:
                node = self._targets[section.name] = self._membership.target(section)
                members = self._pool_members(section, node)
                self._membership.check_priorities(section)
        with problems.collecting(f"pool {section.name!r}"):
            if strategy is not None:
                pool = self._create_pool(section, node, members, strategy)
        return pool

    def _pool_members(self, section: PoolSection, node: CapabilityNode | None) -> list[Candidate]:
        members = self._membership.members(section, node)
        if self._model_names is not None:
            members = self._membership.members_by_name(members, self._model_names)
            if not members and not self._models.unlisted:
                wanted = section.capability or section.name
                names = list(self._model_names)
                message = f"the pool {section.name!r} is empty: none of models={names!r} has the capability {wanted!r}."
                raise ConfigurationError(message, where="models")
        return members

    def _create_pool(
        self, section: PoolSection, node: CapabilityNode | None, members: list[Candidate], strategy: Strategy
    ) -> Pool:
        limit_pool_members(section, members, self._reservations)
        policy = pool_policy(section, has_own_policy=has_deactivation_policy(section, strategy))
        policy = evolve(policy, mixed_vectors=len(self._model_names or section.models or ()) > 1)
        pool = Pool(section.name, node.path if node else "", members, strategy, self._health, policy, self._reservations)
        pool.aliases = tuple(section.aliases)
        pace = section.rate_limit
        if pace.max_rpm or pace.min_delta:
            pool.pacer = Pacer(pace.max_rpm, pace.min_delta)
        attach_standby_policy(section, pool, self._resolver, self._config.source_map)
        pool.counters += budget_counters(f"pool:{section.name}", section.budget, on_exhausted=section.on_budget_exceeded)
        return pool

    # -- limits -----------------------------------------------------------------------------------------------------

    def _apply_limits(self, sections: Sections, providers: Providers) -> ModelLimits:
        limit_accounts(providers, self._reservations)
        quotas: dict[tuple[str, str], QuotaSection] = {}
        for model in sections.models.values():
            if model.quota is not None and len(providers.matching(model.provider)) == 1:
                entry = providers.matching(model.provider)[0]
                names = model.id, without_vendor(model.id, entry)
                called = (c for name in names for c in self._models.named(name))
                quotas |= {(entry.key, c.model_id): model.quota for c in called}
        free = frozenset(entry.key for entry in providers if entry.section.quota is not None and entry.section.quota.free_tier)
        limits = ModelLimits(quotas, free, self._reservations)
        for candidate in self._models.candidates:
            with self._problems.collecting():
                limits.limit(candidate)
        self._reservations.global_counters += budget_counters("mesh", sections.budget)
        return limits


def _capabilities_of(cls: Any) -> Sequence[str]:
    """Return the capabilities that a connector class states, or those of its ``operations``. One without either has chat."""
    stated = getattr(cls, "capabilities", None)
    if isinstance(stated, list | tuple) and stated:
        return stated
    operations = getattr(cls, "operations", None)
    served = [OPERATIONS[name].capability for name in operations if name in OPERATIONS] if isinstance(operations, tuple) else []
    return served or (CHAT.capability,)
