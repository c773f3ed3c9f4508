"""``modelmesh check``: what is wrong with a configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from modelmesh.cli.failures import show_note
from modelmesh.cli.terminal import clean, console

if TYPE_CHECKING:
    from modelmesh._engine.config import MeshConfig
    from modelmesh.client import ModelMesh

EPILOG = """\b
Examples:
  modelmesh check modelmesh.yaml
  modelmesh check --online modelmesh.yaml
"""


@click.command("check", epilog=EPILOG, short_help="Find what is wrong in a configuration.")
@click.argument("file")
@click.option("--online", is_flag=True, help="Let connectors ask the network: for a list of models, or for a secret.")
@click.pass_context
def command(ctx: click.Context, file: str, *, online: bool) -> None:
    """Read the configuration FILE and say what is wrong with it, each problem with its line and column.

    With nothing wrong, its providers and pools are listed. Connectors are loaded and secrets are looked up, so run it
    where the configuration will be used. Nothing is sent anywhere: a provider whose models would have to be asked for
    is reported as not checked, unless --online is given.
    """
    from modelmesh._engine.config import MeshConfig  # noqa: PLC0415
    from modelmesh.cli.assembly import assembled  # noqa: PLC0415 - the engine, not for --help
    from modelmesh.errors import ConfigurationError  # noqa: PLC0415

    try:
        config = MeshConfig.from_file(file)
    except ConfigurationError as error:
        _report(ctx, file, [error.message])
        return
    with assembled(config, online=online) as found:
        for note in found.unchecked:
            show_note(note)
        if found.problems:
            _report(ctx, file, found.problems)
        _show(file, config, found.mesh)


def _report(ctx: click.Context, file: str, problems: list[str]) -> None:
    for problem in problems:
        click.echo(clean(problem), err=True)
    click.echo(f"{file}: {len(problems)} problem{'s' if len(problems) > 1 else ''}", err=True)
    ctx.exit(1)


def _show(file: str, config: MeshConfig, mesh: ModelMesh | None) -> None:
    from modelmesh._engine.config.problems import Problems  # noqa: PLC0415
    from modelmesh._engine.telemetry.status import short_strategy  # noqa: PLC0415 - the engine, not for --help
    from modelmesh.cli.rendering import show, table  # noqa: PLC0415 - rich, for tables only

    click.echo(f"{file}: nothing wrong" + ("" if mesh else " in what was checked"))
    if config.is_overlay:
        click.echo("It names no provider, model or pool: it adds to what is detected in the environment.")
        return
    screen = console()
    models = mesh.list_models() if mesh else []
    providers = []
    for key, section in config.read(Problems(config.source_map)).providers.items():
        mine = [model for model in models if model.provider_id == key]
        connector = section.connector or (mine[0].connector_id if mine else key)
        state = "switched off" if not section.enabled else str(len(mine)) if mesh else "unknown"
        providers.append((key, connector, state))
    click.echo()
    show(screen, table(screen, ("provider", "connector", "models in pools"), providers, right=("models in pools",)))
    if mesh is None:
        return
    pools = [
        (
            pool.name,
            pool.capability or "-",
            short_strategy(pool.strategy.id),
            str(len(pool.members)),
            str(mesh.current(pool) or "none"),
        )
        for pool in mesh.list_pools()
    ]
    click.echo()
    show(screen, table(screen, ("pool", "capability", "strategy", "models", "asked first"), pools, right=("models",)))
