"""The process of ``modelmesh serve``: logs, start-up lines and exit codes."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from attrs import evolve

from modelmesh._engine.config.mesh_config import MeshConfig
from modelmesh._engine.config.problems import Problems
from modelmesh._engine.config.schema import ProxyTlsSection
from modelmesh.errors import ModelMeshError
from modelmesh_proxy.application.mesh_source import find_config
from modelmesh_proxy.server.garbage_collection import collect_less_often
from modelmesh_proxy.server.logs import configure_logs
from modelmesh_proxy.server.open_files import raise_limit
from modelmesh_proxy.server.options import ServeOptions
from modelmesh_proxy.server.server_run import ServerRun, exit_code
from modelmesh_proxy.server.start_report import start_lines, start_warnings

_log = logging.getLogger("modelmesh.proxy")


def serve(options: ServeOptions) -> int:
    """Serve until a signal, and return the exit code of the process.

    Raises:
        ModelMeshError: The server cannot start.
    """
    configure_logs(options.log_level, as_json=options.as_json)
    raise_limit()
    flags = _flags(options)
    count = flags.get("workers") or stated_workers(options.config or find_config())
    if count > 1:
        from modelmesh_proxy.server.worker_processes import serve_workers  # noqa: PLC0415 - not for a single worker

        code = serve_workers(options, flags, count)
        _log.info("stopped")
        return code
    run = ServerRun(options.config, token=options.token, flags=flags, on_started=_report, logs_requests=options.access_log)
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
    has_tokens = services.authenticator is not None and services.authenticator.has_tokens
    for warning in start_warnings(services.settings, services.port, services.mesh, has_tokens=has_tokens):
        _log.warning(warning)
