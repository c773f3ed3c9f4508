"""The terminal of the process."""

from __future__ import annotations

import os
import sys


def has_terminal() -> bool:
    """Return whether standard input is a terminal that is still open."""
    try:
        return sys.stdin is not None and os.isatty(sys.stdin.fileno())
    except (OSError, ValueError):
        return False
