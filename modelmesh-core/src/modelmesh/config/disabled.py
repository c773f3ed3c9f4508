"""Providers that are switched off, and what of the configuration is off with them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from attrs import evolve

from modelmesh.config.schema import ModelSection, Names, PoolSection, ProviderSection
from modelmesh.ids import ConnectorId, Kind
from modelmesh.registry.aliases import canonical_id


def without_disabled(
    providers: Mapping[str, ProviderSection], models: Mapping[str, ModelSection], pools: Mapping[str, PoolSection]
) -> tuple[dict[str, ModelSection], dict[str, PoolSection]]:
    """Leave out the models of providers that are switched off, and the mention of both in pools.

    Switching a provider off must be one word, ``enabled: false``, and no reason to rewrite the rest.
    """
    off, on = (
        {name for section in providers.values() if section.enabled is enabled for name in _names(section)}
        for enabled in (False, True)
    )
    gone = {*off} - on
    if not gone:
        return dict(models), dict(pools)
    dropped = {key: section for key, section in models.items() if canonical_id(section.provider, Kind.PROVIDER) in gone}
    ids = {name for key, section in dropped.items() for name in (key, section.model, key.removeprefix(f"{section.provider}."))}

    def kept(names: Names) -> Names:
        return Names(tuple(name for name in names if canonical_id(name, Kind.PROVIDER) not in gone))

    left = {
        name: evolve(
            pool,
            providers=None if pool.providers is None else kept(pool.providers),
            excluded_providers=kept(pool.excluded_providers),
            models=None if pool.models is None else Names(tuple(model for model in pool.models if model not in ids)),
        )
        for name, pool in pools.items()
    }
    return {key: section for key, section in models.items() if key not in dropped}, left


def _names(section: ProviderSection) -> set[str]:
    connector = canonical_id(section.connector or section.key, Kind.PROVIDER)
    names = {section.key, canonical_id(section.key, Kind.PROVIDER), connector}
    with suppress(ValueError):
        names.add(ConnectorId.parse(connector).provider_name)
    return names
