"""Providers that are switched off, and what of the configuration is off with them."""

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
    """Leave out the models of providers that are switched off, and the mention of both in pools.

    Switching a provider off must be one word, ``enabled: false``, and no reason to rewrite the rest.
    """
    gone = _gone(providers)
    if not gone:
        return dict(models), dict(pools)
    dropped = {key: section for key, section in models.items() if canonical_id(section.provider, Kind.PROVIDER) in gone}
    ids = {name for key, section in dropped.items() for name in (key, section.model, key.removeprefix(f"{section.provider}."))}

    left = {
        name: evolve(
            pool,
            providers=None if pool.providers is None else _kept(pool.providers, gone),
            excluded_providers=_kept(pool.excluded_providers, gone),
            models=None if pool.models is None else Names(tuple(model for model in pool.models if model not in ids)),
        )
        for name, pool in pools.items()
    }
    return {key: section for key, section in models.items() if key not in dropped}, left


def discovery_without_disabled(providers: Mapping[str, ProviderSection], section: DiscoverySection) -> DiscoverySection:
    """Leave out the mention of providers that are switched off in what a discovery connector is for."""
    gone = _gone(providers)
    parts = {name: getattr(section, name) for name in ("sync", "health")}
    named = {name: part for name, part in parts.items() if part is not None and part.providers is not None}
    return evolve(section, **{name: evolve(part, providers=_kept(part.providers, gone)) for name, part in named.items()})


def _gone(providers: Mapping[str, ProviderSection]) -> set[str]:
    """Return the names that only mean providers which are switched off."""
    off, on = (
        {name for section in providers.values() if section.enabled is enabled for name in _names(section)}
        for enabled in (False, True)
    )
    return off - on


def _kept(names: Names, gone: set[str]) -> Names:
    return Names(tuple(name for name in names if canonical_id(name, Kind.PROVIDER) not in gone))


def _names(section: ProviderSection) -> set[str]:
    connector = canonical_id(section.connector or section.key, Kind.PROVIDER)
    names = {section.key, canonical_id(section.key, Kind.PROVIDER), connector}
    with suppress(ValueError):
        names.add(ConnectorId.parse(connector).provider_name)
    return names
