"""Command ``modelmesh serve``. Only the command line imports this module."""

from __future__ import annotations

from typing import Any

import click

from modelmesh.hooks import hookimpl


@hookimpl
def modelmesh_cli_commands() -> list[Any]:
    """Add the command ``serve``."""
    return [command]


@click.command("serve")
@click.option("-c", "--config", metavar="PATH", help="Use this YAML or JSON file instead of detection.")
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=int, help="Port to listen on.  [default: 8080]")
@click.option("--token", help="Require this token from every caller.")
def command(config: str | None, host: str | None, port: int | None, token: str | None) -> None:
    """Serve OpenAI's HTTP interface."""
    from modelmesh_proxy.server.proxy_server import ProxyServer  # noqa: PLC0415 - not for --help

    ProxyServer(config, host=host, port=port, token=token).start()
