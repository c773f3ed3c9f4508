"""``modelmesh describe``: the pools and their models."""

from __future__ import annotations

import click

from modelmesh.cli.target import Target, client_options
from modelmesh.cli.terminal import clean

EPILOG = """\b
Examples:
  modelmesh describe
  modelmesh describe --config modelmesh.yaml
"""


@click.command("describe", epilog=EPILOG, short_help="Show the pools and their models.")
@client_options
def command(target: Target) -> None:
    """Show every pool, or the one of --capability, with its strategy and its models; an arrow marks who is asked first.

    Nothing is sent to a model. A provider that has no list of models of its own is asked for one.
    """
    with target.client(looking=True) as client:
        wanted = target.capability and client.mesh.get_router().resolve(target.capability).name
        shown = wanted if wanted in client.pool_status() else None
        click.echo(clean(client.describe(shown)))
