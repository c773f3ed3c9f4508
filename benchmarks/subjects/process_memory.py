"""Resident memory of this process."""

from __future__ import annotations

import os
import sys


def resident_kib() -> float:
    """Return KiB of resident memory.

    Raises:
        ImportError: The system has no ``/proc``, so the row is skipped.
    """
    if not sys.platform.startswith("linux"):
        message = "resident memory is read from /proc"
        raise ImportError(message)
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 - without further imports
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1024
