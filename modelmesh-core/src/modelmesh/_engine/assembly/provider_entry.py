"""Provider entry: one configured provider with its connector and its account."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from attrs import define, field

from modelmesh._engine.assembly.connector_options import check_options
from modelmesh._engine.assembly.model_names import RowIndex
from modelmesh._engine.assembly.policies import account_limits
from modelmesh._engine.config.problems import Problems, UncheckableError
from modelmesh._engine.config.reader import KNOWN_PROVIDER_KEYS
from modelmesh._engine.config.references import References
from modelmesh._engine.config.schema import ConnectionPoolSection, ProviderSection
from modelmesh._engine.config.source_map import KeyPath, SourceMap
from modelmesh._engine.foundation.ids import ConnectorId, Kind
from modelmesh._engine.foundation.secret import Secret
from modelmesh._engine.health.admission_queue import AdmissionQueue
from modelmesh._engine.health.provider_health import ProviderHealth
from modelmesh._engine.plugins import attribution
from modelmesh._engine.plugins.aliases import ID_ALIASES, canonical_id
from modelmesh._engine.plugins.resolver import Resolver, build
from modelmesh.contracts.models import ModelInfo
from modelmesh.contracts.provider import Provider
from modelmesh.errors import ConfigurationError, ConnectorLoadError, ModelMeshError


@define(eq=False)
class ProviderEntry:
    """A configured provider with its connector.

    Attributes:
        section: Its section of the configuration.
        provider: The connector.
        account: Its health.
        capabilities: Capabilities of its models that state none.
    """

    section: ProviderSection
    provider: Provider = field(repr=False)
    account: ProviderHealth = field(repr=False)
    capabilities: tuple[str, ...] = ()
    _catalogue: tuple[ModelInfo, ...] | None = None
    _shipped_rows: RowIndex | None = None
    _own_rows: RowIndex | None = None

    @property
    def key(self) -> str:
        """Key of the provider in the configuration."""
        return self.section.key

    @property
    def vendors(self) -> tuple[str, ...]:
        """Names that may precede the ID of one of its models, even if another provider has such a name as its key."""
        return _names_of(self.key, self.account.connector_id)

    def is_named(self, name: str) -> bool:
        """Return whether a reference means this provider."""
        return name in self.account.names

    def shipped_models(self) -> Sequence[ModelInfo]:
        """Return the models that the connector ships, without a request. Empty for a connector without such a list."""
        ships = getattr(self.provider, "shipped_models", None)
        return ships() if ships is not None else ()

    def shipped_row(self, name: str) -> ModelInfo | None:
        """Return the shipped model with this ID or upstream name. The list is read once."""
        if self._shipped_rows is None:
            self._shipped_rows = RowIndex(self.shipped_models())
        return self._shipped_rows.find(name)

    def listed_row(self, name: str) -> ModelInfo | None:
        """Return the model with this ID or upstream name from the connector's list, without a request to the vendor.

        A connector that ships no list has only :meth:`Provider.models`, which is called once.
        """
        if hasattr(self.provider, "shipped_models"):
            return self.shipped_row(name)
        if self._own_rows is None:
            self._own_rows = RowIndex(self.provider.models())
        return self._own_rows.find(name)

    @property
    def uses_vendor_list(self) -> bool:
        """Whether ``models: []`` selects the vendor's own list in place of the shipped one."""
        lists = callable(getattr(self.provider, "discover_models", None)) and getattr(self.provider, "list_path", True)
        return self.section.models is not None and not self.section.models and bool(lists)

    def catalogue(self) -> tuple[ModelInfo, ...]:
        """Return the models of the provider. The list is requested once.

        Raises:
            ConnectorLoadError: The connector does not return a list of :class:`ModelInfo`.
        """
        if self._catalogue is None:
            try:
                rows = self.provider.discover_models() if self.uses_vendor_list else self.provider.models()  # type: ignore[attr-defined]
            except ModelMeshError:
                raise
            except Exception as error:  # noqa: BLE001 - a connector may raise anything; the error names it
                place = attribution.locate_exception(error, self.provider)
                problem = f"raised {attribution.summarize(error, self.provider)}"
                raise self._invalid_catalogue(problem, place) from error.with_traceback(None)
            if isinstance(rows, str | Mapping) or not isinstance(rows, Iterable):
                problem = f"returned {type(rows).__name__}"
                raise self._invalid_catalogue(problem)
            rows = tuple(rows)
            invalid = [row for row in rows if not isinstance(row, ModelInfo)]
            if invalid:
                problem = f"returned a list with a {type(invalid[0]).__name__} in it"
                raise self._invalid_catalogue(problem)
            self._catalogue = rows
        return self._catalogue

    def _invalid_catalogue(self, problem: str, place: str | None = None) -> ConnectorLoadError:
        connector_id, distribution = attribution.identify(self.provider)
        place = place or attribution.locate_method(self.provider, "models")
        message = (
            f"providers.{self.key}: models() of the {attribution.describe(self.provider)} {problem} "
            f"(at {place}). It must return a list of modelmesh.contracts.ModelInfo. "
            f"Until then, name the models under providers.{self.key}.models"
        )
        return ConnectorLoadError(message, connector_id=connector_id, distribution=distribution)


