"""Resources as attributes of a client, imported and created when they are first used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from modelmesh.client.base import BaseClient


class LazyResource:
    """Attribute of a client class. The created resource takes its place in the client."""

    def __init__(self, module: str, name: str) -> None:
        """Name the class of the resource."""
        self._module, self._name = f"modelmesh.client.resources.{module}", name
        self._attribute = module

    def __set_name__(self, owner: type, name: str) -> None:
        self._attribute = name

    def __get__(self, client: BaseClient | None, owner: type) -> Any:
        if client is None:
            return self
        shape = getattr(importlib.import_module(self._module), self._name)
        arguments = (client.mesh,) if self._attribute == "models" else (client._requests, client._defaults)  # noqa: SLF001
        made = client.__dict__[self._attribute] = shape(*arguments)
        return made


def lazy_resource(module: str, name: str) -> Any:
    """Declare a resource of a client.

    Args:
        module: Its module in ``modelmesh.client.resources``.
        name: Name of its class.
    """
    return LazyResource(module, name)


def lazy_resources(client: type) -> frozenset[str]:
    """Return the names of the resources of a client class."""
    return frozenset(name for base in client.__mro__ for name, one in vars(base).items() if isinstance(one, LazyResource))
