"""Command ``modelmesh serve``. Only the command line imports this module."""

from __future__ import annotations

from typing import Any

import click

from modelmesh.hooks import hookimpl

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")

EPILOG = """\b
Examples:
  modelmesh serve
  modelmesh serve --config modelmesh.yaml --port 8080
  modelmesh serve --host 0.0.0.0 --token "$PROXY_TOKEN" --workers 4
  curl http://127.0.0.1:8080/v1/models

\b
Signals: after SIGTERM or Ctrl-C, running requests finish (proxy.drain, 30 s). A second signal ends them.
SIGHUP reads the configuration and the TLS certificate again.
"""


@hookimpl
def modelmesh_cli_commands() -> list[Any]:
    """Add the command ``serve``."""
    return [command]


@click.command("serve", epilog=EPILOG, short_help="Serve OpenAI's HTTP interface for every application.")
@click.option(
    "-c",
    "--config",
    metavar="PATH",
    help="YAML or JSON file.  [default: MODELMESH_CONFIG, else ./modelmesh.yaml, else detection by API keys]",
)
@click.option("--host", metavar="ADDRESS", help="Address to listen on.  [default: 127.0.0.1]")
@click.option(
    "--port", type=click.IntRange(0, 65535), metavar="PORT", help="Port to listen on, 0 for a free one.  [default: 8080]"
)
@click.option(
    "--token",
    metavar="TOKEN",
    envvar="MODELMESH_PROXY_TOKEN",
    help="Require this token from every caller. It permits everything. Also MODELMESH_PROXY_TOKEN.",
)
@click.option("--workers", type=click.IntRange(1, 256), metavar="N", help="Number of worker processes.  [default: 1]")
@click.option("--reload/--no-reload", default=None, help="Whether a change of the file is applied.  [default: --reload]")
@click.option("--tls-certificate", metavar="PATH", help="Serve HTTPS with this certificate chain (PEM).")
@click.option("--tls-key", metavar="PATH", help="Private key of the certificate, if it is not in the same file.")
@click.option(
    "--log-level",
    type=click.Choice(LEVELS, case_sensitive=False),
    default="INFO",
    help="Least severe records of the log on standard error.  [default: info]",
)
@click.option("--access-log", is_flag=True, help="Log one line for each request, without prompts.")
@click.option("--json", "as_json", is_flag=True, help="Write the log as one JSON object on each line.")
def command(
    config: str | None,
    host: str | None,
    port: int | None,
    token: str | None,
    workers: int | None,
    reload: bool | None,  # noqa: FBT001 - click passes options by name
    tls_certificate: str | None,
    tls_key: str | None,
    log_level: str,
    access_log: bool,  # noqa: FBT001
    as_json: bool,  # noqa: FBT001
) -> None:
    """Serve OpenAI's HTTP interface on a port, for every application and language.

    Without a configuration, the proxy serves the providers with API keys in the environment, else the models that need no key.
    Each pool is a model name of the interface.
    """
    from modelmesh_proxy.server.options import ServeOptions  # noqa: PLC0415
    from modelmesh_proxy.server.process import serve  # noqa: PLC0415 - not for --help

    options = ServeOptions(
        config=config,
        token=token,
        flags={"host": host, "port": port, "workers": workers, "reload": reload},
        tls_certificate=tls_certificate,
        tls_key=tls_key,
        log_level=log_level.upper(),
        access_log=access_log,
        as_json=as_json,
    )
    raise SystemExit(serve(options))
