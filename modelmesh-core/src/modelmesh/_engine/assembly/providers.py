"""Providers of one mesh: lookup by any of their names, and shutdown."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from modelmesh._engine.assembly.provider_entry import ProviderEntry
from modelmesh._engine.config.problems import UncheckableError
from modelmesh._engine.config.source_map import KeyPath
from modelmesh._engine.foundation.ids import Kind
from modelmesh._engine.foundation.suggestions import did_you_mean
from modelmesh._engine.plugins import attribution
from modelmesh._engine.plugins.aliases import canonical_id
from modelmesh.errors import ConfigurationError

_log = logging.getLogger("modelmesh")

_ENTRY = 3
"""Length of the path of a key within an entry. A shorter path is an entry or the whole section."""


class Providers:
    """The providers of one mesh, with lookup by any of their names.

    Attributes:
        is_complete: Whether every provider was built and listed its models. If not, a missing model is not an error.
        broken: Names of providers that could not be built.
        invalid: Canonical paths of invalid entries and keys of the configuration.
        by_key: Providers by their keys.
        disabled: Names of disabled providers and of their models.
    """

    def __init__(
        self, providers: Mapping[str, ProviderEntry], broken: Iterable[str] = (), invalid: frozenset[KeyPath] = frozenset()
    ) -> None:
        self.broken, self.invalid = frozenset(broken), invalid
        self.disabled: frozenset[str] = frozenset()
        self.is_complete = not self.broken and not any(
            path[0] in ("providers", "models") and len(path) < _ENTRY for path in invalid
        )
        self.by_key: Mapping[str, ProviderEntry] = dict(providers)
        for key, entry in providers.items():  # a key means its own provider only, also before the name of a model
            entry.account.names = tuple(name for name in entry.account.names if name == key or name not in providers)

    def extended(self, entries: Iterable[ProviderEntry]) -> Providers:
        """Return these providers, followed by others."""
        made = Providers({**self.by_key, **{entry.key: entry for entry in entries}}, self.broken, self.invalid)
        made.disabled, made.is_complete = self.disabled, self.is_complete
        return made

    def __iter__(self) -> Any:
        return iter(self.by_key.values())

    def __len__(self) -> int:
        return len(self.by_key)

    def matching(self, name: str) -> list[ProviderEntry]:
        """Return the providers that a reference means: by key, else by connector ID or provider name."""
        if name in self.by_key:
            return [self.by_key[name]]
        canonical = canonical_id(name, Kind.PROVIDER)
        return [entry for entry in self if entry.is_named(name) or entry.is_named(canonical)]

    def is_disabled(self, name: str) -> bool:
        """Return whether a name means a disabled provider or a model of one."""
        return any(name == one or name.startswith((f"{one}.", f"{one}/")) for one in self.disabled)

    def may_have(self, model: str) -> bool:
        """Return whether a model that no provider lists may belong to a provider with an unknown list."""
        return not self.is_complete and not any(
            model.startswith(f"{entry.key}{separator}") for entry in self for separator in "./"
        )

    def one(self, name: str, where: str) -> ProviderEntry:
        """Return the only provider that a reference means.

        Raises:
            ConfigurationError: The reference means no provider, or several.
        """
        found = self.matching(name)
        if len(found) == 1:
            return found[0]
        if not found and (name in self.broken or canonical_id(name, Kind.PROVIDER) in self.broken):
            raise UncheckableError(name)
        keys = ", ".join((*self.by_key, *sorted(self.broken - set(self.by_key)))) or "none"
        if found:
            message = f"{where}: {name!r} matches {len(found)} providers ({', '.join(e.key for e in found)}). Use the key of one."
        else:
            hint = did_you_mean(name, (*self.by_key, *self.broken))
            message = f"{where}: no provider {name!r} is configured.{hint} Configured: {keys}."
        raise ConfigurationError(message, where=where)


def close_providers(providers: Iterable[ProviderEntry]) -> None:
    """Close the connections of every provider. An exception is logged and stops nothing."""
    for entry in providers:
        close = getattr(entry.provider, "close", None)
        if close is not None:
            with _guarded(entry):
                close()


async def aclose_providers(providers: Iterable[ProviderEntry]) -> None:
    """Close the connections of every provider from a task, including those of this event loop."""
    for entry in providers:
        aclose = getattr(entry.provider, "aclose", None)
        if aclose is not None:
            with _guarded(entry):
                await aclose()
        close_providers([entry])


@contextmanager
def _guarded(entry: ProviderEntry) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # noqa: BLE001 - a connector may raise anything; shutdown continues
        _log.warning("could not close the provider %s: %s", entry.key, attribution.summarize(error, entry.provider))
