"""Lazy forwarding of names to packages that are installed separately, with the command to install a missing one."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence


def lazy_import(
    facade: str, package: str, distribution: str, names: Sequence[str], home: str | None = None
) -> Callable[[str], object]:
    """Return a module ``__getattr__`` that forwards names to another package.

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
