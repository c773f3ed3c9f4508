"""Garbage collection of a server process.

Python looks for cycles each time 700 more objects exist than before. Each search visits the objects of all running requests,
which takes a fifth of the time of a busy server. Requests leave hardly any cycles.
"""

from __future__ import annotations

import gc

YOUNG_OBJECTS = 20_000
"""New objects before the youngest generation is searched for cycles."""


def collect_less_often() -> None:
    """Exclude the objects of the start from collections, and search the others less often. For a process that only serves."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 10, 10)
