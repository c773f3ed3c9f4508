"""Limits of the callers of a mesh, for the server in front of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelmesh._engine.limits.caller_limits import CallerLimits
    from modelmesh._engine.limits.counter import LimitCounter
    from modelmesh._engine.mesh.engine import MeshEngine


def limit_callers(mesh: MeshEngine, callers: Iterable[CallerLimits]) -> None:
    """Set the limits of all tokens and teams. Those that existed before keep their counts."""
    core = mesh._core  # noqa: SLF001 - not a public method of the mesh, because its arguments are not public
    with core.lock:
        core.reservations.limit_callers(callers, core.clock())


def read_caller_totals(mesh: MeshEngine) -> None:
    """Apply the counts of all processes to the limits of tokens and teams, where processes share them. It may block."""
    mesh._running.read_caller_totals()  # noqa: SLF001 - see above


def caller_limits(mesh: MeshEngine, *keys: str) -> tuple[LimitCounter, ...]:
    """Return the counters of tokens and teams, for :attr:`.Caller.limits`."""
    callers = mesh._core.reservations.callers  # noqa: SLF001 - see above
    return tuple(counter for key in keys for counter in callers.of(key))
