"""HTTP clients of the caller: which one serves threads and which one serves event loops."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from attrs import frozen

from modelmesh.errors import ConfigurationError
from modelmesh_cdk.transport.client_library import kind_of_client

if TYPE_CHECKING:
    from modelmesh_cdk.provider.config import BaseProviderConfig

_log = logging.getLogger("modelmesh.transport")


@frozen
class CallersClients:
    """The clients of the caller, ``None`` where the provider opens its own connections.

    Attributes:
        sync: Client of threads.
        asynchronous: Client of event loops.
    """

    sync: Any = None
    asynchronous: Any = None

    @property
    def given(self) -> bool:
        """Whether the caller gave a client."""
        return self.sync is not None or self.asynchronous is not None

    def warn_if_bypassed(self, provider_id: str, *, asynchronous: bool) -> None:
        """Log that a provider opens its own connections although the caller gave a client of the other kind."""
        if self.given:
            kind, needed = ("asyncio", "an AsyncClient") if asynchronous else ("threads", "a Client")
            _log.warning(
                "the requests of %s to %s do not use the http_client of its settings, which is of the other kind. "
                "Give %s too: http_client and http_async_client accept one of each kind",
                kind,
                provider_id,
                needed,
            )


def find_callers_clients(provider_id: str, config: BaseProviderConfig) -> CallersClients:
    """Return the clients of the settings.

    Raises:
        ConfigurationError: A client is of another class, both are of the same kind, or ``transport: fast`` excludes clients.
    """
    found: dict[bool, Any] = {}
    for name in ("http_client", "http_async_client"):
        client = getattr(config, name)
        if client is None:
            continue
        kind = kind_of_client(client)
        if kind is None or (name == "http_async_client" and not kind[1]):
            wanted = "an AsyncClient" if name == "http_async_client" else "a Client or AsyncClient"
            message = f"{name} of the provider {provider_id} must be {wanted} of httpx2 or httpx, not {_describe(client)}"
            raise ConfigurationError(message)
        if kind[1] in found:
            message = f"http_client and http_async_client of the provider {provider_id} are both AsyncClients. Give one of them"
            raise ConfigurationError(message)
        found[kind[1]] = client
    if found and config.transport == "fast":
        message = (
            f"the provider {provider_id} has a client of the caller, which transport: fast cannot use. "
            "Remove transport: fast, or http_client and http_async_client"
        )
        raise ConfigurationError(message)
    return CallersClients(found.get(False), found.get(True))


def _describe(client: object) -> str:
    cls = client if isinstance(client, type) else type(client)
    name = f"{cls.__module__.partition('.')[0]}.{cls.__qualname__}"
    return f"the class {name}" if isinstance(client, type) else f"an object of {name}"
