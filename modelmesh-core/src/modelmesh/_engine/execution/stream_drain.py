"""Accounting for a stream that its caller discards: the vendor bills it, and its usage may have arrived already."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from modelmesh._engine.routing.steps import Opened

DRAIN_S = 0.1
"""Longest time for which a discarded stream is read."""


def drain(outcome: Any) -> None:
    """Read the events of a discarded stream that have arrived, so that they are counted."""
    if not isinstance(outcome, Opened) or not _limit_time(outcome):
        return
    before = outcome.progress.output.tokens
    with suppress(Exception):  # an error of a discarded stream concerns no caller
        for chunk in outcome.events:
            outcome.progress.feed(chunk)
        outcome.progress.end()
    _count_unseen(outcome, before)


async def adrain(outcome: Any) -> None:
    """Read the events of a discarded stream that have arrived, so that they are counted."""
    if not isinstance(outcome, Opened) or not _limit_time(outcome):
        return
    before = outcome.progress.output.tokens
    with suppress(Exception):
        async for chunk in outcome.events:
            outcome.progress.feed(chunk)
        outcome.progress.end()
    _count_unseen(outcome, before)


def _limit_time(opened: Opened) -> bool:
    """Limit the time of further reads. Return ``False`` for a stream without such a limit, which might never end."""
    expire_in = getattr(opened.stream, "expire_in", None)
    if expire_in is None:
        return False
    expire_in(DRAIN_S)
    return True


def _count_unseen(opened: Opened, before: int) -> None:
    """Count the last interval's tokens twice: the vendor generates until it notices that the connection is closed."""
    output = opened.progress.output
    if not opened.progress.complete:
        output.unseen = output.tokens - before + 1
