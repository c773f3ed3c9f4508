"""Which providers the environment has keys for, without importing any of them."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen

from modelmesh._engine.foundation.ids import ConnectorId, Kind
from modelmesh._engine.foundation.secret import Secret
from modelmesh._engine.foundation.suggestions import did_you_mean
from modelmesh._engine.plugins.aliases import canonical_id
from modelmesh._engine.plugins.catalog import Catalog, PluginEntry
from modelmesh._engine.plugins.published import distribution_for, provider_name, variables
from modelmesh.errors import ConfigurationError, NoProvidersError, UnknownConnectorError

NO_KEYS = "No API keys found. Set at least one provider API key as an environment variable."


@frozen
class Detected:
    """One provider to use.

    Attributes:
        name: Provider name, its key in the configuration that is made of it.
        connector_id: ID of its connector.
        api_key: The key, ``None`` for a provider that needs none or whose variable is an address.
        base_url: The address, when its variable holds one.
        options: What the caller said beyond the key.
        embedded: Whether it was taken because nothing else was found.
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
) -> list[Detected]:
    """Find providers by their variables, in the order of the published table, then by name.

    Args:
        catalog: What is installed.
        providers: Names to keep; ``None`` keeps all.
        api_keys: Keys by provider name; when given, only these providers are used.
        own_keys: Keys by provider name that stand in for these providers' variables.
        environ: The environment, by default the process's own.

    Raises:
        NoProvidersError: Nothing is left.
        UnknownConnectorError: A provider that was named is not installed.
        ConfigurationError: A provider that was named has no key, or is none.
    """
    environ = os.environ if environ is None else environ
    known = _known(catalog)
    providers = None if providers is None else [canonical_id(name, Kind.PROVIDER) for name in providers]
    installed = {found.name for found in catalog.all() if found.kind is Kind.PROVIDER}
    if api_keys is not None:
        found = [_by_key(name, key, known, installed) for name, key in api_keys.items()]
    else:
        found = _by_variable(known, installed, environ)
    if own_keys:
        given = {one.connector_id: one for one in (_by_key(name, key, known, installed) for name, key in own_keys.items())}
        found = [given.pop(one.connector_id, one) for one in found] + list(given.values())
    missing = [(variable, cid) for variable, cid in known if environ.get(variable, "").strip() and cid not in installed]
    if providers is not None:
        wanted = set(providers)
        for name in providers:
            if not any(name in (d.name, d.connector_id) for d in found):
                keyless = _embedded(catalog, name)
                if keyless is not None:
                    found.append(keyless)
                else:
                    raise _not_there(name, known, installed, api_keys)
        found = [d for d in found if d.name in wanted or d.connector_id in wanted]
    if not found and not missing and api_keys is None and providers is None:
        found = [Detected(ConnectorId.parse(point.name).provider_name, point.name, embedded=True) for point in catalog.embedded()]
    if not found:
        orphans = [one for one in catalog.orphan_variables() if environ.get(one.name, "").strip()]
        raise _nothing(known, installed, missing) if missing or not orphans else _orphaned(orphans[0])
    return found


def nothing_detected(catalog: Catalog, why: str) -> NoProvidersError:
    """The error where only the embedded model was left, and that is not ready either."""
    installed = {found.name for found in catalog.all() if found.kind is Kind.PROVIDER}
    error = _nothing(_known(catalog), installed, [])
    error.add_note(f"The embedded model is not ready: {why}")
    return error


def _known(catalog: Catalog) -> list[tuple[str, str]]:
    """Variables and the IDs they stand for: the published order first, then what third parties registered."""
    registered = {point.name: at.name for point in catalog.variables() if (at := catalog.provider_at(point.value))}
    ordered = [(variable, registered.pop(variable, cid)) for variable, cid in variables().items()]
    return [*ordered, *sorted(registered.items())]


def _by_variable(known: list[tuple[str, str]], installed: set[str], environ: Mapping[str, str]) -> list[Detected]:
    found: dict[str, Detected] = {}
    for variable, connector_id in known:
        value = environ.get(variable, "").strip()
        if value and connector_id in installed and connector_id not in found:
            found[connector_id] = _detected(variable, connector_id, value)
    return _uniquely_named(list(found.values()))


def _detected(variable: str, connector_id: str, value: str) -> Detected:
    name = provider_name(connector_id)
    if variable.endswith("_HOST"):
        return Detected(name, connector_id, base_url=value)  # what a missing scheme or port means, the connector knows
    return Detected(name, connector_id, api_key=Secret(value, source=variable))


