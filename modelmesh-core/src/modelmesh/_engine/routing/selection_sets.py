"""Sets that the candidates of a request are selected from."""

from __future__ import annotations

from attrs import define


@define(eq=False)
class SelectionSets:
    """Sets of members of a pool, as masks.

    Attributes:
        capable: Members that can serve the request.
        available: Members that were available when the request arrived.
        tried: Members that were tried.
    """

    capable: int
    available: int
    tried: int = 0
