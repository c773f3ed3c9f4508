"""The process of ``modelmesh serve``: logs, start-up lines and exit codes."""

from __future__ import annotations

import logging
import signal
from pathlib import Path
from typing import Any

from attrs import evolve, field, frozen

from modelmesh._engine.config.mesh_config import MeshConfig
from modelmesh._engine.config.problems import Problems
from modelmesh._engine.config.schema import ProxyTlsSection
from modelmesh.errors import ModelMeshError
from modelmesh_proxy.application.mesh_source import find_config
from modelmesh_proxy.server.garbage_collection import collect_less_often
from modelmesh_proxy.server.logs import configure_logs
from modelmesh_proxy.server.server_run import ServerRun
from modelmesh_proxy.server.start_report import start_lines, start_warnings

_log = logging.getLogger("modelmesh.proxy")


@frozen
class ServeOptions:
    """Options of the command line.

    Attributes:
        config: Path of the configuration, ``None`` to find one.
        token: Token that every caller must send.
        flags: Keys of the section ``proxy``, ``None`` where the configuration decides.
        tls_certificate: Path of a certificate chain.
        tls_key: Path of its key.
        log_level: Least severe level that is logged.
        access_log: Whether each request is logged.
        as_json: Whether the log is JSON.
    """

    config: str | None = None
    token: str | None = field(default=None, repr=False)
    flags: dict[str, Any] = field(factory=dict)
    tls_certificate: str | None = None
    tls_key: str | None = None
    log_level: str = "INFO"
    access_log: bool = False
    as_json: bool = False


def serve(options: ServeOptions) -> int:
    """Serve until a signal, and return the exit code of the process.

    Raises:
        ModelMeshError: The server cannot start.
    """
    configure_logs(options.log_level, as_json=options.as_json)
    flags = _flags(options)
    count = flags.get("workers") or stated_workers(options.config or find_config())
    if count > 1:
        from modelmesh_proxy.server.worker_processes import serve_workers  # noqa: PLC0415 - not for a single worker

        code = serve_workers(options.config, options.token, flags, count, exit_code)
        _log.info("stopped")
        return code
    run = ServerRun(options.config, token=options.token, flags=flags, on_started=_report)
    run.run()
    run.ended.result()
    _log.info("stopped")
    return exit_code(run)


def stated_workers(config: str | None) -> int:
    """Return ``proxy.workers`` of a file, 1 where it is not stated. Errors of the file are reported later."""
    try:
        if config is None or b"workers" not in Path(config).read_bytes():
            return 1
        settings = MeshConfig.from_file(config)
        return settings.read(Problems(settings.source_map)).proxy.workers
    except (OSError, ModelMeshError):
        return 1


def exit_code(run: ServerRun) -> int:
    """Return 0 after a drain, and 128 + signal after Ctrl-C or a second signal."""
    if run.stop_signal is None or (run.stop_signal is not signal.SIGINT and not run.was_forced):
        return 0
    return 128 + run.stop_signal


def _flags(options: ServeOptions) -> dict[str, Any]:
    if options.tls_certificate is None and options.tls_key is None:
        return options.flags
    tls = evolve(ProxyTlsSection(), certificate=options.tls_certificate, key=options.tls_key)
    return {**options.flags, "tls": tls}


def _report(run: ServerRun) -> None:
    assert run.app is not None
    collect_less_often()
    services = run.app.services
    for line in start_lines(run.url, services.mesh):
        _log.info(line)
    for warning in start_warnings(services.settings, services.port, services.mesh):
        _log.warning(warning)
