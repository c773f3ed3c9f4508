"""``modelmesh check``: validate a configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from modelmesh.cli.failures import show_note
from modelmesh.cli.terminal import clean, console

if TYPE_CHECKING:
    from modelmesh import MeshConfig
    from modelmesh.client import ModelMesh

EPILOG = """\b
Examples:
  modelmesh check modelmesh.yaml
  modelmesh check --online modelmesh.yaml
"""


@click.command("check", epilog=EPILOG, short_help="Validate a configuration.")
@click.argument("file")
@click.option("--online", is_flag=True, help="Allow connections, e.g. for lists of models or secrets.")
@click.pass_context
def command(ctx: click.Context, file: str, *, online: bool) -> None:
    """Validate the configuration FILE and show each problem with its line and column.

    Without problems, its providers and pools are listed. Connectors are loaded and secrets are looked up, so run the
    command where the configuration is used. Nothing is sent: a provider without a catalogue is reported as not
    checked, unless --online is given.
    """
    from modelmesh import MeshConfig  # noqa: PLC0415 - the engine, not for --help
    from modelmesh.cli.trial_assembly import trial_assembly  # noqa: PLC0415
    from modelmesh.errors import ConfigurationError  # noqa: PLC0415

    try:
        config = MeshConfig.from_file(file)
    except ConfigurationError as error:
        _report(ctx, file, [error.message])
        return
    with trial_assembly(config, online=online) as found:
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

    click.echo(f"{file}: no problems found" + ("" if mesh else " in the checked parts"))
    if config.is_overlay:
        click.echo("It defines no provider, model or pool. It extends the providers detected in the environment.")
        return
    screen = console()
    models = mesh.list_models() if mesh else []
    providers = []
    for key, section in config.read(Problems(config.source_map)).providers.items():
        of_provider = [model for model in models if model.provider_id == key]
        connector = section.connector or (of_provider[0].connector_id if of_provider else key)
        state = "disabled" if not section.enabled else str(len(of_provider)) if mesh else "unknown"
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
    show(screen, table(screen, ("pool", "capability", "strategy", "models", "first choice"), pools, right=("models",)))
