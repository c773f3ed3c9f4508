"""Lazy imports: names and modules that are imported when they are first used."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import Any


def lazy_import(
    facade: str, package: str, distribution: str, names: Sequence[str], home: str | None = None
) -> Callable[[str], object]:
    """Return a module ``__getattr__`` that forwards names to a package that is installed separately.

    The error for a missing package contains the command that installs it.

    Args:
        facade: Name of the forwarding module.
        package: Import name of the other package.
        distribution: Distribution to install when the package is missing.
        names: Names that are forwarded.
        home: Module of the package that defines the names, the package itself by default.
    """

    def get(name: str) -> object:
        if name not in names:
            message = f"module {facade!r} has no attribute {name!r}"
            raise AttributeError(message)
        try:
            return getattr(importlib.import_module(home or package), name)
        except ModuleNotFoundError as error:
            if error.name != package:
                raise  # the package is installed, and one of its own dependencies is missing
            message = f"{facade} needs the {distribution} package: pip install {distribution}"
            raise ModuleNotFoundError(message, name=error.name) from error

    return get


def lazy_names(namespace: MutableMapping[str, Any], homes: Mapping[str, str]) -> Callable[[str], object]:
    """Return a module ``__getattr__`` that imports each name from its home module and stores it.

    Args:
        namespace: Globals of the module.
        homes: Home module of each name.
    """

    def get(name: str) -> object:
        home = homes.get(name)
        if home is None:
            message = f"module {namespace['__name__']!r} has no attribute {name!r}"
            raise AttributeError(message)
        value = namespace[name] = getattr(importlib.import_module(home), name)
        return value

    return get


class LazyModule:
    """Stands for a module until one of its names is used. Then the module itself takes its place in the namespace.

    An access therefore costs no more than that of an imported module. For modules that only requests need, so that
    ``create()`` does not wait for them.
    """

    def __init__(self, namespace: MutableMapping[str, Any], name: str, module: str) -> None:
        """Stand for a module.

        Args:
            namespace: Globals of the importing module.
            name: Name of the module there.
            module: Full name of the module.
        """
        self._namespace, self._name, self._module = namespace, name, module

    def __getattr__(self, name: str) -> Any:
        module = self._namespace[self._name] = importlib.import_module(self._module)
        return getattr(module, name)
