"""The HTTP server of a proxy in this process."""

from __future__ import annotations

from threading import Thread
from time import monotonic, sleep
from typing import Any

import uvicorn
from attrs import frozen

from modelmesh_proxy.application.app import create_app
from modelmesh_proxy.server.http_protocol import protocol_class


@frozen
class ServerStatus:
    """Status of a proxy.

    Attributes:
        running: Whether it accepts connections.
        host: Address that it listens on.
        port: Port that it listens on.
        uptime_seconds: Seconds since the start, ``None`` before it.
        active_connections: Requests that run now.
        total_requests: Requests since the start.
    """

    running: bool
    host: str
    port: int
    uptime_seconds: float | None
    active_connections: int
    total_requests: int


class ProxyServer:
    """Serves a mesh over HTTP."""

    def __init__(self, config: Any = None, *, host: str | None = None, port: int | None = None, token: str | None = None) -> None:
        """Initialize a server that is not started.

        Args:
            config: Path, dictionary, configuration, or a mesh. Without one, detected providers.
            host: Address to listen on.
            port: Port to listen on. 0 selects a free one.
            token: Token that every caller must send.
        """
        self._app = create_app(config)
        section = self._app.services.settings.section
        self._host, self._port, self._token = host or section.host, section.port if port is None else port, token
        self._server: uvicorn.Server | None = None
        self._thread: Thread | None = None
        self._started: float | None = None

    def start(self, *, block: bool = True) -> None:
        """Accept connections. Returns when connections are accepted, or with ``block`` when the server stops."""
        settings = uvicorn.Config(
            self._app,
            host=self._host,
            port=self._port,
            http=protocol_class(self._app.services.settings.section.limits),
            ws="none",
            log_level="warning",
            lifespan="on",
            server_header=False,
        )
        self._server = uvicorn.Server(settings)
        self._started = monotonic()
        if block:
            self._server.run()
            return
        self._thread = Thread(target=self._server.run, name="modelmesh-proxy", daemon=True)
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            sleep(0.005)
        self._port = self._server.servers[0].sockets[0].getsockname()[1]

    def stop(self) -> None:
        """Let running requests finish and free the port."""
        if self._server is not None:
            self._server.should_exit = True
        if self._thread is not None:
            self._thread.join()

    def get_status(self) -> ServerStatus:
        """Return the status."""
        services = self._app.services
        running = self._server is not None and self._server.started
        uptime = None if self._started is None else monotonic() - self._started
        return ServerStatus(running, self._host, self._port, uptime, services.in_flight, services.total_requests)
