"""One run of a server in this process, from start to stop."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from time import monotonic
from typing import TYPE_CHECKING, Any

from modelmesh._engine.mesh import MeshEngine
from modelmesh_proxy.application.app import ProxyApp, create_app
from modelmesh_proxy.application.mesh_source import find_config, load_mesh
from modelmesh_proxy.application.request_log import RequestLog
from modelmesh_proxy.server.file_watch import FileWatch
from modelmesh_proxy.server.http_server import HttpServer
from modelmesh_proxy.server.listener import bind
from modelmesh_proxy.server.reload import Reloader
from modelmesh_proxy.server.tls import build_context
from modelmesh_proxy.server.worker_place import WorkerPlace
from modelmesh_proxy.settings import ProxySettings

if TYPE_CHECKING:
    from modelmesh import ModelMesh
    from modelmesh._engine.config.schema import ProxySection


class ServerRun:
    """One run of a server.

    Attributes:
        started: Done when connections are accepted, with an exception if they never are.
        ended: Done when the server has stopped.
        app: The application, ``None`` before it is created.
        stop_signal: Signal that stopped the server, ``None`` without one.
        was_forced: Whether a second signal ended running requests.
    """

    def __init__(
        self,
        config: Any = None,
        *,
        token: str | None = None,
        flags: Mapping[str, Any],
        sockets: Sequence[socket.socket] | None = None,
        on_started: Callable[[ServerRun], None] | None = None,
        place: WorkerPlace | None = None,
        logs_requests: bool = False,
    ) -> None:
        """Initialize a run. Nothing is read yet.

        Args:
            config: Path, dictionary, configuration or mesh, ``None`` to find one.
            token: Value of ``--token``.
            flags: Keys of the section ``proxy`` that replace those of the configuration. ``None`` is no value.
            sockets: Bound sockets. By default the run binds its own.
            on_started: Called when connections are accepted.
            logs_requests: Whether each request is logged.
            place: Place of this worker process, ``None`` without a supervisor.
        """
        self._config, self._token, self._flags, self._sockets = config, token, flags, sockets
        self._on_started, self._place, self._logs_requests = on_started, place, logs_requests
        self.started: Future[None] = running_future()
        self.ended: Future[None] = running_future()
        self.app: ProxyApp | None = None
        self.stop_signal: signal.Signals | None = None
        self.was_forced = False
        self._server: HttpServer | None = None
        self._reloader: Reloader | None = None
        self._is_stopped = False

    @property
    def is_running(self) -> bool:
        """Whether connections are accepted."""
        return self._server is not None and self.started.done() and not self._server.should_exit

    @property
    def url(self) -> str:
        """Base URL, empty before the start."""
        if self.app is None:
            return ""
        return base_url(self.app.services.settings.section, self.app.services.port)

    def run(self) -> None:
        """Run to the end. An error is the exception of ``ended``, and of ``started`` if the server never started."""
        error: BaseException | None = None
        try:
            self._serve()
        except BaseException as raised:  # noqa: BLE001 - belongs to the caller of start(), which may be in another thread
            error = raised
        for future in (self.ended, self.started):  # in this order: a caller that sees a failed start may start again
            if not future.done():
                if error is None:
                    future.set_result(None)
                else:
                    future.set_exception(error)

    def stop(self) -> None:
        """Begin to drain. Safe in any thread, and before the server runs."""
        self._is_stopped = True
        if self._server is not None:
            self._server.stop()

    def _serve(self) -> None:
        watch = self._watch_file()
        app = self._create_app()
        services = app.services
        try:
            services.settings = self._settings_of(services.mesh)
            app.apply_settings()
            section = services.settings.section
            tls = None if section.tls is None else build_context(section.tls)
            sockets = bind(section.host, section.port) if self._sockets is None else self._sockets
        except BaseException:
            if services.owns_mesh:
                services.mesh.shutdown()
            raise
        if self._logs_requests:
            app.request_log = RequestLog(services)
        services.host, services.port = section.host, sockets[0].getsockname()[1]
        services.started_at = monotonic()
        services.temporary_store = None if self._place is None else self._place.store
        self.app = app
        server = self._server = HttpServer(app, services, sockets, tls)
        if self._config is None or isinstance(self._config, str | os.PathLike):
            self._connect_reload(app, server, watch)
        if self._is_stopped:
            server.stop()
        with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
            runner.run(server.run_until_stopped(self._report_started))
        self.stop_signal, self.was_forced = server.stop_signal, server.was_forced

    def _create_app(self) -> ProxyApp:
        if isinstance(self._config, MeshEngine):
            mesh: Any = self._config
            return create_app(mesh=mesh)
        if self._place is None:
            return create_app(self._config)
        mesh = load_mesh(self._config or find_config(), worker_store=self._place.store)
        try:
            app = create_app(mesh=mesh)
        except BaseException:
            mesh.shutdown()
            raise
        app.services.owns_mesh = True
        return app

    def _watch_file(self) -> FileWatch | None:
        path = find_config() if self._config is None else self._config
        return FileWatch(str(path)) if isinstance(path, str | os.PathLike) else None

    def _connect_reload(self, app: ProxyApp, server: HttpServer, watch: FileWatch | None) -> None:
        reloader = self._reloader = Reloader(app, self._config, self._settings_of, server.apply_settings, watch)
        if self._place is not None:
            reloader.worker_store = self._place.store
        server.before_close = reloader.finish
        server.on_hangup = lambda: server.call_soon(reloader.request)

    def _settings_of(self, mesh: ModelMesh) -> ProxySettings:
        return ProxySettings.of(mesh.proxy_section, token=self._token, **self._flags)

    def _report_started(self) -> None:
        assert self._server is not None
        if self._reloader is not None:
            self._server.add_background(self._reloader.run())
        if self._place is not None:
            assert self.app is not None
            self._place.watch_supervisor(self.stop)
            self._server.add_background(self._place.publish(self.app.metrics))
            from modelmesh_proxy.admin.worker_link import WorkerLink  # noqa: PLC0415 - not for a single process

            link = self.app.services.workers = WorkerLink(self.app.services, self._place.folder, self._place.number)
            self._server.add_background(link.serve())
        self.started.set_result(None)
        if self._on_started is not None:
            self._on_started(self)


def running_future() -> Future[None]:
    """Return a future that the cancellation of one waiter does not cancel for the others."""
    future: Future[None] = Future()
    future.set_running_or_notify_cancel()
    return future


def base_url(section: ProxySection, port: int) -> str:
    """Return the URL under which this machine reaches a server."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(section.host, section.host)  # noqa: S104 - no bind
    scheme = "http" if section.tls is None else "https"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def exit_code(run: ServerRun) -> int:
    """Return 0 after a drain, and 128 + signal after Ctrl-C or a second signal."""
    if run.stop_signal is None or (run.stop_signal is not signal.SIGINT and not run.was_forced):
        return 0
    return 128 + run.stop_signal
