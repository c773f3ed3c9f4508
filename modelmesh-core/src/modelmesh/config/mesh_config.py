"""The whole configuration of a mesh."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from attrs import field, frozen

from modelmesh.config import schema
from modelmesh.config.disabled import looked_at_without_disabled, without_disabled
from modelmesh.config.locate import Path, Places
from modelmesh.config.merging import merge_configs
from modelmesh.config.normalize import PARTS, Normalizer
from modelmesh.config.problems import Problems, did_you_mean
from modelmesh.config.references import References
from modelmesh.config.structure import structure
from modelmesh.contracts.observability import EVENT_TYPES
from modelmesh.errors import ConfigurationError
from modelmesh.events import GROUPS

SECTIONS = (
    "secrets", "providers", "models", "pools", "observability", "capabilities", "rotation", "budget", "storage", "discovery",
)  # fmt: skip
LATER = ("connectors", "proxy")
"""Sections that belong to the format and that this version does not act on."""

LATER_SECTIONS = ("connectors",)
"""Those of them whose absence changes what a mesh does; ``proxy`` is for another program."""

LATER_PROVIDER_KEYS = ("batch", "files", "fine_tuning")
LATER_QUOTA_KEYS = ("query_current", "query_remaining")
LATER_DISCOVERY_KEYS = ("enumerate_models", "model_details", "capability_query")

_EVENTS = (*GROUPS, *EVENT_TYPES)
KNOWN_PROVIDER_KEYS = frozenset(field.name for field in schema.ProviderSection.__attrs_attrs__) - {"key", "options"}


class NotEnforcedWarning(UserWarning):
    """The configuration asks for something that this version reads and does not act on."""


@frozen
class Sections:
    """Typed values of everything this version acts on."""

    secrets: schema.SecretsSection
    providers: dict[str, schema.ProviderSection]
    models: dict[str, schema.ModelSection]
    pools: dict[str, schema.PoolSection]
    observability: tuple[schema.SinkSection, ...]
    capabilities: tuple[str, ...]
    budget: schema.BudgetSection | None = None
    storage: schema.StorageSection | None = None
    statistics: schema.StatisticsSection = field(factory=schema.StatisticsSection)
    discovery: tuple[schema.DiscoverySection, ...] = ()
    discovery_paths: tuple[Path, ...] = ()  # where each of them stands


class MeshConfig:
    """A configuration, read and not yet acted on.

    Attributes:
        raw: The plain data as it was given.
        places: Where each key stands, when it came from a file.
    """

    def __init__(self, raw: Any, places: Places | None = None) -> None:
        """Take plain data.

        Raises:
            ConfigurationError: It is not a map.
        """
        if not isinstance(raw, Mapping):
            where = places.file if places and places.file else "configuration"
            message = f"{where}: must be a map of sections ({', '.join(SECTIONS)}), not {type(raw).__name__}."
            raise ConfigurationError(message, where=where)
        self.raw: dict[str, Any] = dict(raw)
        self.places = places or Places()
        self._sections: Sections | None = None

    @classmethod
    def from_file(cls, path: str) -> MeshConfig:
        """Read a YAML file, or a JSON file when its name ends in ``.json``.

        Raises:
            ConfigurationError: It cannot be read; the message says where and why.
        """
        from modelmesh.config.load import load_file  # noqa: PLC0415 - the YAML reader is only needed for files

        data, places = load_file(str(path))
        return cls({} if data is None else data, places)

    @classmethod
    def from_yaml(cls, path: str) -> MeshConfig:
        """Read a YAML file."""
        return cls.from_file(path)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> MeshConfig:
        """Take a dictionary; live objects may stand under ``instance`` and ``strategy_instance``."""
        return cls(data)

    @classmethod
    def of(cls, config: str | Mapping[str, Any] | MeshConfig) -> MeshConfig:
        """Take any of the forms that ``create(config=…)`` accepts."""
        if isinstance(config, MeshConfig):
            return config
        if isinstance(config, Mapping):
            return cls(config)
        return cls.from_file(str(config))

    def merge(self, overrides: Mapping[str, Any] | MeshConfig) -> MeshConfig:
        """Return a configuration in which ``overrides`` win, key by key; neither input changes."""
        other = overrides.raw if isinstance(overrides, MeshConfig) else overrides
        return MeshConfig(merge_configs(self.raw, other), self.places)

    def validate(self) -> list[str]:
        """Return what is wrong, a message each; empty when nothing is."""
        return self._read()[1].messages

    @property
    def sections(self) -> Sections:
        """Typed values, read once.

        Raises:
            ConfigurationError: Something is wrong; the message lists all of it.
        """
        if self._sections is not None:
            return self._sections
        sections, problems = self._read()
        if problems:
            raise problems.error()
        for path, what in self._not_enforced(sections):
            warnings.warn(f"{self.places.where(path)}: {what}", NotEnforcedWarning, stacklevel=5)
        self._sections = sections
        return sections

    @property
    def secrets(self) -> schema.SecretsSection:
        """The ``secrets`` section alone, from which the store is made that the other sections may refer to.

        Raises:
            ConfigurationError: It is wrong.
        """
        problems = Problems(self.places)
        tidy = Normalizer(problems)
        section = structure(tidy.secrets(self.raw.get("secrets")), schema.SecretsSection, ("secrets",), problems)
        if problems or section is None:
            raise problems.error()
        return section

    def resolved(self, references: References) -> MeshConfig:
        """Return a configuration in which settings that are no secrets have the values they refer to."""
        raw = dict(self.raw)
        for section in ("models", "pools", "capabilities", "rotation", "budget", "storage", "discovery"):
            if section in raw:
                raw[section] = references.plain(raw[section], (section,))
        providers = raw.get("providers")
        if isinstance(providers, Mapping):
            raw["providers"] = {key: _settings(key, entry, references) for key, entry in providers.items()}
        return MeshConfig(raw, self.places)

    @property
    def is_overlay(self) -> bool:
        """Whether it names no provider, model or pool, and so only adds to what is detected."""
        return not any(self.raw.get(section) for section in ("providers", "models", "pools"))

    def _read(self) -> tuple[Sections, Problems]:
        problems = Problems(self.places)
        for key in self.raw:
            if key not in SECTIONS and key not in LATER:
                known = (*SECTIONS, *LATER)
                problems.add((str(key),), f"unknown section {key!r}.{did_you_mean(str(key), known)} Known: {', '.join(known)}")
        tidy = Normalizer(problems)
        providers = self._each(tidy.providers(self.raw.get("providers")), "providers", self._provider, problems)
        models = self._each(tidy.models(self.raw.get("models")), "models", _model, problems)
        pools = self._each(tidy.pools(self.raw.get("pools"), self.raw.get("rotation")), "pools", _pool, problems)
        secrets = structure(tidy.secrets(self.raw.get("secrets")), schema.SecretsSection, ("secrets",), problems)
        sinks = [
            structure(sink, schema.SinkSection, ("observability",), problems)
            for sink in tidy.observability(self.raw.get("observability"))
        ]
        counting = structure(
            tidy.statistics(self.raw.get("observability")),
            schema.StatisticsSection,
            ("observability", "statistics"),
            problems,
        )
        capabilities = self.raw.get("capabilities") or ()
        if not isinstance(capabilities, list | tuple) or not all(isinstance(name, str) for name in capabilities):
            problems.add(("capabilities",), "must be a list of capability names")
            capabilities = ()
        budget = self.raw.get("budget")
        if budget is not None:
            budget = structure(budget, schema.BudgetSection, ("budget",), problems)
        storage = None
        if self.raw.get("storage") is not None:
            storage = structure(tidy.storage(self.raw["storage"]), schema.StorageSection, ("storage",), problems)
        rows = tidy.discovery(self.raw.get("discovery"))
        discovery = [_discovery(row, path, problems) for path, row in rows]
        models, pools = without_disabled(providers, models, pools)
        sections = Sections(
            secrets or schema.SecretsSection(),
            providers,
            models,
            pools,
            tuple(sink for sink in sinks if sink is not None),
            tuple(capabilities),
            budget,
            storage,
            counting or schema.StatisticsSection(),
            tuple(looked_at_without_disabled(providers, row) for row in discovery if row is not None),
            tuple(path for path, _ in rows),
        )
        return sections, problems

    @staticmethod
    def _each(entries: Mapping[str, Any], section: str, build: Any, problems: Problems) -> dict[str, Any]:
        built = {key: build(key, entry, (section, key), problems) for key, entry in entries.items()}
        return {key: value for key, value in built.items() if value is not None}

    @staticmethod
    def _provider(key: str, entry: dict[str, Any], path: Path, problems: Problems) -> schema.ProviderSection | None:
        options = {name: entry.pop(name) for name in list(entry) if name not in KNOWN_PROVIDER_KEYS}
        section = structure({"key": key, **entry, "options": options}, schema.ProviderSection, path, problems)
        for name in ("sync", "health") if section is not None else ():
            _not_too_often(getattr(section.discovery, name), (*path, "discovery", name), problems)  # type: ignore[union-attr]
        return section

    def _not_enforced(self, sections: Sections) -> list[tuple[Path, str]]:
        paths: list[Path] = [(name,) for name in LATER_SECTIONS if self.raw.get(name)]
        listening = self.raw.get("observability")
        if isinstance(listening, Mapping):
            paths += [("observability", name) for name in ("tracing",) if listening.get(name)]
        for key, provider in sections.providers.items():
            paths += [("providers", key, name) for name in LATER_PROVIDER_KEYS if getattr(provider, name)]
            own = provider.discovery
            paths += [("providers", key, "discovery", name) for name in LATER_DISCOVERY_KEYS if getattr(own, name)]
            paths += [("providers", key, "quota", name) for name in LATER_QUOTA_KEYS if getattr(provider.quota, name, False)]
            auth = provider.options.get("auth")
            if isinstance(auth, Mapping) and (auth.get("method", "api_key") != "api_key" or auth.get("key_rotation")):
                paths.append(("providers", key, "auth"))
        paths += [("models", key, "quota", name) for key, model in sections.models.items()
                  for name in LATER_QUOTA_KEYS if getattr(model.quota, name, False)]  # fmt: skip
        unused = [(path, f"{path[-1]!r} is read but not acted on by this version of modelmesh-core") for path in paths]
        return [
            *unused,
            *_without_discovery(sections),
            *_unheard(sections),
            *dict.fromkeys(_perhaps_misspelt(sections, listening)),
        ]

    def __repr__(self) -> str:
        return f"<MeshConfig {self.places.file or 'from a dictionary'}: {', '.join(map(str, self.raw)) or 'empty'}>"


def _discovery(row: dict[str, Any], path: Path, problems: Problems) -> schema.DiscoverySection | None:
    section = structure(row, schema.DiscoverySection, path, problems)
    if section is not None:
        for name in ("sync", "health"):
            _not_too_often(getattr(section, name), (*path, name), problems)
    return section


def _not_too_often(part: Any, path: Path, problems: Problems) -> None:
    """Refuse numbers by which a vendor would be asked without a pause, or be off before it was asked."""
    if part is None:
        return
    if part.interval is not None and part.interval < 1:
        problems.add((*path, "interval"), f"must be 1s or more, not {part.interval:g} s; e.g. 60s")
    if getattr(part, "failure_threshold", None) == 0:
        problems.add((*path, "failure_threshold"), "must be 1 or more: so many probes in a row have to fail")


def _without_discovery(sections: Sections) -> Iterator[tuple[Path, str]]:
    """What providers say of discovery where there is none."""
    for name, nothing in (("sync", schema.ProviderSyncSection()), ("health", schema.ProviderHealthSection())):
        if any(getattr(row, name) is not None for row in sections.discovery):
            continue
        for key, provider in sections.providers.items():
            if getattr(provider.discovery, name) != nothing:
                yield (
                    ("providers", key, "discovery", name),
                    f"changes nothing, for there is no 'discovery.{name}'; add that section",
                )


def _unheard(sections: Sections) -> Iterator[tuple[Path, str]]:
    """Names in the filter of a sink that no event has."""
    for sink in sections.observability:
        for name in sink.events or ():
            if name not in _EVENTS:
                yield ("observability",), f"{name!r} is no event, so that nobody hears of it.{did_you_mean(name, _EVENTS)}"


def _perhaps_misspelt(sections: Sections, listening: Any) -> Iterator[tuple[Path, str]]:
    """Keys that go to a connector as they are, and look like one of ours."""
    taken: list[tuple[Path, Iterable[str], Iterable[str], float]] = [
        (("providers", key), provider.options, KNOWN_PROVIDER_KEYS, 0.85) for key, provider in sections.providers.items()
    ]
    taken += [
        (path, row.config, ("connector", "connectors", "instance", "sync", "health", "config"), 0.75)
        for row, path in zip(sections.discovery, sections.discovery_paths, strict=True)
    ]
    if sections.storage is not None:
        taken.append((("storage",), sections.storage.config, _names_of(schema.StorageSection), 0.85))
    if isinstance(listening, Mapping):
        taken.append((("observability",), map(str, listening), (*PARTS, *_names_of(schema.SinkSection)), 0.85))
    for path, names, known, cutoff in taken:
        for name in names:
            hint = "" if name in known else did_you_mean(name, known, cutoff=cutoff)
            if hint:
                yield (*path, name), f"{name!r} is no key of ours and goes to the connector as it is.{hint}"


def _names_of(section: Any) -> tuple[str, ...]:
    return tuple(one.name for one in section.__attrs_attrs__)


def _settings(key: str, entry: Any, references: References) -> Any:
    """A provider's entry with its settings resolved; what goes to the connector may be secret and is resolved there."""
    if not isinstance(entry, Mapping) or entry.get("enabled") is False:
        return entry
    mine = KNOWN_PROVIDER_KEYS - {"api_key", "base_url", "instance"}
    return {name: references.plain(value, ("providers", key, name)) if name in mine else value for name, value in entry.items()}


def _model(key: str, entry: dict[str, Any], path: Path, problems: Problems) -> schema.ModelSection | None:
    return structure({"id": key, **entry}, schema.ModelSection, path, problems)


def _pool(key: str, entry: dict[str, Any], path: Path, problems: Problems) -> schema.PoolSection | None:
    return structure({"name": key, **entry}, schema.PoolSection, path, problems)
