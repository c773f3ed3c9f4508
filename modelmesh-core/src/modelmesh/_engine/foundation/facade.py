"""How core answers for the packages that live under its name: lazily, and with the command to install what is missing."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence


def forward(
    facade: str, package: str, distribution: str, names: Sequence[str], home: str | None = None
) -> Callable[[str], object]:
    """Return a module ``__getattr__`` that fetches names from another package.

    Args:
        facade: Name of the forwarding module.
        package: Import name of the package that has them.
        distribution: What to install when it is not there.
        names: What may be asked for.
        home: Module of the package that has them; the package itself by default.
    """

    def get(name: str) -> object:
        if name not in names:
            message = f"module {facade!r} has no attribute {name!r}"
            raise AttributeError(message)
        try:
            return getattr(importlib.import_module(home or package), name)
        except ModuleNotFoundError as error:
            if error.name != package:
                raise  # the package is there; something that it needs is not
            message = f"{facade} needs the {distribution} package: pip install {distribution}"
            raise ModuleNotFoundError(message, name=error.name) from error

    return get
