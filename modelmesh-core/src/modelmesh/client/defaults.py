"""Default options of the calls of one client, set by ``with_options``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import evolve, field, frozen

from modelmesh.client.extras import is_unset, names
from modelmesh.errors import ConfigurationError

_ELSEWHERE = {
    "api_key": "api_keys={…} of modelmesh.create(), or providers.<name>.api_key of the configuration",
    "base_url": "providers.<name>.base_url of the configuration",
    "organization": "providers.<name>.headers of the configuration",
    "project": "providers.<name>.headers of the configuration",
    "http_client": "providers.<name>.http_client of the configuration",
    "websocket_base_url": "providers.<name>.base_url of the configuration",
}
"""Places of the official SDK's account options. A pool has several accounts, so a client cannot set these options."""


@frozen
class Defaults:
    """Options of a call that does not set its own.

    Attributes:
        timeout: Seconds over all attempts, or an ``httpx.Timeout``. ``None`` applies the pool's limit.
        max_retries: Maximum retries of the same model. ``None`` applies the pool's policy.
        headers: Further request headers.
        query: Further query parameters.
        only_providers: Keys or names of the providers that may be tried. An empty tuple allows all.
        strict_parameters: Whether an unknown parameter of a call is an error.
    """

    timeout: Any = None
    max_retries: int | None = None
    headers: Mapping[str, str] = field(factory=dict)
    query: Mapping[str, Any] = field(factory=dict)
    only_providers: tuple[str, ...] = ()
    strict_parameters: bool = False

    def with_options(self, options: Mapping[str, Any]) -> Defaults:
        """Return a copy with other options.

        Raises:
            ConfigurationError: An option is unknown, or belongs to an account.
        """
        changes: dict[str, Any] = {}
        for name, value in options.items():
            if is_unset(value):
                continue
            if name == "timeout":
                changes["timeout"] = value
            elif name == "max_retries":
                changes["max_retries"] = _count(value)
            elif name == "only_providers":
                changes["only_providers"] = tuple(sorted(names(name, value)))
            elif name in ("default_headers", "extra_headers"):
                changes["headers"] = {**self.headers, **_map(name, value)}
            elif name == "set_default_headers":
                changes["headers"] = _map(name, value)
            elif name in ("default_query", "extra_query"):
                changes["query"] = {**self.query, **_map(name, value)}
            elif name == "set_default_query":
                changes["query"] = _map(name, value)
            else:
                raise _unknown(name)
        return evolve(self, **changes)

    def under(self, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the arguments of a call, with these options for the missing ones."""
        if self is NO_DEFAULTS or self is STRICT_DEFAULTS:
            return arguments
        merged = dict(arguments)
        if self.timeout is not None and merged.get("timeout") is None:
            merged["timeout"] = self.timeout
        if self.max_retries is not None:
            merged.setdefault("max_retries", self.max_retries)
        if self.only_providers:
            merged.setdefault("only_providers", self.only_providers)
        for name, own in (("extra_headers", self.headers), ("extra_query", self.query)):
            if own and isinstance(merged.get(name) or {}, Mapping):
                merged[name] = {**own, **(merged.get(name) or {})}
        return merged


def _map(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        message = f"with_options({name}=…): must be a map of names to values, not {type(value).__name__}"
        raise ConfigurationError(message)
    return dict(value)


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        message = f"with_options(max_retries={value!r}): must be a whole number of 0 or more"
        raise ConfigurationError(message)
    return value


def _unknown(name: str) -> ConfigurationError:
    where = _ELSEWHERE.get(name)
    if where is not None:
        return ConfigurationError(f"with_options({name}=…): a pool has several accounts. Set this option in {where}.")
    known = "timeout, max_retries, only_providers, default_headers, default_query, set_default_headers, set_default_query"
    return ConfigurationError(f"with_options() has no option {name!r}. Its options are: {known}.")


NO_DEFAULTS = Defaults()
STRICT_DEFAULTS = Defaults(strict_parameters=True)
