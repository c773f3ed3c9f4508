"""Reader of a raw configuration: it resolves references, canonicalizes keys, converts types and collects problems."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from modelmesh._engine.config import not_enforced, schema
from modelmesh._engine.config.conversions import UNKNOWN
from modelmesh._engine.config.disabled_providers import discovery_without_disabled, without_disabled
from modelmesh._engine.config.normalize import Normalizer
from modelmesh._engine.config.normalize_sinks import SinkNormalizer
from modelmesh._engine.config.problems import Problems
from modelmesh._engine.config.references import References, has_reference, literal
from modelmesh._engine.config.secret_masking import MASKED
from modelmesh._engine.config.sections import Sections
from modelmesh._engine.config.source_map import KeyPath
from modelmesh._engine.config.structure import structure
from modelmesh._engine.foundation.secret import Secret
from modelmesh._engine.foundation.suggestions import did_you_mean

Entry = TypeVar("Entry")

SECTIONS = (
    "secrets", "providers", "models", "pools", "observability", "capabilities", "rotation", "budget", "storage", "discovery",
    "proxy", "connectors",
)  # fmt: skip
IGNORED = ("$schema",)
"""Top-level keys for editors."""

KNOWN_PROVIDER_KEYS = frozenset(field.name for field in schema.ProviderSection.__attrs_attrs__) - {"key", "options"}
_OPAQUE = frozenset({"api_key", "base_url", "instance", "strategy_instance", "options", "config", "tokens"})
"""Keys with references that are resolved where they are used. Their values may be secret and stay out of the sections."""


class ConfigReader:
    """Reads one raw configuration."""

    def __init__(self, raw: Mapping[str, Any], problems: Problems, references: References | None = None) -> None:
        """Store the inputs.

        Args:
            raw: Plain data, keys masked.
            problems: Collects problems.
            references: Resolves references. Without it, their values are unknown and unchecked.
        """
        self._problems = problems
        self._references = references
        self._wrong: set[KeyPath] = set()
        self._raw = raw
        self._tidy = Normalizer(problems)

    def read(self) -> Sections:
        """Return the typed values of everything that is valid."""
        raw, tidy = self._raw, self._tidy
        self._check_sections()
        providers = self._each(self._tidied("providers", tidy.providers), "providers", self._provider)
        models = self._each(self._tidied("models", tidy.models), "models", self._model)
        pools = self._each(tidy.pools(raw.get("pools"), raw.get("rotation")), "pools", self._pool)
        secrets = self.secrets()
        sinks, statistics = self._observability(raw.get("observability"))
        capabilities = self._capabilities(raw.get("capabilities"))
        budget = self._optional("budget", schema.BudgetSection)
        storage = self._optional("storage", schema.StorageSection, tidy.storage)
        proxy = self._optional("proxy", schema.ProxySection)
        self._connectors(raw.get("connectors"))
        discovery = self._rows(tidy.discovery(raw.get("discovery")), schema.DiscoverySection, self._check_intervals)
        for path, sink in sinks:
            not_enforced.note_events(sink, path, self._problems)
        not_enforced.note_without_discovery(providers, tuple(row for _, row in discovery), self._problems)
        if capabilities and pools:
            self._problems.note(("capabilities",), "has no effect: 'pools' names the pools. Remove one of the two")
        if raw.get("rotation") is not None and not pools:
            self._each(tidy.pools({"*": None}, raw["rotation"]), "pools", self._pool)
        enabled_models, enabled_pools = without_disabled(providers, models, pools)
        return Sections(
            secrets=secrets or schema.SecretsSection(),
            providers=providers,
            models=enabled_models,
            pools=enabled_pools,
            observability=tuple(sink for _, sink in sinks),
            capabilities=capabilities,
            budget=budget,
            storage=storage,
            statistics=statistics or schema.StatisticsSection(),
            proxy=proxy or schema.ProxySection(),
            discovery=tuple(discovery_without_disabled(providers, row) for _, row in discovery),
            observability_paths=tuple(path for path, _ in sinks),
            discovery_paths=tuple(path for path, _ in discovery),
            invalid=frozenset(self._wrong),
            disabled_models=frozenset(set(models) - set(enabled_models)),
        )

    def _observability(self, value: Any) -> tuple[list[tuple[KeyPath, schema.SinkSection]], schema.StatisticsSection | None]:
        tidy = SinkNormalizer(self._problems)
        sinks = self._rows(tidy.observability(value), schema.SinkSection)
        return sinks, self._built(tidy.statistics(value), schema.StatisticsSection, ("observability", "statistics"))

    def _capabilities(self, value: Any) -> tuple[str, ...]:
        names = self._plain(value or (), ("capabilities",))
        if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
            self._problems.add(("capabilities",), "must be a list of capability names")
            return ()
        return tuple(str(name) for name in names)

    def _optional(self, name: str, cls: type[Entry], tidy: Callable[[Any], Any] | None = None) -> Entry | None:
        """Return a section that may be absent, ``None`` when it is absent or invalid."""
        value = self._raw.get(name)
        if value is None:
            return None
        return self._built(value if tidy is None else tidy(value), cls, (name,))

    def secrets(self) -> schema.SecretsSection | None:
        """Return the ``secrets`` section, or ``None`` if it is invalid. Its references may only name environment variables."""
        outer, self._references = self._references, References(None, self._problems.source_map, self._problems)
        try:
            return self._built(self._tidy.secrets(self._raw.get("secrets")), schema.SecretsSection, ("secrets",))
        finally:
            self._references = outer

    # -- references -------------------------------------------------------------------------------------------------

    def _plain(self, value: Any, path: KeyPath) -> Any:
        if isinstance(value, Mapping):
            return {key: self._plain(item, (*path, str(key))) for key, item in value.items()}
        if isinstance(value, list):
            return [self._plain(item, (*path, place)) for place, item in enumerate(value)]
        if isinstance(value, Secret) and value.source == MASKED:
            return value.reveal()  # a key that the mesh itself reads is not a secret, whatever its name is
        if not has_reference(value):
            return value
        if self._references is None:
            return value.replace("$${", "${") if "${" not in value.replace("$${", "") else UNKNOWN
        before = self._references.unresolved
        found = self._references.plain(value, path)
        return UNKNOWN if self._references.unresolved > before else found

    # -- sections ---------------------------------------------------------------------------------------------------

    def _check_sections(self) -> None:
        for key in self._raw:
            if key in SECTIONS or key in IGNORED or str(key).startswith("x-"):
                continue
            hint = did_you_mean(str(key), SECTIONS)
            known = ", ".join(SECTIONS)
            self._problems.add(
                (str(key),),
                f"unknown section {key!r}.{hint} Known: {known}. Names that start with 'x-' hold settings for anchors",
            )

    def _tidied(self, name: str, tidy: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        raw = self._raw.get(name)
        found = tidy(raw)
        if raw is not None and len(found) < (len(raw) if isinstance(raw, Mapping | list) else 1):
            self._wrong.add((name,))  # an invalid entry is left out
        return found

    def _connectors(self, value: Any) -> None:
        path: KeyPath = ("connectors",)
        if isinstance(value, Mapping):
            for key in value:
                if key != "packages":
                    hint = did_you_mean(str(key), ["packages"])
                    self._problems.add((*path, str(key)), f"unknown key {key!r}.{hint} Known here: packages")
            value, path = value.get("packages"), (*path, "packages")
        if value is not None and not (isinstance(value, list) and all(isinstance(one, str) for one in value)):
            self._problems.add(path, "must be a list of paths or addresses of connector packages")
        elif value:
            self._problems.note(("connectors",), f"'connectors' {not_enforced.NOT_IMPLEMENTED}")

    def _each(self, entries: Mapping[str, Any], section: str, build: Callable[[str, Any, KeyPath], Any]) -> dict[str, Any]:
        built = {key: build(key, entry, (section, key)) for key, entry in entries.items()}
        return {key: value for key, value in built.items() if value is not None}

    def _rows(
        self, rows: list[tuple[KeyPath, dict[str, Any]]], cls: type[Entry], check: Any = None
    ) -> list[tuple[KeyPath, Entry]]:
        built = []
        for path, row in rows:
            section = self._built(row, cls, path)
            if section is not None:
                built.append((path, section))
                if check is not None:
                    check(section, path)
        return built

    def _built(self, data: Any, cls: type[Entry], path: KeyPath) -> Entry | None:
        if isinstance(data, Mapping):
            data = {key: value if key in _OPAQUE else self._plain(value, (*path, str(key))) for key, value in data.items()}
        section, left_out = structure(data, cls, path, self._problems)
        self._wrong.update((*path, key) for key in left_out)
        if section is None:
            self._wrong.add(path)
        return section

    def _provider(self, key: str, entry: dict[str, Any], path: KeyPath) -> schema.ProviderSection | None:
        if self._is_off(entry, path):
            entry = {name: value for name, value in entry.items() if not _holds_reference(value)} | {"enabled": False}
        options = {name: entry.pop(name) for name in list(entry) if name not in KNOWN_PROVIDER_KEYS}
        self._check_key(entry.get("api_key"), (*path, "api_key"))
        self._check_auth(options.get("auth"), (*path, "auth"))
        section = self._built({"key": key, **entry, "options": options}, schema.ProviderSection, path)
        if section is not None:
            not_enforced.note_provider(section, path, self._problems)
            self._check_intervals(section.discovery, (*path, "discovery"))
            for place, row in enumerate(section.models or ()):
                self._model_row(row, key, (*path, "models", place))
        return section

    def _is_off(self, entry: Mapping[str, Any], path: KeyPath) -> bool:
        return literal(self._plain(entry.get("enabled"), (*path, "enabled"))) is False

    def _model_row(self, row: Any, provider: str, path: KeyPath) -> None:
        if isinstance(row, Mapping) and isinstance(row.get("id"), str):
            self._noted_model(self._built({**row, "provider": provider}, schema.ModelSection, path), path)

    def _check_key(self, key: Any, path: KeyPath) -> None:
        if isinstance(key, bool | int | float | bytes | list | dict):
            kind = type(key).__name__
            self._problems.add(path, f"must be a text or a reference such as ${{secrets:NAME}}, not {kind}. Put it in quotes")

    def _check_auth(self, auth: Any, path: KeyPath) -> None:
        if auth is not None:
            section = self._built(auth, schema.AuthSection, path)
            if section is not None:
                not_enforced.note_auth(section, path, self._problems)

    def _model(self, key: str, entry: dict[str, Any], path: KeyPath) -> schema.ModelSection | None:
        return self._noted_model(self._built({"id": key, **entry}, schema.ModelSection, path), path)

    def _noted_model(self, section: schema.ModelSection | None, path: KeyPath) -> schema.ModelSection | None:
        if section is not None:
            not_enforced.note_model(section, path, self._problems)
        return section

    def _pool(self, key: str, entry: dict[str, Any], path: KeyPath) -> schema.PoolSection | None:
        return self._built({"name": key, **entry}, schema.PoolSection, path)

    def _check_intervals(self, section: Any, path: KeyPath) -> None:
        """Reject intervals below one second and thresholds of zero."""
        for name in ("sync", "health"):
            part = getattr(section, name)
            if part is None:
                continue
            if part.interval is not None and part.interval < 1:
                self._problems.add((*path, name, "interval"), f"must be 1s or more, e.g. 60s, not {part.interval:g} s")
                self._wrong.add((*path, name))
            if getattr(part, "failure_threshold", None) == 0:
                message = "must be 1 or more: the number of consecutive failed probes"
                self._problems.add((*path, name, "failure_threshold"), message)
                self._wrong.add((*path, name))


def _holds_reference(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_holds_reference(item) for item in value.values())
    if isinstance(value, list):
        return any(_holds_reference(item) for item in value)
    return has_reference(value)
