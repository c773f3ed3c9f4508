"""Construction of the configured discovery connectors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import asdict, evolve, fields

from modelmesh._engine.assembly.connector_options import check_options
from modelmesh._engine.assembly.model_catalog import ModelCatalog
from modelmesh._engine.assembly.provider_entry import ProviderEntry
from modelmesh._engine.assembly.providers import Providers
from modelmesh._engine.background.watches import DiscoveryWatch, HealthCheckSettings, SyncSettings
from modelmesh._engine.config.problems import Problems
from modelmesh._engine.config.references import References, literals
from modelmesh._engine.config.schema import DiscoverySection
from modelmesh._engine.config.source_map import KeyPath
from modelmesh._engine.foundation.ids import Kind
from modelmesh._engine.plugins import attribution
from modelmesh._engine.plugins.resolver import Resolver, build_at
from modelmesh.contracts.discovery import Discovery
from modelmesh.errors import ConfigurationError, ConnectorLoadError

Settings = TypeVar("Settings", SyncSettings, HealthCheckSettings)


def build_watch(
    section: DiscoverySection,
    path: KeyPath,
    resolver: Resolver,
    references: References,
    problems: Problems,
    providers: Providers,
    models: ModelCatalog,
    wrong: frozenset[KeyPath] = frozenset(),
) -> DiscoveryWatch | None:
    """Build one discovery connector and pass it the providers. Returns ``None`` if it has nothing to watch.

    Raises:
        ConfigurationError: The object is not a discovery connector, or the section names unknown providers.
        ConnectorError: The connector is unknown or broken.
    """
    sync = _settings_by_provider(section.sync, (*path, "sync"), providers, problems)
    health = _settings_by_provider(section.health, (*path, "health"), providers, problems)
    if any(one[: len(path)] == path for one in wrong):
        return None  # its invalid settings are reported already
    connector = _build_connector(section, path, resolver, references, problems)
    if not sync and not health:
        return None
    known: dict[str, list[Any]] = {entry.key: [] for entry in providers}
    for candidate in models.candidates:
        known[candidate.provider_id].append(evolve(candidate.info, id=models.listed_id(candidate)))
    try:
        if hasattr(connector, "attach"):
            connector.attach({entry.key: entry.provider for entry in providers})
        if hasattr(connector, "set_known_models"):
            for entry in providers:
                connector.set_known_models(entry.key, _known_models(entry, known[entry.key]))
    except Exception as error:  # noqa: BLE001 - a connector may raise anything; the error names it
        connector_id, distribution = attribution.identify(connector)
        place = attribution.locate_exception(error, connector) or attribution.locate_definition(connector)
        problem = f"raised {attribution.summarize(error, connector)} (at {place})"
        where = problems.source_map.where(path)
        message = f"{where}: the {attribution.describe(connector)} {problem} when it received the providers and their models"
        raise ConnectorLoadError(message, connector_id=connector_id, distribution=distribution) from error.with_traceback(None)
    return DiscoveryWatch(connector, _to_settings(sync, SyncSettings), _to_settings(health, HealthCheckSettings))


def _to_settings(sections: Mapping[str, Any], cls: type[Settings]) -> dict[str, Settings]:
    names = [one.name for one in fields(cls)]
    return {key: cls(**{name: getattr(section, name) for name in names}) for key, section in sections.items()}


def _known_models(entry: ProviderEntry, infos: list[Any]) -> list[Any]:
    """Return the models of a provider that are not new: those in the mesh, as it lists them, and the shipped ones."""
    return list({info.id: info for info in (*infos, *entry.shipped_models())}.values())


def _build_connector(
    section: DiscoverySection, path: KeyPath, resolver: Resolver, references: References, problems: Problems
) -> Discovery:
    connector, source_map = section.instance, problems.source_map
    if connector is None:
        where = source_map.where((*path, "connector"))
        cls = resolver.resolve(Kind.DISCOVERY, section.connector, where)
        reserved = ("connector", "connectors", "instance", "sync", "health", "config")
        check_options(cls, Kind.DISCOVERY, section.config, (*path, "config"), problems, reserved=reserved)
        settings = literals(references.plain(section.config, (*path, "config")))
        for name in ("sync", "health"):
            part = getattr(section, name)
            if part is not None:
                settings[name] = asdict(part, filter=lambda _, value: value is not None)
        connector = build_at(where, cls, settings, section.connector)
    if not isinstance(connector, Discovery):
        where = source_map.where((*path, "instance" if section.instance is not None else "connector"))
        message = (
            f"{where}: {attribution.class_of(connector).__name__} is not a discovery connector: it needs an id, sync and probe. "
            "Derive it from modelmesh.cdk.BaseDiscovery."
        )
        raise ConfigurationError(message, where=where)
    return connector


def _settings_by_provider(part: Any, path: KeyPath, providers: Providers, problems: Problems) -> dict[str, Any]:
    """Return the settings of each watched provider: those of the section, overridden by the provider's own."""
    if part is None:
        return {}
    keys = [entry.key for entry in providers]
    if part.providers is not None:
        where = problems.source_map.where((*path, "providers"))
        for wanted in part.providers:
            if not providers.matching(wanted):
                with problems.collecting():
                    providers.one(wanted, where)
        keys = [key for key in keys if any(entry.key == key for wanted in part.providers for entry in providers.matching(wanted))]
    found = {}
    for key in keys:
        own = getattr(providers.matching(key)[0].section.discovery, str(path[-1]))
        stated = asdict(own, filter=lambda _, value: value is not None)
        settings = evolve(part, **stated)
        if settings.enabled:
            found[key] = settings
    return found
