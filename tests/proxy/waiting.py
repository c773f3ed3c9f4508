"""Waits for conditions, with a generous limit."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

LIMIT_S = 60.0


def wait_for(what: Callable[[], Any]) -> Any:
    """Return the first true value of a function."""
    end = time.monotonic() + LIMIT_S
    while time.monotonic() < end:
        if value := what():
            return value
        time.sleep(0.02)
    message = "the condition was not met in time"
    raise AssertionError(message)
