"""The HTTP server of a proxy in this process."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Awaitable, Generator
from concurrent.futures import Future
from time import monotonic
from typing import Any, Self

from modelmesh.errors import ModelMeshError
from modelmesh_proxy.server.server_run import ServerRun
from modelmesh_proxy.server.status import ServerStatus

__all__ = ["ProxyServer", "ServerStatus"]


class ProxyServer:
    """Serves a mesh over HTTP.

    Usable from threads and from asyncio: in a running event loop, :meth:`start` and :meth:`stop` return an object to await. The
    server itself runs in a thread of its own, or in the calling thread with ``start(block=True)``. It may be started again after
    a stop.

    Example::

        with ProxyServer("modelmesh.yaml", port=0) as server:
            print(server.url)
    """

    def __init__(
        self,
        config: Any = None,
        *,
        host: str | None = None,
        port: int | None = None,
        token: str | None = None,
        drain: float | None = None,
        reload: bool | None = None,
    ) -> None:
        """Initialize a server that is not started. Nothing is read before the start.

        Args:
            config: Path, dictionary, configuration, mesh or client. Without one, the configuration is found as
                ``modelmesh serve`` finds it. A mesh or the mesh of a client stays open after the stop.
            host: Address to listen on, by default that of the configuration.
            port: Port to listen on, by default that of the configuration. 0 selects a free one.
            token: Token that every caller must send.
            drain: Seconds that running requests may go on after a stop, by default those of the configuration.
            reload: Whether a change of the configuration file is applied, by default as in the configuration.
        """
        self._config = getattr(config, "mesh", config)
        self._token = token
        self._flags: dict[str, Any] = {"host": host, "port": port, "drain": drain, "reload": reload}
        self._lock = threading.Lock()
        self._run: ServerRun | None = None

    # -- life cycle -------------------------------------------------------------------------------------------------

    def start(self, *, block: bool = True) -> Awaitable[None]:
        """Accept connections.

        Args:
            block: Whether the call returns when the server stops, rather than when connections are accepted. In a running event
                loop the call never blocks: await the result, which is ready when connections are accepted.

        Raises:
            ModelMeshError: The server runs already, its address cannot be used, or the configuration is wrong.
            KeyboardInterrupt: Ctrl-C stopped the server that this call waited for.
        """
        in_loop = _in_event_loop()
        with self._lock:
            if self._run is not None and not self._run.ended.done():
                message = "the server runs already: call stop() first, or create another ProxyServer"
                raise ModelMeshError(message)
            run = self._run = ServerRun(self._config, token=self._token, flags=self._flags)
        if block and not in_loop:
            run.run()
            run.ended.result()
            if run.stop_signal is signal.SIGINT:
                raise KeyboardInterrupt
            return _Result(run.ended)
        threading.Thread(target=run.run, name="modelmesh-proxy", daemon=True).start()
        if not in_loop or not block:
            run.started.result()
        return _Result(run.started)

    def stop(self) -> Awaitable[None]:
        """Drain running requests, close the mesh unless it was passed in, and free the port. May be called twice.

        Returns when the server has stopped. In a running event loop, await the result for that.
        """
        run = self._run
        if run is None:
            return _Result(_done())
        run.stop()
        if not _in_event_loop():
            run.ended.exception()
        return _Result(run.ended)

    def get_status(self) -> ServerStatus:
        """Return the status."""
        run = self._run
        if run is None or run.app is None:
            return ServerStatus(running=False, host=self._flags["host"] or "127.0.0.1", port=self._flags["port"] or 0)
        services = run.app.services
        return ServerStatus(
            running=run.is_running,
            host=services.host,
            port=services.port,
            uptime_seconds=monotonic() - services.started_at if run.is_running else None,
            active_connections=services.in_flight,
            total_requests=services.total_requests,
        )

    @property
    def url(self) -> str:
        """Base URL of the running server, without ``/v1``."""
        run = self._run
        return "" if run is None else run.url

    def __repr__(self) -> str:
        return f"<ProxyServer {self.url} running>" if self.get_status().running else "<ProxyServer not running>"

    def __enter__(self) -> Self:
        self.start(block=False)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()


class _Result:
    """A result that is there, or that a coroutine awaits."""

    def __init__(self, future: Future[None]) -> None:
        self._future = future

    def __await__(self) -> Generator[Any, None, None]:
        return asyncio.wrap_future(self._future).__await__()


def _done() -> Future[None]:
    future: Future[None] = Future()
    future.set_result(None)
    return future


def _in_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
