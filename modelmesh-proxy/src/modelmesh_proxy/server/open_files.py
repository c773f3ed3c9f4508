"""The limit of open files, which connections share with requests to vendors and with the storage.

A process that has none left can neither accept a caller nor reach a vendor nor save its state.
"""

from __future__ import annotations

import sys
from contextlib import suppress

WANTED = 65_536
"""Open files of a process, where the system permits so many. Many systems permit 1,024 until a process requests more."""

OF_CALLERS = 2
"""A connection of a caller may take a file for its vendor as well."""


def raise_limit() -> None:
    """Raise the limit of this process as far as the system permits, up to :data:`WANTED`."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 - not on every system

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = WANTED if hard == resource.RLIM_INFINITY else min(WANTED, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        with suppress(ValueError, OSError):  # macOS has a further limit
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def most_connections(wanted: int) -> int:
    """Return the number of callers' connections that leaves files for vendors and the storage.

    Args:
        wanted: The key ``proxy.limits.connections``.
    """
    if sys.platform == "win32":
        return wanted
    import resource  # noqa: PLC0415 - not on every system

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return wanted if soft == resource.RLIM_INFINITY else max(1, min(wanted, soft // OF_CALLERS))
