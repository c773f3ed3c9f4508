"""Typed values of a whole configuration, and the paths of its invalid parts."""

from __future__ import annotations

from attrs import field, frozen

from modelmesh._engine.config import schema
from modelmesh._engine.config.source_map import KeyPath


@frozen(kw_only=True)
class Sections:
    """Typed values of everything that this version uses.

    Attributes:
        secrets: The ``secrets`` section.
        providers: Entries by key.
        models: Models of the configuration by ID.
        pools: Pools by name.
        observability: Every sink.
        capabilities: Pools to create for a configuration without pools.
        budget: Budget of the whole mesh.
        storage: Storage of state.
        statistics: Settings of the statistics.
        discovery: Every discovery connector.
        proxy: Settings of the HTTP server.
        observability_paths: Canonical path of each sink.
        discovery_paths: Canonical path of each discovery connector.
        disabled_models: IDs of the models of disabled providers.
        invalid: Canonical paths of invalid entries and keys, which are left out and reported.
    """

    secrets: schema.SecretsSection = field(factory=schema.SecretsSection)
    providers: dict[str, schema.ProviderSection] = field(factory=dict)
    models: dict[str, schema.ModelSection] = field(factory=dict)
    pools: dict[str, schema.PoolSection] = field(factory=dict)
    observability: tuple[schema.SinkSection, ...] = ()
    capabilities: tuple[str, ...] = ()
    budget: schema.BudgetSection | None = None
    storage: schema.StorageSection | None = None
    statistics: schema.StatisticsSection = field(factory=schema.StatisticsSection)
    discovery: tuple[schema.DiscoverySection, ...] = ()
    proxy: schema.ProxySection = field(factory=schema.ProxySection)
    observability_paths: tuple[KeyPath, ...] = ()
    discovery_paths: tuple[KeyPath, ...] = ()
    invalid: frozenset[KeyPath] = frozenset()
    disabled_models: frozenset[str] = frozenset()
