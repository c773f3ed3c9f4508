"""Resolution of connector IDs to classes, and construction of connectors."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import pluggy

from modelmesh._engine.foundation.ids import ConnectorId, Kind
from modelmesh._engine.foundation.suggestions import most_similar
from modelmesh._engine.plugins import attribution
from modelmesh._engine.plugins.aliases import STRATEGIES, canonical_id
from modelmesh._engine.plugins.catalog import Catalog, PluginEntry
from modelmesh._engine.plugins.in_process import CONNECTOR_REGISTRY
from modelmesh._engine.plugins.known_distributions import distribution_for, unreleased
from modelmesh._engine.plugins.manager import load_plugins
from modelmesh._engine.plugins.validation import contract_error, warn_of_misspelt_hooks
from modelmesh.errors import ConfigurationError, ConnectorLoadError, ModelMeshError, UnknownConnectorError


class Resolver:
    """Resolver of IDs for one mesh: hook plugins first, then registered classes, then installed connectors."""

    def __init__(self, catalog: Catalog | None = None) -> None:
        self.catalog = catalog or Catalog.scan()
        self._plugins: pluggy.PluginManager | None = None
        self._resolved: dict[tuple[Kind, str], type[Any]] = {}

    @property
    def plugins(self) -> pluggy.PluginManager:
        """Plugin manager with the hook modules, loaded at the first use."""
        if self._plugins is None:
            self._plugins, _ = load_plugins(self.catalog)
        return self._plugins

    def resolve(self, kind: Kind, name: str, where: str = "") -> type[Any]:
        """Return the class of an ID.

        Args:
            kind: Kind of the connector.
            name: ID, alias of an ID, or short name of a strategy.
            where: Position of the name, for messages.

        Raises:
            UnknownConnectorError: No plugin provides the ID.
            DuplicateConnectorError: Two distributions provide the ID.
            ConnectorLoadError: The connector cannot be imported, or violates the contract of its kind.
        """
        connector_id = canonical_id(name, kind)
        known = self._resolved.get((kind, connector_id))
        if known is None:
            known = self._resolved[kind, connector_id] = self._look_up(kind, connector_id, name, where)
        return known

    def _look_up(self, kind: Kind, connector_id: str, name: str, where: str) -> type[Any]:
        try:
            provided = self.plugins.hook.modelmesh_resolve_connector(kind=kind, connector_id=connector_id)
        except Exception as error:
            message = (
                f"{_at(where)}a plugin raised {type(error).__name__}: {error} when it resolved the {kind.label} connector "
                f"{connector_id!r}. Disable it with MODELMESH_DISABLE_PLUGINS=NAME. List the names: modelmesh connectors"
            )
            raise ConnectorLoadError(message, connector_id=connector_id) from error
        registered = provided or CONNECTOR_REGISTRY.get(connector_id) or CONNECTOR_REGISTRY.get(name)
        if registered is not None:
            return _checked(registered, kind, connector_id, lambda: "this process", where)
        found = self.catalog.find(kind, connector_id)
        if found is None:
            raise self._unknown(kind, connector_id, name, where)
        loaded = _load(found, kind, where)
        attribution.register_owner(loaded, connector_id, lambda: found.distribution)
        checked = _checked(loaded, kind, connector_id, lambda: found.distribution, where)
        _check_id(checked, kind, found, where)
        return checked

    def _unknown(self, kind: Kind, connector_id: str, name: str, where: str) -> UnknownConnectorError:
        installed = self.catalog.ids(kind)
        hint, nearest = self._next_step(kind, connector_id, name)
        message = (
            f"{_at(where)}no {kind.label} connector {connector_id!r} is installed. "
            f"Installed: {', '.join(installed) or 'none'}. {hint}"
        )
        return UnknownConnectorError(message, connector_id=connector_id, details={"nearest": nearest} if nearest else {})

    def _next_step(self, kind: Kind, connector_id: str, name: str) -> tuple[str, str | None]:
        """Return what to do about an unknown ID, and the most similar known ID where only the spelling is wrong."""
        published = distribution_for(connector_id, kind)
        hint = self._registration_hint(kind, connector_id, name, is_published=published is not None)
        if hint is not None:
            return hint, None
        if published:
            return f"Install it: pip install {published}", None
        if connector_id in unreleased(kind):
            return "Its connector is not released yet. Name another one, or write your own", None
        short_names = STRATEGIES if kind is Kind.STRATEGY else ()
        known = [*self.catalog.ids(kind), *short_names]
        near = most_similar(name, known) or most_similar(connector_id, known)
        hint = f"Did you mean {near!r}? " if near else ""
        if short_names:
            hint += f"The eight are: {', '.join(short_names)}. "
        return f"{hint}List what is installed: modelmesh connectors", near

    def _registration_hint(self, kind: Kind, connector_id: str, name: str, *, is_published: bool) -> str | None:
        """Return how to correct a distribution that registers the ID in a wrong way, ``None`` when none does."""
        misplaced = [(found, group) for found, group in self.catalog.near_miss_groups() if found.name in (connector_id, name)]
        if misplaced:
            found, group = misplaced[0]
            return f"{_near_miss(found, group)} Correct it in the pyproject.toml of {found.owner[0]}, and install that again"
        other = next((one for one in Kind if one is not kind and self.catalog.has(one, connector_id)), None)
        if other is not None:
            return f"It is installed as a {other.label} connector, in the group {other.group!r}. List them: modelmesh connectors"
        misnamed = (
            None if is_published else next((one for one in self.catalog.of_kind(kind) if not ConnectorId.is_one(one.name)), None)
        )
        if misnamed is None:
            return None
        return (
            f"{misnamed.distribution} registers {misnamed.name!r} = {misnamed.value!r}, but an entry point's name must be an ID, "
            f"e.g. 'groq.api.v1'. Correct it in the pyproject.toml of {misnamed.owner[0]}, and install that again"
        )


def _at(where: str) -> str:
    return f"{where}: " if where else ""


def _near_miss(found: PluginEntry, group: str) -> str:
    return f"{found.name!r} is registered by {found.distribution} in the group {found.point.group!r}, but the group is {group!r}."


def _load(found: PluginEntry, kind: Kind, where: str) -> Any:
    """Import the object of an entry point.

    Raises:
        ConnectorLoadError: The import failed.
    """
    try:
        return found.point.load()
    except (Exception, SystemExit) as error:
        dist = found.owner[0]
        place = attribution.locate_exception(error, module=found.module)
        missing = error.name if isinstance(error, ModuleNotFoundError) else None
        summary = attribution.summarize(error)
        if missing and (missing == found.module or found.module.startswith(f"{missing}.")):
            why = f"its entry point is {found.name!r} = {found.value!r}, but there is no module {missing!r}"
            reinstall = f"pip install --force-reinstall {dist}"
            hint = f"Correct the entry point in the pyproject.toml of {dist}, or reinstall it: {reinstall}"
        elif missing:
            why = f"it imports {missing!r}, which is not installed: {summary}"
            hint = (
                f"Install what it needs: pip install --force-reinstall {dist}. For its author: name the distribution of "
                f"{missing!r} under dependencies in pyproject.toml"
            )
        elif isinstance(error, AttributeError) and place is None:
            why = f"its entry point is {found.name!r} = {found.value!r}: {summary}"
            hint = f"Correct the entry point in the pyproject.toml of {dist}, and install that again"
        else:
            why = summary
            editable = place is not None and "site-packages" not in place
            hint = "Correct it at that line" if editable else f"Reinstall it: pip install --force-reinstall {dist}"
        at = f" (at {place})" if place else ""
        message = (
            f"{_at(where)}the {kind.label} connector {found.name!r} of {found.distribution} cannot be imported{at}: {why}. {hint}"
        )
        raise ConnectorLoadError(message, connector_id=found.name, distribution=found.distribution) from error


def _checked(cls: Any, kind: Kind, connector_id: str, owner: Callable[[], str], where: str) -> type[Any]:
    mistake = contract_error(cls, kind)
    if mistake:
        message = f"{_at(where)}the {kind.label} connector {connector_id!r} of {owner()} is invalid: {mistake}"
        raise ConnectorLoadError(message, connector_id=connector_id, distribution=owner())
    warn_of_misspelt_hooks(cls, kind, owner)
    return cls  # type: ignore[no-any-return]


def _check_id(cls: Any, kind: Kind, found: PluginEntry, where: str) -> None:
    stated = getattr(cls, "id", None)
    if stated == found.name and ConnectorId.is_one(stated):
        return
    place = attribution.locate_definition(cls) if inspect.isclass(cls) else found.value
    name = getattr(cls, "__qualname__", found.value)
    own = inspect.isclass(cls) and any(
        "id" in vars(one) for one in cls.__mro__ if one.__module__.partition(".")[0] not in attribution.OWN_PACKAGES
    )
    if not ConnectorId.is_one(found.name):
        rule = f"the entry point's name {found.name!r} is not an ID such as 'groq.api.v1'. Correct pyproject.toml"
    elif not own:
        rule = f"class {name} has no id of its own. Add to it: id = {found.name!r}"
    else:
        rule = f"class {name} has id = {stated!r}, but its entry point {found.name!r}. Change one so that they are equal"
    message = f"{_at(where)}the {kind.label} connector {found.name!r} of {found.distribution} is invalid: {place}: {rule}"
    raise ConnectorLoadError(message, connector_id=found.name, distribution=found.distribution)


def build(cls: Callable[..., Any], config: Mapping[str, Any], connector_id: str) -> Any:
    """Create a connector from its class.

    ``from_config(config)`` is called if the class has it. Otherwise the class is called with the configuration, or without
    arguments if it accepts none.

    Raises:
        ConnectorLoadError: The class raised an exception.
    """
    try:
        from_config = getattr(cls, "from_config", None)
        if from_config is not None:
            return from_config(config)
        return cls(dict(config)) if _takes_config(cls) else cls()
    except ModelMeshError:
        raise
    except Exception as error:  # noqa: BLE001 - a plugin may raise anything; the error names it
        place = attribution.locate_exception(error, cls)
        _, owner = attribution.identify(cls)
        described = f"{connector_id!r}{f' of {owner}' if owner else ''} ({place or attribution.locate_definition(cls)})"
        message = (
            f"the connector {described} cannot be built from its configuration: {attribution.summarize(error, config)}. "
            "from_config(settings), or the class called with the settings as one map, must return the connector, and raise "
            "ConfigurationError for a missing or invalid setting"
        )
        raise ConnectorLoadError(message, connector_id=connector_id, distribution=owner) from error.with_traceback(None)


def build_at(
    where: str,
    cls: Callable[..., Any],
    config: Mapping[str, Any],
    connector_id: str,
    place_of: Callable[[str], str] | None = None,
) -> Any:
    """Create a connector from its class. An error begins with the position in the configuration.

    Args:
        where: Position of the connector's ID.
        cls: Class of the connector.
        config: Settings of the connector.
        connector_id: ID of the connector, for messages.
        place_of: Returns the position of a setting. An error with a setting as its ``where`` begins with that position.

    Raises:
        ModelMeshError: The class rejected its settings, or raised another exception.
    """
    try:
        return build(cls, config, connector_id)
    except ModelMeshError as error:
        named = (error.where or "").rpartition(".")[2] if isinstance(error, ConfigurationError) else ""
        if place_of is not None and named in config:
            where = place_of(named)
        if not error.message.startswith(where):
            error.message = f"{where}: {error.message}"
        if isinstance(error, ConfigurationError):
            error.where = where
        raise


def _takes_config(cls: Callable[..., Any]) -> bool:
    try:
        parameters = inspect.signature(cls).parameters.values()
    except (TypeError, ValueError):
        return False
    return any(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD, p.VAR_POSITIONAL) for p in parameters)
