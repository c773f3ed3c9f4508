"""From an ID in the configuration to a class, and from a class to an object."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

import pluggy

from modelmesh.errors import ConnectorLoadError, ModelMeshError, UnknownConnectorError
from modelmesh.ids import Kind
from modelmesh.registry.aliases import STRATEGIES, canonical_id
from modelmesh.registry.catalog import Catalog
from modelmesh.registry.in_process import CONNECTOR_REGISTRY
from modelmesh.registry.plugins import load_plugins
from modelmesh.registry.published import distribution_for

# What a class of each kind must be able to do; checked when it is loaded, so that the error names the plugin.
REQUIRED: dict[Kind, tuple[str, ...]] = {
    Kind.PROVIDER: ("models", "send", "asend"),
    Kind.STRATEGY: ("select",),
    Kind.SECRET_STORE: ("get",),
    Kind.OBSERVABILITY: ("emit", "log"),
    Kind.STORAGE: ("load", "save"),
    Kind.DISCOVERY: ("sync", "probe"),
}


class Resolver:
    """Answers IDs for one mesh: hook plugins first, then in-process registration, then what is installed."""

    def __init__(self, catalog: Catalog | None = None) -> None:
        self.catalog = catalog or Catalog.scan()
        self._hooks: tuple[pluggy.PluginManager, dict[str, str]] | None = None
        self._resolved: dict[tuple[Kind, str], type[Any]] = {}

    @property
    def plugins(self) -> pluggy.PluginManager:
        """The hook modules, loaded at the first use."""
        if self._hooks is None:
            self._hooks = load_plugins(self.catalog)
        return self._hooks[0]

    @property
    def plugins_left_out(self) -> dict[str, str]:
        """Hook modules that are installed and not loaded, with the reason."""
        _ = self.plugins
        return self._hooks[1] if self._hooks else {}

    def resolve(self, kind: Kind, name: str, where: str = "") -> type[Any]:
        """Return the class of an ID.

        Args:
            kind: Which kind is wanted.
            name: The ID, an alias of it, or a strategy's short name.
            where: Where it was named, for messages.

        Raises:
            UnknownConnectorError: Nothing provides it.
            DuplicateConnectorError: Two distributions do.
            ConnectorLoadError: It cannot be imported, or is not what it says it is.
        """
        connector_id = canonical_id(name, kind)
        known = self._resolved.get((kind, connector_id))
        if known is None:
            known = self._resolved[kind, connector_id] = self._look_up(kind, connector_id, name, where)
        return known

    def _look_up(self, kind: Kind, connector_id: str, name: str, where: str) -> type[Any]:
        try:
            answered = self.plugins.hook.modelmesh_resolve_connector(kind=kind, connector_id=connector_id)
        except Exception as error:
            message = (
                f"{_at(where)}a plugin raised {type(error).__name__}: {error} when it was asked for the {kind.label} connector "
                f"{connector_id!r}. Switch it off with MODELMESH_DISABLE_PLUGINS=NAME; modelmesh connectors lists the names."
            )
            raise ConnectorLoadError(message, connector_id=connector_id) from error
        registered = answered or CONNECTOR_REGISTRY.get(connector_id) or CONNECTOR_REGISTRY.get(name)
        if registered is not None:
            return _checked(registered, kind, connector_id, "this process")
        found = self.catalog.find(kind, connector_id)
        if found is None:
            raise self._unknown(kind, connector_id, name, where)
        try:
            loaded = found.point.load()
        except Exception as error:
            message = (
                f"{_at(where)}the {kind.label} connector {connector_id!r} of {found.distribution} cannot be imported: "
                f"{type(error).__name__}: {error}. Reinstall it: pip install --force-reinstall {found.distribution.split()[0]}"
            )
            raise ConnectorLoadError(message, connector_id=connector_id, distribution=found.distribution) from error
        return _checked(loaded, kind, connector_id, found.distribution)

    def _unknown(self, kind: Kind, connector_id: str, name: str, where: str) -> UnknownConnectorError:
        installed = self.catalog.ids(kind)
        published = distribution_for(connector_id, kind)
        if published:
            hint = f"Install it: pip install {published}"
        else:
            known = [*installed, *(STRATEGIES if kind is Kind.STRATEGY else ())]
            near = get_close_matches(name, known, n=1, cutoff=0.6) or get_close_matches(connector_id, known, n=1, cutoff=0.6)
            hint = f"Did you mean {near[0]!r}? " if near else ""
            if kind is Kind.STRATEGY:
                hint += f"The eight are: {', '.join(STRATEGIES)}. "
            hint += "List what is installed: modelmesh connectors"
        message = (
            f"{_at(where)}no {kind.label} connector {connector_id!r} is installed. "
            f"Installed: {', '.join(installed) or 'none'}. {hint}"
        )
        return UnknownConnectorError(message, connector_id=connector_id)


def _at(where: str) -> str:
    return f"{where}: " if where else ""


def _checked(cls: Any, kind: Kind, connector_id: str, owner: str) -> type[Any]:
    missing = [name for name in REQUIRED[kind] if not callable(getattr(cls, name, None))]
    if missing:
        message = (
            f"the {kind.label} connector {connector_id!r} of {owner} is {cls!r}, which lacks {', '.join(missing)}. "
            f"A {kind.label} connector must have {', '.join(REQUIRED[kind])}; see modelmesh.contracts."
        )
        raise ConnectorLoadError(message, connector_id=connector_id, distribution=owner)
    return cls  # type: ignore[no-any-return]


def build(cls: Callable[..., Any], config: Mapping[str, Any], connector_id: str) -> Any:
    """Make an object of a connector class.

    ``from_config(config)`` is used when the class has it; otherwise the class is called with the merged
    configuration, or with nothing when it takes nothing.

    Raises:
        ConnectorLoadError: The class raised.
    """
    try:
        from_config = getattr(cls, "from_config", None)
        if from_config is not None:
            return from_config(config)
        return cls(dict(config)) if _takes_config(cls) else cls()
    except ModelMeshError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a plugin raises, it is named
        message = (
            f"the connector {connector_id!r} ({getattr(cls, '__module__', '?')}) cannot be built from its configuration: "
            f"{type(error).__name__}: {error}"
        )
        raise ConnectorLoadError(message, connector_id=connector_id) from error.with_traceback(None)


def _takes_config(cls: Callable[..., Any]) -> bool:
    try:
        parameters = inspect.signature(cls).parameters.values()
    except (TypeError, ValueError):
        return False
    return any(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD, p.VAR_POSITIONAL) for p in parameters)
