"""The HTTP library of a client: httpx2, or httpx for a client of the caller."""

from __future__ import annotations

import sys
from functools import lru_cache
from types import ModuleType
from typing import Any

_NAMES = ("httpx2", "httpx")


class ClientLibrary:
    """Names of one library that the transport uses. The names of both libraries are equal.

    Attributes:
        url: Parses an address, with a cache.
        request: Class of requests.
        errors: Errors of an exchange.
        not_sent: Errors before the request was sent.
        timeout: Base class of the timeouts.
        local_protocol_error: Error of a request that cannot be sent.
        invalid_url: Error of an address that cannot be parsed.
    """

    def __init__(self, module: ModuleType) -> None:
        """Read the names of an imported module."""
        library: Any = module
        self.url = lru_cache(maxsize=512)(library.URL)
        self.request = library.Request
        self.errors = (library.HTTPError, library.StreamError)
        self.not_sent = (
            library.ConnectError,
            library.ConnectTimeout,
            library.PoolTimeout,
            library.ProxyError,
            library.UnsupportedProtocol,
        )
        self.timeout: type[Exception] = library.TimeoutException
        self.local_protocol_error: type[Exception] = library.LocalProtocolError
        self.invalid_url: type[Exception] = library.InvalidURL


@lru_cache(maxsize=len(_NAMES))
def library_named(name: str) -> ClientLibrary:
    """Return the library of an imported module."""
    return ClientLibrary(sys.modules[name])


def kind_of_client(client: object) -> tuple[str, bool] | None:
    """Return the module of a caller's client and whether the client is asynchronous, ``None`` for other objects."""
    for name in _NAMES:
        module: Any = sys.modules.get(name)  # a module that was never imported has no instances
        if module is None:
            continue
        if isinstance(client, module.Client):
            return name, False
        if isinstance(client, module.AsyncClient):
            return name, True
    return None
