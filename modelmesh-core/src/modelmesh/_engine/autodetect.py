"""Detection of providers by environment variables, without an import of any connector."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen

from modelmesh._engine.foundation.ids import ConnectorId, Kind
from modelmesh._engine.foundation.secret import Secret
from modelmesh._engine.foundation.suggestions import did_you_mean
from modelmesh._engine.plugins.aliases import canonical_id
from modelmesh._engine.plugins.catalog import Catalog, PluginEntry
from modelmesh._engine.plugins.known_distributions import distribution_for, provider_name, variables
from modelmesh._engine.plugins.local_models import how_to_install, local_models, models_for
from modelmesh.errors import ConfigurationError, NoProvidersError, UnknownConnectorError

NO_KEYS = "No API keys found. Set at least one provider API key as an environment variable."


@frozen
class DetectedProvider:
    """One provider to use.

    Attributes:
        name: Provider name, which becomes its key in the configuration.
        connector_id: ID of its connector.
        api_key: The key. ``None`` if the provider needs no key or its variable holds an address.
        base_url: The address, when the variable holds one.
        options: Further options from the caller.
        embedded: Whether the provider needs no key, and is used for the capabilities that no other provider has.
    """

    name: str
    connector_id: str
    api_key: Secret | None = None
    base_url: str | None = None
    options: Mapping[str, Any] = {}
    embedded: bool = False


def detect(
    catalog: Catalog,
    *,
    providers: Sequence[str] | None = None,
    api_keys: Mapping[str, Secret] | None = None,
    own_keys: Mapping[str, Secret] | None = None,
    environ: Mapping[str, str] | None = None,
    capabilities: Sequence[str] = (),
) -> list[DetectedProvider]:
    """Find providers by their environment variables, in the order of the published table, then by name.

    Args:
        catalog: Installed connectors.
        providers: Names of the providers to keep. ``None`` keeps all.
        api_keys: Keys by provider name. If given, only these providers are used.
        own_keys: Keys by provider name that replace the variables of these providers.
        environ: The environment, by default that of the process.
        capabilities: Requested capabilities, for the error.

    Raises:
        NoProvidersError: No provider is left.
        UnknownConnectorError: The connector of a named provider is not installed.
        ConfigurationError: A named provider has no key, or does not exist.
    """
    detection = _Detection(catalog, os.environ if environ is None else environ, api_keys)
    found = detection.candidates()
    if own_keys:
        found = detection.with_own_keys(found, own_keys)
    if providers is not None:
        found = detection.keep(found, [canonical_id(name, Kind.PROVIDER) for name in providers])
    elif not found and not detection.missing and api_keys is None:
        found = embedded(catalog)
    if not found:
        raise detection.nothing_found(capabilities)
    return found


def embedded(catalog: Catalog) -> list[DetectedProvider]:
    """Return the providers that need no key, the one with the shortest ID first: it is the most general one."""
    entries = sorted(catalog.embedded(), key=lambda entry: (len(entry.name), entry.name))
    return [DetectedProvider(_embedded_name(entry), entry.name, embedded=True) for entry in entries]


def nothing_detected(catalog: Catalog, why: str, capabilities: Sequence[str] = ()) -> NoProvidersError:
    """Return the error for a process without providers and without a ready embedded model.

    Args:
        catalog: Installed connectors.
        why: Why no installed embedded model serves the request.
        capabilities: Requested capabilities.
    """
    error = _Detection(catalog, {}).nothing_found(capabilities)
    own = {one.connector for one in local_models()}
    serving = {one.connector for one in models_for(capabilities)}
    if any(entry.name in serving or entry.name not in own for entry in catalog.embedded()):
        error.add_note(f"The embedded model is not ready: {why}")
    else:
        error.add_note(f"The installed models that need no key do not serve {', '.join(capabilities)}.")
    return error


class _Detection:
    """One search for providers in one environment.

    Attributes:
        missing: Variables that are set and the IDs of their connectors, which are not installed.
    """

    def __init__(self, catalog: Catalog, environ: Mapping[str, str], api_keys: Mapping[str, Secret] | None = None) -> None:
        self._catalog = catalog
        self._environ = environ
        self._api_keys = api_keys
        self._known = _known_variables(catalog)
        self._installed = frozenset(entry.name for entry in catalog.of_kind(Kind.PROVIDER))
        self.missing = [row for row in self._known if self._is_set(row[0]) and row[1] not in self._installed]

    def _is_set(self, variable: str) -> bool:
        return bool(self._environ.get(variable, "").strip())

    def candidates(self) -> list[DetectedProvider]:
        """Return the providers of ``api_keys`` if given, else those with a variable that is set."""
        if self._api_keys is not None:
            return [self._by_key(name, key) for name, key in self._api_keys.items()]
        found: dict[str, DetectedProvider] = {}
        for variable, connector_id in self._known:
            if self._is_set(variable) and connector_id in self._installed and connector_id not in found:
                found[connector_id] = _detected(variable, connector_id, self._environ[variable].strip())
        return _uniquely_named(list(found.values()))

    def with_own_keys(self, found: Sequence[DetectedProvider], own_keys: Mapping[str, Secret]) -> list[DetectedProvider]:
        """Return the providers with the caller's keys in place of their variables."""
        given = {one.connector_id: one for one in (self._by_key(name, key) for name, key in own_keys.items())}
        replaced = [given.pop(one.connector_id, one) for one in found]
        return [*replaced, *given.values()]

    def keep(self, found: Sequence[DetectedProvider], names: Sequence[str]) -> list[DetectedProvider]:
        """Return the named providers, including embedded ones.

        Raises:
            ConfigurationError: A named provider was not found.
        """
        every = list(found)
        for name in names:
            if not any(name in (one.name, one.connector_id) for one in every):
                every.append(self._embedded(name))
        return [one for one in every if one.name in names or one.connector_id in names]

    def _embedded(self, name: str) -> DetectedProvider:
        for entry in self._catalog.embedded():
            if name in (entry.name, _embedded_name(entry)):
                return DetectedProvider(_embedded_name(entry), entry.name)
        raise self._not_found(name)

    def _by_key(self, name: str, key: Secret) -> DetectedProvider:
        name = canonical_id(name, Kind.PROVIDER)
        by_name = {provider_name(cid): cid for _, cid in reversed(self._known)}
        by_name |= {provider_name(cid): cid for cid in self._installed if provider_name(cid) not in by_name}
        connector_id = name if name in self._installed else by_name.get(name) or dict(self._known).get(name)
        if connector_id is None:
            hint = did_you_mean(name, by_name)
            message = f"api_keys: unknown provider {name!r}.{hint} Known: {', '.join(by_name)}."
            raise ConfigurationError(message, where=f"api_keys[{name!r}]")
        if connector_id not in self._installed:
            raise _not_installed(connector_id)
        return DetectedProvider(provider_name(connector_id), connector_id, api_key=key)

    # -- errors -----------------------------------------------------------------------------------------------------

    def _not_found(self, name: str) -> ConfigurationError:
        own = [row for row in self._known if name in (provider_name(row[1]), row[1])]
        if not own:
            names = dict.fromkeys(provider_name(cid) for _, cid in self._known)
            message = f"providers: unknown provider {name!r}.{did_you_mean(name, names)} Known: {', '.join(names)}."
            return ConfigurationError(message, where="providers")
        variable, connector_id = own[0]
        if connector_id not in self._installed:
            return _not_installed(connector_id)
        if self._api_keys is not None:
            message = f"providers: api_keys has no key for {name!r}. Add api_keys={{{name!r}: …}}."
        else:
            message = f"providers: no key is set for {name!r}. Set it: export {variable}=…"
        return NoProvidersError(message, where="providers")

    def nothing_found(self, capabilities: Sequence[str] = ()) -> NoProvidersError:
        """Return the error for an environment without a usable provider."""
        if self.missing:
            return self._connectors_missing()
        orphans = [entry for entry in self._catalog.orphan_variables() if self._is_set(entry.name)]
        if orphans:
            return _orphaned(orphans[0])
        error = NoProvidersError(NO_KEYS)
        searched = [variable for variable, cid in self._known if cid in self._installed]
        listed = ", ".join(searched) or "nothing, as no provider connector is installed"
        error.add_note(f"No providers detected. Looked for: {listed}.")
        install = how_to_install(capabilities or (_DEFAULT_CAPABILITY,))
        instead = f" Or run a small model without any key: {install}" if install else ""
        error.add_note(f"For example: export OPENAI_API_KEY=…{instead}")
        return error

    def _connectors_missing(self) -> NoProvidersError:
        (variable, connector_id), *others = self.missing
        likewise = "".join(f" Likewise {name}: pip install {distribution_for(cid, Kind.PROVIDER)}." for name, cid in others)
        message = (
            f"{variable} is set, but the connector {connector_id!r} is not installed. "
            f"Install it: pip install {distribution_for(connector_id, Kind.PROVIDER)}.{likewise}"
        )
        return NoProvidersError(message)


