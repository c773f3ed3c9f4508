"""Deprecation of public names.

A deprecated name works as before until the stated version and warns at the caller's line. ``docs/reference/stability.md`` states
the period. ``warnings.deprecated`` of Python 3.13 states neither version.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from modelmesh._engine.foundation.notices import warn

P = ParamSpec("P")
R = TypeVar("R")


def warn_deprecated(name: str, *, since: str, removal: str, instead: str) -> None:
    """Warn that a name is deprecated, at the first line outside ModelMesh.

    Args:
        name: The name as callers write it, for example ``ModelMesh.stats()``.
        since: Version that deprecates the name.
        removal: Version without the name.
        instead: The replacement as callers write it.
    """
    message = f"{name} is deprecated since {since} and will be removed in {removal}; use {instead}"
    warn(message, DeprecationWarning)


def deprecated(*, since: str, removal: str, instead: str, name: str = "") -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Return a decorator that makes a function or method warn when it is called.

    Args:
        since: Version that deprecates the function.
        removal: Version without the function.
        instead: The replacement as callers write it.
        name: The function as callers write it. Its qualified name by default.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        shown = name or f"{function.__qualname__}()"

        @functools.wraps(function)
        def warning(*args: P.args, **kwargs: P.kwargs) -> R:
            warn_deprecated(shown, since=since, removal=removal, instead=instead)
            return function(*args, **kwargs)

        return warning

    return decorate
