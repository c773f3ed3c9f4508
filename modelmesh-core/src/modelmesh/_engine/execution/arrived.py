"""What has arrived of a stream that its caller leaves: the vendor bills it, and its usage may be among it."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from modelmesh._engine.routing.flow import Opened

LEFT_S = 0.1
"""For how long a stream that is left is read at most."""


def read_arrived(outcome: Any) -> None:
    """Read what has arrived of a stream in a thread, so that it is counted."""
    if not isinstance(outcome, Opened) or not _expires(outcome):
        return
    before = outcome.progress.output.tokens
    with suppress(Exception):  # whatever breaks now concerns no caller
        for chunk in outcome.events:
            outcome.progress.feed(chunk)
    _allow(outcome, before)


async def aread_arrived(outcome: Any) -> None:
    """Read what has arrived of a stream in a task, so that it is counted."""
    if not isinstance(outcome, Opened) or not _expires(outcome):
        return
    before = outcome.progress.output.tokens
    with suppress(Exception):
        async for chunk in outcome.events:
            outcome.progress.feed(chunk)
    _allow(outcome, before)


def _expires(opened: Opened) -> bool:
    """Leave a stream only a moment more; ``False`` for one that has no such limit, which might never end."""
    expire_in = getattr(opened.stream, "expire_in", None)
    if expire_in is None:
        return False
    expire_in(LEFT_S)
    return True


def _allow(opened: Opened, before: int) -> None:
    """Count as much again as came in the last moment: the vendor writes on until it notices that the connection is closed."""
    output = opened.progress.output
    if not opened.progress.complete:
        output.unseen = output.tokens - before + 1
