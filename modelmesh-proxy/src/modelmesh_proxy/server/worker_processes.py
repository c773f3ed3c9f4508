"""Worker processes of ``modelmesh serve --workers N``: the steps before the fork, and the work of each worker."""

from __future__ import annotations

import logging
import os
import socket
import tempfile
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from modelmesh.errors import ModelMeshError
from modelmesh_proxy.application.mesh_source import find_config, load_mesh
from modelmesh_proxy.server.garbage_collection import collect_less_often
from modelmesh_proxy.server.listener import CAN_SHARE_PORT, bind, check_free
from modelmesh_proxy.server.options import ServeOptions
from modelmesh_proxy.server.server_run import ServerRun, base_url, exit_code
from modelmesh_proxy.server.start_report import start_lines, start_warnings
from modelmesh_proxy.server.supervisor import Supervisor
from modelmesh_proxy.server.tls import build_context
from modelmesh_proxy.server.worker_place import WorkerPlace, store_path
from modelmesh_proxy.settings import ProxySettings
from modelmesh_proxy.tokens.authenticator import known_tokens

_log = logging.getLogger("modelmesh.proxy")

FIRST_REQUEST_MODULES = (
    "modelmesh._engine.execution.aio",
    "modelmesh._engine.execution.stream_relay",
    "modelmesh._engine.gateway.event_encoding",
    "modelmesh._engine.gateway.stream_bodies",
    "modelmesh._engine.mesh.chat_calls",
    "modelmesh._engine.mesh.resource_owners",
    "modelmesh._engine.routing.attempt_settlement",
    "modelmesh._engine.routing.final_errors",
    "modelmesh._engine.routing.flow",
    "modelmesh_cdk.transport.http1.async_transport",
    "modelmesh_proxy.application.worker_storage",
    "modelmesh_proxy.metrics.worker_files",
)
"""Modules that the first requests import. Imported before the fork, all workers share their memory."""


def serve_workers(options: ServeOptions, flags: dict[str, Any], count: int) -> int:
    """Serve in several processes until a signal, and return the exit code.

    Args:
        options: Options of the command line.
        flags: Keys of the section ``proxy`` that the command line sets.
        count: Number of workers.

    Raises:
        ModelMeshError: The server cannot start.
    """
    if not hasattr(os, "fork"):
        message = "--workers needs fork, which this system does not have. Run one process, or several on different ports."
        raise ModelMeshError(message)
    with tempfile.TemporaryDirectory(prefix="modelmesh-workers-", ignore_cleanup_errors=True) as folder:
        place = Path(folder)
        mesh = load_mesh(options.config or find_config(), read_only=True, worker_store=store_path(place))
        settings = ProxySettings.of(mesh.proxy_section, token=options.token, **flags)
        section = settings.section
        if section.tls is not None:
            build_context(section.tls)
        check_free(section.host, section.port)
        sockets = bind(section.host, section.port, share=CAN_SHARE_PORT, listen=not CAN_SHARE_PORT)
        port = sockets[0].getsockname()[1]
        lines = [*start_lines(base_url(section, port), mesh), f"workers: {count}"]
        has_tokens = known_tokens(mesh, settings)
        warnings = list(start_warnings(settings, port, mesh, count, has_tokens=has_tokens))
        mesh.shutdown()
        for name in FIRST_REQUEST_MODULES:
            with suppress(ImportError):
                import_module(name)

        def report() -> None:
            for line in lines:
                _log.info(line)
            for warning in warnings:
                _log.warning(warning)

        def work(place: WorkerPlace) -> int:
            own = bind(section.host, port, share=True) if CAN_SHARE_PORT else sockets
            return _work(options, flags, place, own)

        def release() -> None:
            for one in sockets:
                one.close()

        supervisor = Supervisor(count, work, folder=place, drain=float(section.drain), on_ready=report, on_stop=release)
        try:
            return supervisor.run()
        finally:
            release()


def _work(options: ServeOptions, flags: dict[str, Any], place: WorkerPlace, sockets: list[socket.socket]) -> int:
    def started(_: ServerRun) -> None:
        collect_less_often()
        place.report_ready()

    run = ServerRun(
        options.config,
        token=options.token,
        flags=flags,
        sockets=sockets,
        on_started=started,
        place=place,
        logs_requests=options.access_log,
    )
    run.run()
    try:
        run.ended.result()
    except ModelMeshError as error:
        _log.error("worker %d cannot start: %s", place.number, error)
        return 1
    return exit_code(run)
