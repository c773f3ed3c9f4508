"""``modelmesh describe``: show the pools and their models."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from modelmesh.cli.target import Target, client_options
from modelmesh.cli.terminal import clean

if TYPE_CHECKING:
    from modelmesh.client import MeshClient

EPILOG = """\b
Examples:
  modelmesh describe
  modelmesh describe --config modelmesh.yaml
"""


@click.command("describe", epilog=EPILOG, short_help="Show the pools and their models.")
@client_options
@click.option("--json", "as_json", is_flag=True, help="Print the pools as JSON.")
def command(target: Target, *, as_json: bool) -> None:
    """Show every pool, or the one of --capability, with its strategy and its models. An arrow marks the first choice.

    No request is sent to a model. A provider without a catalogue receives a request for its list of models.
    """
    with target.client(read_only=True) as client:
        wanted = target.capability and client.mesh.get_router().resolve(target.capability).name
        selected = wanted if wanted in client.pool_status() else None
        if as_json:
            click.echo(
                json.dumps([_as_data(client, name) for name in client.pool_status(selected)], indent=2, ensure_ascii=False)
            )
        else:
            click.echo(clean(client.describe(selected)))


def _as_data(client: MeshClient, name: str) -> dict[str, Any]:
    """Return one pool and its models as plain data."""
    info, found = client.pool_status()[name], client.explain(name)
    models = [
        {"provider": row.provider, "model": row.model, "connector": row.connector, "status": row.status, "price": row.price}
        for row in found.candidates
    ]
    facts = {key: info[key] for key in ("capability", "strategy", "current_provider", "current_model")}
    return {"name": name, **facts, "models": models}
