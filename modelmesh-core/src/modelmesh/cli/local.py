"""``modelmesh local``: install the models that run in this process without a key, and show their state."""

from __future__ import annotations

import json
from collections.abc import Sequence

import click

from modelmesh._engine.plugins.local_models import DEFAULT, LocalModel, local_models
from modelmesh.cli.terminal import clean

NAMES = tuple(one.name for one in local_models())
ALL = "all"
EPILOG = """\b
Examples:
  modelmesh local install
  modelmesh local install speech transcription
  modelmesh local status --json
"""


@click.group("local", epilog=EPILOG, short_help="Install small models that need no key, and show their state.")
def command() -> None:
    """Small models that run in this process, without a key, a server or the network.

    ModelMesh uses them for the capabilities that no detected provider has.
    """


INSTALL_EPILOG = """\b
Examples:
  modelmesh local install
  modelmesh local install all --dry-run
"""


@command.command("install", epilog=INSTALL_EPILOG)
@click.argument("names", nargs=-1, metavar="[NAME]...", type=click.Choice([*NAMES, ALL]))
@click.option("--dry-run", is_flag=True, help="Print the commands and run nothing.")
def install(names: Sequence[str], *, dry_run: bool) -> None:
    """Install models with their connectors and weights, once: chat (the default), embeddings, speech, transcription, all."""
    from modelmesh.cli import local_installation  # noqa: PLC0415 - the engine, not for --help

    chosen = _chosen(names or (DEFAULT,))
    if dry_run:
        for one in chosen:
            for line in local_installation.commands_of(one):
                click.echo(local_installation.shown(line))
        return
    missing = []
    for one in chosen:
        if local_installation.problem_of(one) is None:
            click.echo(f"{one.name} is already installed.")
        else:
            missing.append(one)
    for number, one in enumerate(missing, 1):
        click.echo(f"[{number} of {len(missing)}] {one.name}: {one.model} ({one.license}), about {one.download_mib} MiB")
        local_installation.install(one)
        click.echo(f"{one.name} is ready.")
    if missing:
        click.echo("Try it: modelmesh chat" if missing[0].name == DEFAULT else "Show what is ready: modelmesh local status")


STATUS_EPILOG = """\b
Examples:
  modelmesh local status
  modelmesh local status chat --json
"""


@command.command("status", epilog=STATUS_EPILOG)
@click.argument("names", nargs=-1, metavar="[NAME]...", type=click.Choice([*NAMES, ALL]))
@click.option("--json", "as_json", is_flag=True, help="Print the state as JSON.")
@click.pass_context
def status(context: click.Context, names: Sequence[str], *, as_json: bool) -> None:
    """Show which models can run. Exits with code 1 if a named one cannot, or none of all."""
    from modelmesh.cli import local_installation  # noqa: PLC0415 - the engine, not for --help

    found = {one.name: local_installation.facts_of(one) for one in _chosen(names or (ALL,))}
    if as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        for name, facts in found.items():
            click.echo(name)
            for key, value in facts.items():
                click.echo(clean(f"  {key:<13}{value}"))
    states = [facts["state"] == local_installation.READY for facts in found.values()]
    if not (all(states) if names else any(states)):
        context.exit(1)


def _chosen(names: Sequence[str]) -> list[LocalModel]:
    return [one for one in local_models() if one.name in names or ALL in names]
