"""Observation of a mesh by the server in front of it: finished requests, and live views.

A mesh without an open view pays nothing: the driver has no callback, and events are not built.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelmesh._engine.foundation.attempts import Attempt
    from modelmesh._engine.mesh.engine import MeshEngine
    from modelmesh._engine.routing.pool import Pool
    from modelmesh._engine.routing.steps import Send
    from modelmesh.contracts.observability import RequestLogEntry, RoutingEvent


def observe_requests(mesh: MeshEngine, observer: Callable[[Pool, Sequence[Attempt]], None]) -> None:
    """Call a function with the pool and the attempts of each finished request, before its reply is returned.

    Args:
        mesh: The mesh.
        observer: Called in the task or thread of the request. It must not raise.
    """
    reporter = mesh._running.reporter  # noqa: SLF001 - observation is a part of the mesh
    reporter.observers = (*reporter.observers, observer)


def watch(
    mesh: MeshEngine, on_send: Callable[[Send], None], on_record: Callable[[RoutingEvent | RequestLogEntry], None]
) -> Callable[[], None]:
    """Open a live view of a mesh. A mesh has at most one, and a later one replaces ``on_send`` of an earlier one.

    Args:
        mesh: The mesh.
        on_send: Called in the event loop with each attempt of a task before it is sent. It must not raise.
        on_record: Called with routing events and finished requests, without prompts and answers. Background tasks call it from
            their own threads.

    Returns:
        A function that closes the view.
    """
    driver, watchers = mesh._core.adriver, mesh._running.emitter.watchers  # noqa: SLF001 - a view is a part of the mesh
    driver.on_send = on_send
    watchers.append(on_record)

    def close() -> None:
        if driver.on_send is on_send:
            driver.on_send = None
        if on_record in watchers:
            watchers.remove(on_record)

    return close
