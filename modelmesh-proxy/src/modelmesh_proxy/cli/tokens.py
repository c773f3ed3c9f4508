"""Commands ``modelmesh tokens``. Only the command line imports this module."""

from __future__ import annotations

from typing import Any

import click

from modelmesh.hooks import hookimpl


@hookimpl
def modelmesh_cli_commands() -> list[Any]:
    """Add the group ``tokens``."""
    return [command]


@click.group("tokens")
def command() -> None:
    """Create, list, revoke and rotate the tokens of applications."""
