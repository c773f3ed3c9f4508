"""Removal of disabled providers and of their models from the other sections."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from attrs import evolve

from modelmesh._engine.config.schema import DiscoverySection, ModelSection, Names, PoolSection, ProviderSection
from modelmesh._engine.foundation.ids import ConnectorId, Kind
from modelmesh._engine.plugins.aliases import canonical_id


def without_disabled(
    providers: Mapping[str, ProviderSection], models: Mapping[str, ModelSection], pools: Mapping[str, PoolSection]
) -> tuple[dict[str, ModelSection], dict[str, PoolSection]]:
    """Remove the models of disabled providers, and both from pools.

    ``enabled: false`` alone must be enough to disable a provider, without changes to other sections.
    """
    disabled = _disabled_names(providers)
    if not disabled:
        return dict(models), dict(pools)
    dropped = {key: section for key, section in models.items() if canonical_id(section.provider, Kind.PROVIDER) in disabled}
    ids = {name for key, section in dropped.items() for name in (key, section.model, key.removeprefix(f"{section.provider}."))}

    left = {
        name: evolve(
            pool,
            providers=None if pool.providers is None else _without(pool.providers, disabled),
            excluded_providers=_without(pool.excluded_providers, disabled),
            models=None if pool.models is None else Names(tuple(model for model in pool.models if model not in ids)),
        )
        for name, pool in pools.items()
    }
    return {key: section for key, section in models.items() if key not in dropped}, left


def discovery_without_disabled(providers: Mapping[str, ProviderSection], section: DiscoverySection) -> DiscoverySection:
    """Remove disabled providers from the section of a discovery connector."""
    disabled = _disabled_names(providers)
    parts = {name: getattr(section, name) for name in ("sync", "health")}
    named = {name: part for name, part in parts.items() if part is not None and part.providers is not None}
    return evolve(section, **{name: evolve(part, providers=_without(part.providers, disabled)) for name, part in named.items()})


def _disabled_names(providers: Mapping[str, ProviderSection]) -> set[str]:
    """Return the names that match disabled providers only."""
    disabled, enabled_names = (
        {name for section in providers.values() if section.enabled is enabled for name in _names(section)}
        for enabled in (False, True)
    )
    return disabled - enabled_names


def _without(names: Names, disabled: set[str]) -> Names:
    return Names(tuple(name for name in names if canonical_id(name, Kind.PROVIDER) not in disabled))


def _names(section: ProviderSection) -> set[str]:
    connector = canonical_id(section.connector or section.key, Kind.PROVIDER)
    names = {section.key, canonical_id(section.key, Kind.PROVIDER), connector}
    with suppress(ValueError):
        names.add(ConnectorId.parse(connector).provider_name)
    return names
