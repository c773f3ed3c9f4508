"""The parts of a mesh, built from its configuration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import evolve, field, frozen

from modelmesh.assembly.accounts import Entries, build_entry
from modelmesh.assembly.discovery import Watch, build_watch
from modelmesh.assembly.joining import Joining
from modelmesh.assembly.limits import ModelLimits, budget_meters, limit_accounts, limit_pool_members
from modelmesh.assembly.membership import Models, is_called, short_id
from modelmesh.assembly.policies import pool_policy, strategy_settings
from modelmesh.assembly.prices import PriceSources
from modelmesh.assembly.recovery import give_judge, judges_strikes, maintenance, policy_settings
from modelmesh.assembly.sinks import build_emitter
from modelmesh.builtin.stick_until_failure import StickUntilFailure
from modelmesh.capabilities.nodes import CapabilityNode, CapabilityTree, standard_tree
from modelmesh.config.mesh_config import MeshConfig, Sections
from modelmesh.config.references import References
from modelmesh.config.schema import PoolSection, QuotaSection, SecretsSection, StatisticsSection, StorageSection
from modelmesh.contracts.rotation import DeactivationPolicy, RecoveryPolicy
from modelmesh.contracts.storage import Storage
from modelmesh.contracts.strategy import Strategy
from modelmesh.errors import ConfigurationError
from modelmesh.events import Emitter
from modelmesh.ids import Kind
from modelmesh.registry.resolver import Resolver, build
from modelmesh.routing.health import HealthBook
from modelmesh.routing.ledger import Ledger
from modelmesh.routing.maintenance import Maintenance
from modelmesh.routing.pool import Pool
from modelmesh.routing.router import Router

DEFAULT_STRATEGY = "stick-until-failure"


@frozen
class Parts:
    """What a mesh is made of."""

    entries: Entries
    tree: CapabilityTree
    router: Router
    emitter: Emitter
    storage: Storage | None
    keeping: StorageSection | None
    price_failures: Mapping[str, int]
    joining: Joining
    watches: tuple[Watch, ...] = ()
    windows: tuple[Maintenance, ...] = ()
    pools: Mapping[str, PoolSection] = field(factory=dict)
    statistics: StatisticsSection = field(factory=StatisticsSection)


class Assembler:
    """Builds the parts of one mesh."""

    def __init__(
        self,
        config: MeshConfig,
        resolver: Resolver,
        book: HealthBook,
        ledger: Ledger,
        *,
        strategy: str | None = None,
        models: Sequence[str] | None = None,
    ) -> None:
        """Take what the parts are built from.

        Args:
            config: The configuration.
            resolver: Answers connector IDs.
            book: The health of everything.
            ledger: Counts what everything takes.
            strategy: In place of every pool's own.
            models: Restricts every pool to these model IDs.
        """
        self._config = config
        self._resolver = resolver
        self._book = book
        self._ledger = ledger
        self._strategy_override = strategy
        self._only = models

    def assemble(self) -> Parts:
        """Build everything.

        Raises:
            ConfigurationError: The configuration cannot be used.
            ConnectorError: A connector it names cannot.
        """
        places, resolver = self._config.places, self._resolver
        references = self._references(self._config.secrets)
        sections = self._config.resolved(references).sections
        tree = standard_tree()
        entries = Entries(
            {
                key: build_entry(section, resolver, references, places)
                for key, section in sections.providers.items()
                if section.enabled
            }
        )
        prices = PriceSources(resolver)
        self._models = Models(entries, tree, places, prices)
        self._models.add_configured(sections.models)
        self._wanted_models()
        self._targets: dict[str, CapabilityNode | None] = {}
        pools = {name: self._pool(section) for name, section in sections.pools.items()}
        if self._models.unlisted and pools and not any(pool.members for pool in pools.values()):
            raise next(iter(self._models.unlisted.values()))
        limits = self._limit(sections, entries)
        router = Router(pools, tree, StickUntilFailure)
        emitter = build_emitter(sections.observability, resolver, references, places)
        storage = self._storage(sections.storage, references) if sections.storage is not None else None
        windows = {name: maintenance(section, pools[name]) for name, section in sections.pools.items()}
        kept = {name: window for name, window in windows.items() if window is not None}
        watches = (
            build_watch(section, path, resolver, references, places, entries, self._models)
            for section, path in zip(sections.discovery, sections.discovery_paths, strict=True)
        )
        return Parts(
            entries,
            tree,
            router,
            emitter,
            storage,
            sections.storage,
            prices.failures,
            Joining(self._models, sections.pools, self._targets, router, kept, limits.limit, self._only),
            tuple(watch for watch in watches if watch is not None),
            tuple(kept.values()),
            sections.pools,
            sections.statistics,
        )

    def _storage(self, section: StorageSection, references: References) -> Storage:
        places, store = self._config.places, section.instance
        if store is None:
            where = places.where(("storage", "connector"))
            cls = self._resolver.resolve(Kind.STORAGE, section.connector, where)
            store = build(cls, references.resolve(section.config, ("storage",)), section.connector)
        if not isinstance(store, Storage):
            where = places.where(("storage", "instance" if section.instance is not None else "connector"))
            message = (
                f"{where}: {type(store).__name__} is no storage: it needs an id and load, save, list, delete, stat and exists. "
                "Derive it from modelmesh.cdk.BaseStorage."
            )
            raise ConfigurationError(message, where=where)
        return store

    def _references(self, section: SecretsSection) -> References:
        places, store = self._config.places, section.instance
        if store is not None and not callable(getattr(store, "get", None)):
            where = places.where(("secrets", "instance"))
            message = f"{where}: {type(store).__name__} is no secret store: it has no get(name)."
            raise ConfigurationError(message, where=where)
        if store is None:
            where = places.where(("secrets", "store"))
            cls = self._resolver.resolve(Kind.SECRET_STORE, section.store, where)
            store = build(cls, References(None, places).resolve(section.config, ("secrets",)), section.store)
        return References(store, places)

    def _wanted_models(self) -> None:
        for name in self._only or ():
            known = any(is_called(candidate, name) for candidate in self._models.candidates)
            if not known and not self._models.add_named(name) and not self._models.unlisted:
                listed = ", ".join(dict.fromkeys(c.model_id for c in self._models.candidates))
                message = (
                    f"models names {name!r}, which none of the providers here lists. They list: {listed}. To use a model that "
                    f"is not listed, write its provider before it, e.g. 'openai.{name}'."
                )
                raise ConfigurationError(message, where="models")

    # -- pools ------------------------------------------------------------------------------------------------------

    def _pool(self, section: PoolSection) -> Pool:
        node = self._targets[section.name] = self._models.target(section)
        members = self._models.members(section, node)
        if self._only is not None:
            members = [c for name in self._only for c in members if is_called(c, name)]
            if not members and not self._models.unlisted:
                wanted = section.capability or section.name
                message = f"the pool {section.name!r} is empty: none of models={list(self._only)!r} serves {wanted!r}."
                raise ConfigurationError(message, where="models")
        members = list(dict.fromkeys(members))
        limit_pool_members(section, members)
        path, strategy = node.path if node else "", self._strategy(section)
        policy = pool_policy(section, own_strikes=judges_strikes(section, strategy))
        policy = evolve(policy, mixed_vectors=len(self._only or section.models or ()) > 1)
        pool = Pool(section.name, path, members, strategy, self._book, policy, self._ledger)
        give_judge(section, pool, self._resolver, self._config.places)
        pool.meters += budget_meters(f"pool:{section.name}", section.budget, on_spent=section.on_budget_exceeded)
        return pool

    def _strategy(self, section: PoolSection) -> Strategy:
        override = self._strategy_override
        if section.strategy_instance is not None and override is None:
            if not callable(getattr(section.strategy_instance, "select", None)):
                where = self._config.places.where(("pools", section.name, "strategy_instance"))
                message = (
                    f"{where}: {type(section.strategy_instance).__name__} is no strategy: it has no select(candidates, request)."
                )
                raise ConfigurationError(message, where=where)
            if not isinstance(getattr(section.strategy_instance, "id", None), str):
                where = self._config.places.where(("pools", section.name, "strategy_instance"))
                message = f"{where}: {type(section.strategy_instance).__name__} has no id; write in it, e.g. id = 'acme.mine.v1'."
                raise ConfigurationError(message, where=where)
            return section.strategy_instance  # type: ignore[no-any-return]
        name = override or section.strategy or DEFAULT_STRATEGY
        where = self._config.places.where(("pools", section.name, "strategy"))
        return self._built(name, section.fallback_strategy, section, where)

    def _built(
        self, name: str, fallback: str | None, section: PoolSection, where: str, above: tuple[object, ...] = ()
    ) -> Strategy:
        """Build a strategy and what it falls back to.

        A class says with ``default_fallback`` what that is unless the configuration names another, or with
        ``fixed_fallback`` what it always is; that one then falls back to what the configuration names.
        """
        cls = self._resolver.resolve(Kind.STRATEGY, name, where)
        decides = any(isinstance(cls, contract) for contract in (DeactivationPolicy, RecoveryPolicy))
        settings = policy_settings(section) if decides else strategy_settings(section)
        if above:
            settings["fallback_strategy"] = fallback
        fixed = getattr(cls, "fixed_fallback", None)
        then, beyond = (fixed, fallback) if fixed else (fallback or getattr(cls, "default_fallback", None), None)
        if then and then != "error" and cls not in above:
            if then == section.fallback_strategy:
                where = self._config.places.where(("pools", section.name, "fallback_strategy"))
            settings["fallback"] = self._built(then, beyond, section, where, (*above, cls))
        return build(cls, settings, name)  # type: ignore[no-any-return]

    # -- limits -----------------------------------------------------------------------------------------------------

    def _limit(self, sections: Sections, entries: Entries) -> ModelLimits:
        limit_accounts(entries)
        quotas: dict[tuple[str, str], QuotaSection] = {}
        for model in sections.models.values():
            if model.quota is not None:
                entry = entries.one(model.provider, self._config.places.where(("models", model.id, "provider")))
                names = model.id, short_id(model.id, entry)
                called = (c for c in self._models.candidates if any(is_called(c, name) for name in names))
                quotas |= {(entry.key, c.model_id): model.quota for c in called}
        free = frozenset(entry.key for entry in entries if entry.section.quota is not None and entry.section.quota.free_tier)
        limits = ModelLimits(quotas, free)
        for candidate in self._models.candidates:
            limits.limit(candidate)
        self._ledger.everywhere += budget_meters("mesh", sections.budget)
        return limits
