"""State that all parts of a running proxy share."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from attrs import define, field, frozen

from modelmesh_proxy.settings import ProxySettings

if TYPE_CHECKING:
    from modelmesh import ModelMesh
    from modelmesh._engine.gateway.gateway import Gateway


@cache
def has_websockets() -> bool:
    """Return whether the optional package of realtime sessions is installed. It is not imported."""
    return find_spec("websockets") is not None


@define(eq=False)
class RequestCount:
    """Number of requests that run on one mesh, streams included.

    Attributes:
        running: The number.
    """

    running: int = 0


@frozen
class ReadinessProblem:
    """Why a proxy is not ready, or degraded.

    Attributes:
        code: Short name of the reason, for programs.
        message: The reason as text.
    """

    code: str
    message: str


@define(eq=False)
class ProxyServices:
    """The mesh of a proxy and its counts. A reload replaces ``mesh``, ``gateway`` and ``settings`` together.

    Requests that run during a reload keep the gateway with which they began.

    Attributes:
        mesh: The mesh.
        gateway: The gateway over it.
        settings: The settings.
        owns_mesh: Whether the end of the ASGI lifespan closes the mesh.
        host: Address that the server listens on, ``""`` under another ASGI server.
        port: Port that the server listens on, 0 under another ASGI server.
        started_at: Monotonic seconds of the start.
        requests: Requests that run on ``mesh``. A reload replaces the count together with the mesh.
        earlier_requests: Requests that run on the meshes of earlier configurations.
        total_requests: Requests since the start.
        draining: Whether the proxy ends and accepts no new requests.
        readiness_checks: Each returns why the proxy should receive no requests, or ``None``. No I/O, no wait.
        authenticator: Identifies callers by stored tokens, an ``application.callers.Authenticator``. ``None`` while only
            ``--token`` counts.
        on_replaced: Called with the earlier mesh after a reload.
        live_feed: Live feed of the administration, an ``admin.live_feed.LiveFeed``. ``None`` before the first view.
        workers: Link to the other workers, an ``admin.worker_link.WorkerLink``. ``None`` for a single process.
        temporary_store: Path of the database that workers without a storage share and that ends with the server.
    """

    mesh: ModelMesh
    gateway: Gateway
    settings: ProxySettings = field(factory=ProxySettings)
    owns_mesh: bool = True
    host: str = ""
    port: int = 0
    started_at: float = field(factory=time.monotonic)
    requests: RequestCount = field(factory=RequestCount)
    earlier_requests: list[RequestCount] = field(factory=list)
    total_requests: int = 0
    draining: bool = False
    readiness_checks: list[Callable[[], ReadinessProblem | None]] = field(factory=list)
    authenticator: Any = None
    on_replaced: list[Callable[[ModelMesh], None]] = field(factory=list)
    live_feed: Any = None
    workers: Any = None
    temporary_store: str | None = None

    @property
    def in_flight(self) -> int:
        """Requests that run now, streams included."""
        return self.requests.running + sum(count.running for count in self.earlier_requests)
