"""Limits of the callers of a mesh, for the server in front of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from modelmesh._engine.limits.forecasts import forecast

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


def caller_forecasts(mesh: MeshEngine, *keys: str) -> list[dict[str, Any]]:
    """Return the used and remaining amounts of the limits of tokens and teams."""
    core = mesh._core  # noqa: SLF001 - see above
    with core.lock:
        return [forecast(counter, core.unix_now()) for counter in caller_limits(mesh, *keys)]


def caller_limits(mesh: MeshEngine, *keys: str) -> tuple[LimitCounter, ...]:
    """Return the counters of tokens and teams, for :attr:`.Caller.limits`."""
    callers = mesh._core.reservations.callers  # noqa: SLF001 - see above
    return tuple(counter for key in keys for counter in callers.of(key))
