"""``modelmesh pools``: show active models, models in standby with the reason, and the rest of each limit."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click
from attrs import asdict

from modelmesh.cli.failures import show_note
from modelmesh.cli.stored_mesh import StoredMesh, config_option, stored_mesh
from modelmesh.cli.terminal import clean, console

if TYPE_CHECKING:
    from modelmesh._engine.routing.pool import Pool

EPILOG = """\b
Examples:
  modelmesh pools --config modelmesh.yaml
  modelmesh pools chat-completion --config modelmesh.yaml --json
"""


@click.command("pools", epilog=EPILOG, short_help="Show models in standby, why, and remaining limits.")
@click.argument("pool", required=False)
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print the pools as JSON.")
def command(pool: str | None, config: str | None, *, as_json: bool) -> None:
    """Show every pool, or POOL: its models, their status with the reason, and the remaining amount of its limits.

    The state is read from the 'storage' of the configuration and not changed: a new process would start with it.
    Without a storage, the initial state is shown. No request is sent to a model.
    """
    with stored_mesh(config) as found:
        pools = [found.pool(pool)] if pool else found.mesh.list_pools()
        if as_json:
            facts = {"storage": found.storage, "stored_at": found.stored_at, "pools": [_as_data(found, one) for one in pools]}
            click.echo(json.dumps(facts, indent=2, ensure_ascii=False))
            return
        if found.storage_problem:
            show_note(f"no state is stored: {found.storage_problem}. This is the initial state of a process.")
        else:
            click.echo(found.heading)
            click.echo()
        for place, one in enumerate(pools):
            if place:
                click.echo()
            _show(found, one)
        _show_budgets(found, pools)


def _as_data(found: StoredMesh, pool: Pool) -> dict[str, Any]:
    from modelmesh._engine.limits.forecasts import in_usd  # noqa: PLC0415 - only for JSON

    info = found.mesh.pool_status(pool.name)[pool.name]
    models = [asdict(row) for row in found.mesh.explain(pool.name).candidates]
    for row in models:
        row["left"] = [in_usd(limit) for limit in row["left"]]
    return {"name": pool.name, **info, "left": [in_usd(row) for row in info.left], "models": models}


def _show(found: StoredMesh, pool: Pool) -> None:
    from modelmesh._engine.telemetry.status import short_strategy  # noqa: PLC0415 - the engine, not for --help
    from modelmesh.cli.limits import show_limits  # noqa: PLC0415 - rich, for tables only
    from modelmesh.cli.rendering import show_candidates  # noqa: PLC0415

    explanation, info = found.mesh.explain(pool.name), found.mesh.pool_status(pool.name)[pool.name]
    capability = f" ({pool.capability})" if pool.capability else ""
    click.echo(f"Pool {pool.name}{capability}, strategy {short_strategy(pool.strategy.id)}: {info.active} of {info.total} active")
    target = f"{explanation.selected_provider}/{explanation.selected_model}: " if explanation.selected_model else ""
    click.echo(clean(f"The next request would go to {target}{explanation.reason}" if target else explanation.reason))
    click.echo()
    screen = console()
    show_candidates(screen, explanation, details=False)
    if info.left:
        click.echo()
        show_limits(screen, info.left)


def _show_budgets(found: StoredMesh, pools: Sequence[Pool]) -> None:
    """Show the budgets that no pool has shown: those of the whole mesh."""
    from modelmesh.cli.limits import show_limits  # noqa: PLC0415 - rich, for tables only
    from modelmesh.cli.usage import budgets  # noqa: PLC0415

    shown = {(row["of"], row["window"]) for pool in pools for row in found.mesh.pool_status(pool.name)[pool.name].left}
    rows = [row for row in budgets(found) if (row["of"], row["window"]) not in shown]
    if rows:
        click.echo()
        click.echo("Budgets of the mesh")
        show_limits(console(), rows)
