"""Limits of the callers of a mesh, for the server in front of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelmesh._engine.limits.caller_limits import CallerLimits
    from modelmesh._engine.limits.counter import LimitCounter
    from modelmesh._engine.mesh.engine import MeshEngine


def limit_callers(mesh: MeshEngine, callers: Iterable[CallerLimits], *, earlier: MeshEngine | None = None) -> None:
    """Set the limits of all tokens and teams. Those that existed before keep their counts.

    Reads the shared counts of new ones from the store, so it may block.

    Args:
        mesh: The mesh.
        callers: The tokens and teams.
        earlier: The mesh that this one replaces. Its counts continue.
    """
    if earlier is not None:
        core = earlier._core  # noqa: SLF001 - see below
        with core.lock:
            counters = core.reservations.callers.counters.values()
            counts = {counter.limit.name: counter.saved() for counter in counters if not counter.is_empty}
        mesh._core.reservations.callers.unclaimed |= counts  # noqa: SLF001
    mesh._running.limit_callers(callers)  # noqa: SLF001 - not a public method, because its arguments are not public


def caller_limits(mesh: MeshEngine, *keys: str) -> tuple[LimitCounter, ...]:
    """Return the counters of tokens and teams, for :attr:`.Caller.limits`."""
    callers = mesh._core.reservations.callers  # noqa: SLF001 - see above
    return tuple(counter for key in keys for counter in callers.of(key))
