"""An open session: events go both ways unchanged, and the usage of each response is settled when the vendor reports it."""

from __future__ import annotations

from asyncio import FIRST_COMPLETED, CancelledError, Task, create_task, gather, get_running_loop, sleep, wait
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from attrs import frozen

from modelmesh._engine.gateway.messages import HttpError
from modelmesh._engine.routing.session_settlement import SessionAccount
from modelmesh_cdk.provider.realtime import broken_session
from modelmesh_proxy.realtime.events import (
    BEGAN,
    FAILED,
    GOING_AWAY,
    NORMAL,
    POLICY,
    error_code,
    error_event,
    response_event,
    sendable,
)

if TYPE_CHECKING:
    from modelmesh._engine.execution.sessions import SessionDriver
    from modelmesh._engine.mesh.requests import RequestServer
    from modelmesh._engine.routing.steps import Served
    from modelmesh.contracts.call import Call
    from modelmesh.errors import ProviderError
    from modelmesh_proxy.asgi import Receive, Send
    from modelmesh_proxy.services import ProxyServices

_MAX_REASON = 120
"""Bytes of the reason in a close frame, of which the protocol permits 123."""


@frozen
class End:
    """Why a session ended.

    Attributes:
        code: Close code for the caller. ``None`` when the caller left.
        reason: Reason for the caller.
        error: Error that an event reports before, ``None`` without one.
        failure: Failure of the vendor, ``None`` without one.
        vendor_code: Close code for the vendor.
    """

    code: int | None
    reason: str = ""
    error: Exception | None = None
    failure: ProviderError | None = None
    vendor_code: int = NORMAL


class RealtimeSession:
    """A session that a vendor has accepted.

    Attributes:
        headers: Headers of the answer to the caller.
        subprotocol: The subprotocol that the vendor selected, ``None`` without one.
    """

    def __init__(
        self,
        services: ProxyServices,
        requests: RequestServer,
        call: Call,
        served: Served,
        driver: SessionDriver,
        headers: list[tuple[str, str]],
        idle_s: float,
    ) -> None:
        """Initialize.

        Args:
            services: State of the proxy.
            requests: Server of the mesh's requests.
            call: The request.
            served: The open session.
            driver: Driver of the steps that publish amounts.
            headers: Headers of the answer to the caller.
            idle_s: Seconds without an event in any direction after which the session ends.
        """
        self._services, self._requests, self._call, self._served, self._driver = services, requests, call, served, driver
        self._vendor: Any = served.outcome.stream  # type: ignore[union-attr]
        self.headers, self.subprotocol = headers, self._vendor.subprotocol
        self._idle_s, self._clock = idle_s, requests.clock
        self._account = SessionAccount(served, requests.clock)
        self._began, self._active = requests.clock(), requests.clock()
        self._open = True

    async def run(self, first: Task[Any], receive: Receive, send: Send) -> None:
        """Relay events until one side leaves, a limit is exceeded, or the server ends.

        Args:
            first: Task that receives the caller's first event.
            receive: The ASGI function.
            send: The ASGI function.
        """
        tasks = [
            create_task(self._from_caller(first, receive)),
            create_task(self._from_vendor(send)),
            create_task(self._until_idle()),
        ]
        end = End(FAILED, "unexpected error", vendor_code=GOING_AWAY)
        try:
            done, _ = await wait(tasks, return_when=FIRST_COMPLETED)
            end = next(task for task in tasks if task in done).result()
        except CancelledError:
            if not self._services.draining:
                raise
            end = End(GOING_AWAY, "server shutdown", vendor_code=GOING_AWAY)
        finally:
            for task in tasks:
                task.cancel()
            await gather(*tasks, return_exceptions=True)
            self._settle(end)
            await self._close(end, send)

    async def discard(self) -> None:
        """End a session that the caller never saw."""
        self._settle(End(None))
        await self._vendor.aclose(GOING_AWAY)

    async def _from_caller(self, first: Task[Any], receive: Receive) -> End:
        event = await first
        while event["type"] == "websocket.receive":
            self._active = self._clock()
            text = event.get("text")
            if not await self._vendor.send(event["bytes"] if text is None else text):
                return self._vendor_left()
            event = await receive()
        code = sendable(event.get("code"))
        return End(None, vendor_code=code if code != FAILED else NORMAL)

    async def _from_vendor(self, send: Send) -> End:
        while True:
            event = await self._vendor.receive()
            if event is None:
                return self._vendor_left()
            self._active = self._clock()
            found = response_event(event)
            exceeded = None if found is None else await self._count(*found)
            try:
                await send({"type": "websocket.send", "bytes" if isinstance(event, bytes) else "text": event})
            except OSError:
                return End(None)
            if exceeded is not None:
                return End(POLICY, error_code(exceeded), error=exceeded)

    async def _count(self, kind: str, usage: Any) -> Exception | None:
        """Count an event that begins or ends a response. Return the error of a limit that ends the session."""
        if kind == BEGAN:
            self._account.response_began()
            return None
        ended: Any = self._account.response_ended(usage)
        result: Any = await self._driver.run(ended)
        return result  # type: ignore[no-any-return]

    async def _until_idle(self) -> End:
        while (left := self._active + self._idle_s - self._clock()) > 0:  # noqa: ASYNC110 - one timer, not one for each event
            await sleep(left)
        message = f"The session had no event for {self._idle_s:g} s, the limit of proxy.limits.realtime_idle. Open another one."
        return End(GOING_AWAY, "idle", error=HttpError(408, message, code="session_idle"), vendor_code=GOING_AWAY)

    def _vendor_left(self) -> End:
        failure = broken_session(self._vendor)
        return End(sendable(self._vendor.close_code), self._vendor.close_reason, error=failure, failure=failure)

    def _settle(self, end: End) -> None:
        if not self._open:
            return
        self._open = False
        with self._requests.core.lock:
            self._account.end(end.failure, completed=end.code is not None)
        self._requests.record_session(self._call, self._served, end.error, self._began)

    async def _close(self, end: End, send: Send) -> None:
        """Close both connections. Neither waits for the other."""
        closing = get_running_loop().create_task(self._vendor.aclose(end.vendor_code))
        if end.code is not None:
            with suppress(OSError):
                if end.error is not None:
                    await send({"type": "websocket.send", "text": error_event(end.error)})
                reason = end.reason.encode()[:_MAX_REASON].decode(errors="ignore")
                await send({"type": "websocket.close", "code": end.code, "reason": reason})
        await closing
