"""Import of optional SDKs, with the command that installs a missing one."""

from __future__ import annotations

import importlib
from typing import Any


def import_sdk(name: str, *, extra: str | None = None) -> Any:
    """Return the module of an SDK.

    Args:
        name: Import name of its package.
        extra: Extra of ``modelmesh-core`` that installs the package. The default is the name.

    Raises:
        ModuleNotFoundError: The package is not installed. The message contains the command.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise  # the package is installed, and one of its own dependencies is missing
        message = f"This interface needs the {name} package: pip install 'modelmesh-core[{extra or name}]'"
        raise ModuleNotFoundError(message, name=error.name) from error


def http_library(sdk: Any) -> Any:
    """Return the HTTP library of an SDK: the module ``httpx2``, or ``httpx`` for an earlier version of the SDK."""
    names = (base.__module__.partition(".")[0] for base in sdk.DefaultHttpxClient.__mro__)
    return importlib.import_module(next(name for name in names if name in ("httpx2", "httpx")))
