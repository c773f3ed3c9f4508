"""Transports of event loops: one for each loop, closed with the loop.

``asyncio.run`` for each request is a common pattern. Connections belong to the loop that opened them, so each run needs its own
transport, and open connections must be closed with their loop.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Callable
from typing import TYPE_CHECKING, Any

from modelmesh._engine.foundation.lazy_import import LazyModule

if TYPE_CHECKING:
    import asyncio

    from modelmesh_cdk.transport.interfaces import AsyncTransport
else:  # providers of threads do not import it
    asyncio = LazyModule(globals(), "asyncio", "asyncio")


class LoopTransports:
    """The asynchronous transports of one provider."""

    def __init__(self) -> None:
        self._by_loop: dict[asyncio.AbstractEventLoop, tuple[AsyncTransport, AsyncGenerator[None]]] = {}

    def __len__(self) -> int:
        return len(self._by_loop)

    def current(self, make: Callable[[], AsyncTransport]) -> AsyncTransport:
        """Return the transport of the running loop.

        Args:
            make: Creates a transport.
        """
        loop = asyncio.get_running_loop()
        known = self._by_loop.get(loop)
        if known is None:
            self.drop_closed()
            made = make()
            keeper = _closing_with_the_loop(made)
            with contextlib.suppress(StopIteration):
                keeper.__anext__().send(None)  # starts the generator, so that the loop closes it at its end
            known = self._by_loop[loop] = (made, keeper)
        return known[0]

    async def aclose(self) -> None:
        """Close the transport of the running loop, and the connections of closed loops."""
        self.drop_closed()
        known = self._by_loop.pop(asyncio.get_running_loop(), None)
        if known is not None:
            await known[1].aclose()

    def drop_closed(self) -> None:
        """Close the connections of closed loops. ``loop.close()`` alone does not end generators."""
        for loop in list(self._by_loop):  # a copy: other threads add and drop their loops
            known = self._by_loop.pop(loop, None) if loop.is_closed() else None
            abandon = getattr(known[0], "abandon", None) if known is not None else None
            if abandon is not None:
                abandon()


async def _closing_with_the_loop(transport: Any) -> AsyncGenerator[None]:
    """Keep a transport until the loop shuts down its asynchronous generators, as ``asyncio.run`` does, or until it is closed."""
    try:
        yield
    finally:
        await transport.aclose()