def _uniquely_named(found: list[Detected]) -> list[Detected]:
    """Two connectors of one vendor cannot both be ``vendor``: the later ones go by their ID."""
    taken: set[str] = set()
    named = []
    for one in found:
        name = one.connector_id if one.name in taken else one.name
        taken.add(name)
        named.append(Detected(name, one.connector_id, one.api_key, one.base_url, one.options))
    return named


def _by_key(name: str, key: Secret, known: list[tuple[str, str]], installed: set[str]) -> Detected:
    name = canonical_id(name, Kind.PROVIDER)
    by_name = {provider_name(cid): cid for _, cid in reversed(known)}
    by_name |= {provider_name(cid): cid for cid in installed if provider_name(cid) not in by_name}
    connector_id = name if name in installed else by_name.get(name) or dict(known).get(name)
    if connector_id is None:
        message = (
            f"api_keys names the provider {name!r}, which is unknown.{did_you_mean(name, by_name)} Known: {', '.join(by_name)}"
        )
        raise ConfigurationError(message, where=f"api_keys[{name!r}]")
    if connector_id not in installed:
        raise _not_installed(connector_id)
    return Detected(provider_name(connector_id), connector_id, api_key=key)


def _embedded(catalog: Catalog, name: str) -> Detected | None:
    for point in catalog.embedded():
        if name in (point.name, ConnectorId.parse(point.name).provider_name):
            return Detected(ConnectorId.parse(point.name).provider_name, point.name)
    return None


def _not_installed(connector_id: str) -> UnknownConnectorError:
    distribution = distribution_for(connector_id, Kind.PROVIDER)
    message = f"no provider connector {connector_id!r} is installed. Install it: pip install {distribution}"
    return UnknownConnectorError(message, connector_id=connector_id)


def _not_there(
    name: str,
    known: list[tuple[str, str]],
    installed: set[str],
    api_keys: Mapping[str, Secret] | None,
) -> ConfigurationError:
    mine = [(variable, cid) for variable, cid in known if name in (provider_name(cid), cid)]
    if not mine:
        names = dict.fromkeys(provider_name(cid) for _, cid in known)
        message = f"providers names {name!r}, which is unknown.{did_you_mean(name, names)} Known: {', '.join(names)}"
        return ConfigurationError(message, where="providers")
    variable, connector_id = mine[0]
    if connector_id not in installed:
        return _not_installed(connector_id)
    if api_keys is not None:
        message = f"providers names {name!r}, for which api_keys has no key; add api_keys={{{name!r}: …}}"
    else:
        message = f"providers names {name!r}, for which there is no key; set it: export {variable}=…"
    return NoProvidersError(message, where="providers")


def _orphaned(point: PluginEntry) -> NoProvidersError:
    dist = point.distribution
    message = (
        f"{point.name} is set, and {dist} registers it for {point.value!r}, which no entry point in 'modelmesh.providers' names, "
        f"so it detects nobody. Correct the pyproject.toml of {point.owner[0]}, and install that again: modelmesh connectors"
    )
    return NoProvidersError(message)


def _local_install(installed: set[str]) -> str:
    """Return what to type for the embedded model; the command belongs to its connector, and the shell command to an extra."""
    if _LOCAL in installed and importlib.util.find_spec("click") is not None:
        return "modelmesh local install"
    return f'pip install "modelmesh-core[cli]" {distribution_for(_LOCAL, Kind.PROVIDER)}, then: modelmesh local install'


_LOCAL = "modelmesh.local.v1"


def _nothing(known: list[tuple[str, str]], installed: set[str], missing: list[tuple[str, str]]) -> NoProvidersError:
    if missing:
        variable, connector_id = missing[0]
        others = "".join(f" Likewise {name}: pip install {distribution_for(cid, Kind.PROVIDER)}." for name, cid in missing[1:])
        message = (
            f"{variable} is set, but the connector {connector_id!r} is not installed. "
            f"Install it: pip install {distribution_for(connector_id, Kind.PROVIDER)}.{others}"
        )
        return NoProvidersError(message)
    error = NoProvidersError(NO_KEYS)
    looked = [variable for variable, cid in known if cid in installed]
    error.add_note(f"No providers detected. Looked for: {', '.join(looked) or 'nothing, as no provider connector is installed'}.")
    error.add_note(f"For example: export OPENAI_API_KEY=… Or run a small model without any key: {_local_install(installed)}")
    return error
