"""One uvicorn server: signals, drain and end.

uvicorn binds no socket and installs no signal handler here. A stop refuses new connections at once. Requests and streams that run
may go on for the time of ``proxy.drain``. The rest is then ended, each stream with one error event.

After SIGTERM, open connections accept requests for one more second, and each response closes its connection. A request that was
sent before the caller could see the stop is not lost.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from ssl import SSLContext
from types import FrameType
from typing import Any, cast

import uvicorn

from modelmesh_proxy.server.busy_health import busy_health
from modelmesh_proxy.server.http_protocol import HttpProtocol, protocol_class
from modelmesh_proxy.server.listener import BACKLOG
from modelmesh_proxy.server.terminal import has_terminal
from modelmesh_proxy.server.tls import load_certificate
from modelmesh_proxy.services import ProxyServices

TICK_S = 0.05
LAST_REQUESTS_S = 1.0
"""Time after SIGTERM in which open connections still accept a request."""

CUT_S = 5.0
"""Time for the last events of requests that are ended."""

ACCEPTS = 8
"""Connections that are accepted in one round of the event loop.

uvloop accepts one connection for each descriptor of a listening socket. With a single descriptor, a check of a busy server waits
a round for every connection that was opened before its own.
"""

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def open_websocket(**arguments: Any) -> Any:
    """Return the protocol of a WebSocket, imported with the first one."""
    from modelmesh_proxy.server.websocket_protocol import WebSocketProtocol  # noqa: PLC0415 - an optional dependency

    return WebSocketProtocol(**arguments)


class HttpServer(uvicorn.Server):
    """Server of one start. It ends after :meth:`stop` or a signal.

    Attributes:
        stop_signal: Signal that ended the server, ``None`` after :meth:`stop`.
        was_forced: Whether a second signal ended running requests.
        on_hangup: Called for SIGHUP, ``None`` to leave the signal alone.
        before_close: Awaited after the last request, before the application is closed.
    """

    def __init__(self, app: Any, services: ProxyServices, sockets: Sequence[socket.socket], tls: SSLContext | None) -> None:
        """Initialize a server that does not run.

        Args:
            app: The ASGI application.
            services: State of the proxy.
            sockets: Bound sockets. The server closes them.
            tls: TLS context, ``None`` for plain HTTP.
        """
        section = services.settings.section
        self._protocol, self._tls = protocol_class(section.limits, busy_health(services)), tls
        websocket: Any = open_websocket
        config = uvicorn.Config(
            app,
            http=self._protocol,
            ws=websocket,
            ws_max_size=section.limits.json_body,
            ws_per_message_deflate=False,
            lifespan="on",
            interface="asgi3",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            backlog=BACKLOG,
            ssl_context_factory=None if tls is None else lambda *_: tls,
        )
        super().__init__(config)
        copies = [one.dup() for one in sockets for _ in range(ACCEPTS - 1)]
        self._services, self._sockets = services, [*sockets, *copies]
        self.stop_signal: signal.Signals | None = None
        self.was_forced = False
        self.on_hangup: Callable[[], None] | None = None
        self.before_close: Callable[[], Awaitable[None]] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._background: set[asyncio.Task[Any]] = set()

    async def run_until_stopped(self, on_started: Callable[[], Awaitable[None] | None]) -> None:
        """Accept connections until the server is stopped.

        Args:
            on_started: Called when connections are accepted.
        """
        self._on_started, self._loop = on_started, asyncio.get_running_loop()
        await self.serve(sockets=self._sockets)

    def call_soon(self, function: Callable[[], None]) -> None:
        """Call a function in the event loop, from a signal handler or another thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(function)

    def add_background(self, work: Any) -> None:
        """Run a coroutine until the server stops."""
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    def apply_settings(self) -> None:
        """Apply the current limits, and read the certificate again. New connections use them.

        Raises:
            ConfigurationError: The certificate cannot be used.
        """
        section = self._services.settings.section
        if self._tls is not None and section.tls is not None:
            load_certificate(self._tls, section.tls)
        self._protocol.limits = section.limits

    def stop(self) -> None:
        """Begin to drain. Safe in any thread."""
        self._services.draining = True
        self.should_exit = True

    # -- uvicorn's steps --------------------------------------------------------------------------------------------

    async def main_loop(self) -> None:
        """Wait for the stop."""
        result = self._on_started()
        if result is not None:
            await result
        await super().main_loop()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain, end what is left, and close the application."""
        self._services.draining = True
        for task in self._background:
            task.cancel()
        for server in self.servers:
            server.close()
        for one in sockets or ():
            one.close()
        await self._drain(float(self._services.settings.section.drain))
        self.was_forced = self.force_exit and bool(self.server_state.tasks)
        for task in list(self.server_state.tasks):
            task.cancel()
        if self.server_state.tasks:
            await asyncio.wait(list(self.server_state.tasks), timeout=CUT_S)
        for connection in list(self.server_state.connections):
            transport = getattr(connection, "transport", None)
            if transport is not None:
                transport.close()
        if self.before_close is not None:
            await self.before_close()
        await self.lifespan.shutdown()

    async def _drain(self, seconds: float) -> None:
        self._protocol.announce_close()
        for connection in list(self.server_state.connections):
            cast("HttpProtocol", connection).close_after_response()
        last = min(LAST_REQUESTS_S, seconds) if self.stop_signal is signal.SIGTERM else 0.0
        await self._wait_for_requests(last)
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await self._wait_for_requests(seconds - last)

    async def _wait_for_requests(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        state = self.server_state
        while (state.connections or state.tasks) and not self.force_exit and loop.time() < end:  # noqa: ASYNC110 - uvicorn's sets
            await asyncio.sleep(TICK_S)

    # -- signals ----------------------------------------------------------------------------------------------------

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle the signals of the process in its main thread. Other threads receive none."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        handlers: dict[Any, Any] = dict.fromkeys(STOP_SIGNALS, self.handle_exit)
        if self.on_hangup is not None and hasattr(signal, "SIGHUP"):
            handlers[signal.SIGHUP] = self._hang_up
        had_terminal = has_terminal()
        self._had_terminal = had_terminal
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Drain at the first signal, end running requests at the second, end the process at the third."""
        _ = frame
        if self.force_exit:
            os._exit(128 + sig)
        if self.should_exit:
            self.force_exit = True
        if self.stop_signal is None:
            self.stop_signal = signal.Signals(sig)
        self.stop()

    def _hang_up(self, sig: int, frame: FrameType | None) -> None:
        if self._had_terminal and not has_terminal():
            self.handle_exit(sig, frame)  # the terminal was closed
        elif self.on_hangup is not None:
            self.on_hangup()