def build_entry(
    section: ProviderSection, resolver: Resolver, references: References, problems: Problems, connector: str | None = None
) -> ProviderEntry:
    """Build one provider.

    Args:
        section: Its section of the configuration.
        resolver: Resolves connector IDs.
        references: Resolves references.
        problems: Collects options that the connector does not have.
        connector: ID that replaces an unknown one, so that the rest can be checked.

    Raises:
        ModelMeshError: The connector is unknown or broken, or a secret is missing.
    """
    path: KeyPath = ("providers", section.key)
    credential: str | None = None
    if section.instance is not None:
        provider = section.instance
        connector_id = str(getattr(provider, "id", section.key))
        _check_instance(provider, problems.source_map.where((*path, "instance")))
    else:
        connector_id = canonical_id(connector or section.connector or section.key, Kind.PROVIDER)
        where = problems.source_map.where((*path, "connector") if section.connector else path)
        cls = resolver.resolve(Kind.PROVIDER, connector_id, where)
        connector_id = str(getattr(cls, "id", connector_id) or connector_id)
        check_options(cls, Kind.PROVIDER, section.options, path, problems, reserved=KNOWN_PROVIDER_KEYS)
        missing = references.unresolved
        settings = _connector_settings(section, references, path)
        settings["max_connections"] = _max_connections(section, problems.source_map, path)
        credential = getattr(settings.get("api_key"), "source", None)
        try:
            provider = _build_connector(cls, settings, connector_id, where)
        except ModelMeshError as error:
            if references.unresolved > missing:
                raise UncheckableError(section.key) from error  # the missing value is reported, and a placeholder replaces it
            raise
    account = ProviderHealth(
        provider_id=section.key,
        connector_id=connector_id,
        names=_names_of(section.key, connector_id),
        concurrency_limit=_max_connections(section, problems.source_map, path),
        admission=AdmissionQueue(section.connection_pool.queue_size, section.connection_pool.queue_wait),
        credential=credential,
        max_retries=getattr(provider, "max_retries", None) if section.max_retries is None else section.max_retries,
        limits=_deadlines(section, provider),
    )
    stated = section.capabilities or tuple(getattr(provider, "capabilities", ()) or ())
    return ProviderEntry(section, provider, account, tuple(stated))


def _check_instance(provider: object, where: str) -> None:
    for method in ("models", "send", "asend"):
        if not callable(getattr(provider, method, None)):
            message = (
                f"{where}: {type(provider).__name__} is not a provider: missing method {method}(). "
                "Give an object made from modelmesh.cdk, e.g. QuickProvider(base_url=…, api_key=…)."
            )
            raise ConfigurationError(message, where=where)


def _build_connector(cls: type[Any], settings: dict[str, Any], connector_id: str, where: str) -> Any:
    """Build the connector. An error begins with the position of the provider."""
    try:
        return build(cls, settings, connector_id)
    except ModelMeshError as error:
        if not error.message.startswith(where):
            error.message = f"{where}: {error.message}"
        if isinstance(error, ConfigurationError) and error.where is None:
            error.where = where
        raise


def _deadlines(section: ProviderSection, provider: object) -> dict[str, float]:
    """Return the deadlines of the section. The connector's own ``timeout`` is the default of the whole answer."""
    limits, own = account_limits(section), getattr(provider, "timeout", None)
    if own is not None:
        limits.setdefault("answer", own)
    return limits


def _connector_settings(section: ProviderSection, references: References, path: KeyPath) -> dict[str, Any]:
    settings: dict[str, Any] = {**references.resolve(section.options, path)}
    for name in ("api_key", "base_url"):
        value = getattr(section, name)
        if value is not None:
            settings[name] = references.resolve(value, (*path, name))
    if isinstance(settings.get("api_key"), str):
        settings["api_key"] = Secret(settings["api_key"], source=references.where((*path, "api_key")))
    if isinstance(settings.get("base_url"), Secret):
        settings["base_url"] = settings["base_url"].reveal()
    if section.timeout is not None:
        settings["timeout"] = section.timeout
    return settings


def _max_connections(section: ProviderSection, source_map: SourceMap, path: KeyPath) -> int:
    """Return the maximum number of connections, from ``connection_pool`` or the connector's own setting of that name.

    Raises:
        ConfigurationError: The connector's own setting is invalid, or the two differ.
    """
    stated, default = section.connection_pool.max_connections, ConnectionPoolSection().max_connections
    own = section.options.get("max_connections")
    if own is None:
        return stated
    where = source_map.where((*path, "max_connections"))
    if isinstance(own, bool) or not isinstance(own, int) or own < 1:
        message = f"{where}: max_connections must be a number of at least 1, not {own!r}."
        raise ConfigurationError(message, where=where)
    if stated not in (default, own):
        message = f"{where}: max_connections is {own}, but connection_pool.max_connections is {stated}. Keep one of them."
        raise ConfigurationError(message, where=where)
    return own


def _names_of(key: str, connector_id: str) -> tuple[str, ...]:
    names = {key: None, canonical_id(key, Kind.PROVIDER): None, connector_id: None}
    names |= dict.fromkeys(alias for alias, real in ID_ALIASES.items() if real == connector_id)
    with suppress(ValueError):
        names[ConnectorId.parse(connector_id).provider_name] = None
    return tuple(names)
