"""What a subject receives and returns."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

Runner = Callable[[int], Any]
"""Repeats the work a number of times. Returns the units of work done, or a mapping of figures that it measured itself."""


class Setting:
    """What a subject needs: the address of the upstream server, and one event loop for the process.

    Attributes:
        url: Address of the upstream server.
        loop: Runs the coroutines of all subjects.
    """

    def __init__(self, url: str) -> None:
        self.url, self.loop = url, asyncio.Runner()