def _known_variables(catalog: Catalog) -> list[tuple[str, str]]:
    """Return variables with their connector IDs: the published table first, then those that plugins register."""
    registered = {entry.name: provider.name for entry in catalog.variables() if (provider := catalog.provider_at(entry.value))}
    ordered = [(variable, registered.pop(variable, cid)) for variable, cid in variables().items()]
    return [*ordered, *sorted(registered.items())]


def _embedded_name(entry: PluginEntry) -> str:
    return ConnectorId.parse(entry.name).provider_name


def _detected(variable: str, connector_id: str, value: str) -> DetectedProvider:
    name = provider_name(connector_id)
    if variable.endswith("_HOST"):
        return DetectedProvider(name, connector_id, base_url=value)  # the connector adds a missing scheme or port
    return DetectedProvider(name, connector_id, api_key=Secret(value, source=variable))


def _uniquely_named(found: list[DetectedProvider]) -> list[DetectedProvider]:
    """Name the second connector of a vendor by its ID, because names must be unique."""
    taken: set[str] = set()
    named = []
    for one in found:
        name = one.connector_id if one.name in taken else one.name
        taken.add(name)
        named.append(DetectedProvider(name, one.connector_id, one.api_key, one.base_url, one.options))
    return named


def _not_installed(connector_id: str) -> UnknownConnectorError:
    distribution = distribution_for(connector_id, Kind.PROVIDER)
    message = f"no provider connector {connector_id!r} is installed. Install it: pip install {distribution}"
    return UnknownConnectorError(message, connector_id=connector_id)


def _orphaned(entry: PluginEntry) -> NoProvidersError:
    message = (
        f"{entry.name} is set, but detects no provider: {entry.distribution} registers it for {entry.value!r}, which no entry "
        f"point in 'modelmesh.providers' names. Correct the pyproject.toml of {entry.owner[0]} and install it again: "
        "modelmesh connectors"
    )
    return NoProvidersError(message)


_DEFAULT_CAPABILITY = "chat-completion"
