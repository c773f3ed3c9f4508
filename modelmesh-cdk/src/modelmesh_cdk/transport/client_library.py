"""The HTTP library of a client of the caller: httpx2 or httpx."""

from __future__ import annotations

import sys
from functools import lru_cache
from types import ModuleType
from typing import Any

from modelmesh_cdk.transport.http_library import LibraryErrors

_NAMES = ("httpx2", "httpx")


class ClientLibrary:
    """Names of one library that the transport uses. The names of both libraries are equal.

    Attributes:
        url: Parses an address, with a cache.
        errors: Errors of an exchange.
    """

    def __init__(self, module: ModuleType) -> None:
        """Read the names of an imported module."""
        library: Any = module
        self.url = lru_cache(maxsize=512)(library.URL)
        self.errors = LibraryErrors(module, library.HTTPError, library.StreamError, library.InvalidURL)


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


def library_of(client: object) -> ClientLibrary:
    """Return the library of a caller's client.

    Raises:
        TypeError: The client belongs to neither library.
    """
    kind = kind_of_client(client)
    if kind is None:
        message = f"{type(client).__name__} is no client of httpx2 or httpx"
        raise TypeError(message)
    return _library_named(kind[0])


@lru_cache(maxsize=len(_NAMES))
def _library_named(name: str) -> ClientLibrary:
    return ClientLibrary(sys.modules[name])
