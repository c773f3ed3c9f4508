"""The caller of a request: an application that a server in front of the mesh identified."""

from __future__ import annotations

from typing import Any

from attrs import field, frozen


@frozen(eq=False)
class Caller:
    """An application with its rights and limits.

    Attributes:
        name: Name of its token, ``""`` for a caller without one.
        is_admin: Whether it may administer the server. The engine does not read this.
        pools: Names of the pools that it may use, ``None`` for all.
        team: Team of its token, ``None`` without one.
        limits: Counters of the limits of its token and of its team. Each attempt reserves and settles them together with
            the limits of the pool and of the provider.
        reads_metrics_only: Whether it may read the metrics of the server and nothing else. The engine does not read this.
    """

    name: str = ""
    is_admin: bool = False
    pools: frozenset[str] | None = None
    team: str | None = None
    limits: tuple[Any, ...] = field(default=(), repr=False)
    reads_metrics_only: bool = False
