"""What every part of a running proxy shares."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from attrs import define, field

from modelmesh_proxy.settings import ProxySettings

if TYPE_CHECKING:
    from modelmesh import ModelMesh
    from modelmesh._engine.gateway.gateway import Gateway


@define(eq=False)
class ProxyServices:
    """The mesh of a proxy and its counts. A reload replaces ``mesh``, ``gateway`` and ``settings`` together.

    Requests that run during a reload keep the gateway with which they began.

    Attributes:
        mesh: The mesh.
        gateway: The gateway over it.
        settings: The settings.
        started_at: Monotonic seconds of the start.
        in_flight: Requests that run now, streams included.
        total_requests: Requests since the start.
        draining: Whether the proxy ends and accepts no new requests.
        on_replaced: Called with the earlier mesh after a reload.
    """

    mesh: ModelMesh
    gateway: Gateway
    settings: ProxySettings = field(factory=ProxySettings)
    started_at: float = field(factory=time.monotonic)
    in_flight: int = 0
    total_requests: int = 0
    draining: bool = False
    on_replaced: list[Callable[[ModelMesh], None]] = field(factory=list)
