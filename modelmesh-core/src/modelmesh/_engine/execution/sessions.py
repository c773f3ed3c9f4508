"""Driver that opens sessions: connections of a caller to one model that transport events in both directions.

The flow of a request selects the candidate, so failover, limits and health apply until a session is open. Afterwards no other
candidate can continue it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from modelmesh._engine.execution.aio import AsyncDriver
from modelmesh._engine.execution.provider_result import to_provider_error
from modelmesh._engine.routing.session_settlement import SessionProgress
from modelmesh._engine.routing.steps import Opened, Outcome, Send

# ruff: noqa: SLF001 - the other driver is an instance of the base class


class SessionDriver(AsyncDriver):
    """Runs the flow of one session in the calling task."""

    def __init__(self, base: AsyncDriver, connect: Callable[[Send], Awaitable[Any]]) -> None:
        """Initialize the driver.

        Args:
            base: The driver of other requests.
            connect: Connects to a candidate. Returns an object with ``headers``, ``adapted`` and ``rate_limits``, like a stream.
        """
        super().__init__(base.lock, base._clock, base._sleep)
        self._publishing, self.on_send = base._publishing, base.on_send
        self._connect = connect

    async def _attempt(self, step: Send) -> Outcome:
        if self.on_send is not None:
            self.on_send(step)
        try:
            connection = await self._connect(step)
        except Exception as error:  # noqa: BLE001 - any exception of a plugin is a failure of the attempt
            return to_provider_error(step.candidate.provider, error)
        return Opened(connection, None, [], SessionProgress())
