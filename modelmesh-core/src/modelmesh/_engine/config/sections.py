"""The typed values of a whole configuration, and which parts of it have none because they are wrong."""

from __future__ import annotations

from attrs import field, frozen

from modelmesh._engine.config import schema
from modelmesh._engine.config.source_map import KeyPath


@frozen(kw_only=True)
class Sections:
    """Typed values of everything this version acts on.

    Attributes:
        secrets: The ``secrets`` section.
        providers: Entries by key.
        models: Models of the configuration by ID.
        pools: Pools by name.
        observability: Every sink.
        capabilities: Names for a configuration without pools.
        budget: Of the whole mesh.
        storage: Where state is kept.
        statistics: What is counted.
        discovery: Every discovery connector.
        observability_paths: Canonical path of each sink.
        discovery_paths: Canonical path of each discovery connector.
        models_off: IDs of models whose providers are switched off.
        wrong: Canonical paths of entries and keys that could not be read and are left out; their problems are reported.
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
    observability_paths: tuple[KeyPath, ...] = ()
    discovery_paths: tuple[KeyPath, ...] = ()
    wrong: frozenset[KeyPath] = frozenset()
    models_off: frozenset[str] = frozenset()
