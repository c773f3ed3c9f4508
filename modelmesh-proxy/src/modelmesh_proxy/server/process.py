"""The process of ``modelmesh serve``: logs, start-up lines and exit codes."""

from __future__ import annotations

import logging
import signal
from typing import Any

from attrs import evolve, field, frozen

from modelmesh._engine.config.schema import ProxyTlsSection
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
    run = ServerRun(options.config, token=options.token, flags=_flags(options), on_started=_report)
    run.run()
    run.ended.result()
    _log.info("stopped")
    return exit_code(run)


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
