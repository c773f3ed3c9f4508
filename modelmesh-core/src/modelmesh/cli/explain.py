"""``modelmesh explain``: show where a request would go, and why."""

from __future__ import annotations

import json

import click
from attrs import asdict, evolve

from modelmesh.cli.target import Target, client_options
from modelmesh.cli.terminal import clean, console

EPILOG = """\b
Examples:
  modelmesh explain
  modelmesh explain chat-completion --strategy round-robin
  modelmesh explain --config modelmesh.yaml --json
"""


@click.command("explain", epilog=EPILOG, short_help="Show where a request would go, and why.")
@click.argument("model", required=False)
@client_options
@click.option("--json", "as_json", is_flag=True, help="Print the explanation as JSON.")
def command(model: str | None, target: Target, *, as_json: bool) -> None:
    """Show which model a request for MODEL would go to now, and why each other model is not selected.

    MODEL is a pool, a capability or one model of a pool, by default the value of --capability. No request is sent to
    a model.
    """
    with (target if model is None else _with_capability(model, target)).client(read_only=True) as client:
        explanation = client.explain(model or target.pool(client))
    if as_json:
        click.echo(json.dumps(asdict(explanation), indent=2, ensure_ascii=False))
        return
    from modelmesh._engine.telemetry.status import short_strategy  # noqa: PLC0415 - the engine, not for --help
    from modelmesh.cli.rendering import show_candidates  # noqa: PLC0415 - rich, for tables only

    screen = console()
    of = f" ({explanation.capability})" if explanation.capability else ""
    click.echo(f"Pool {explanation.pool_name}{of}, strategy {short_strategy(explanation.strategy)}")
    chosen = f"{explanation.selected_provider}/{explanation.selected_model}" if explanation.selected_model else None
    click.echo(clean(f"A request would go to {chosen}: {explanation.reason}" if chosen else explanation.reason))
    click.echo()
    show_candidates(screen, explanation)


def _with_capability(model: str, target: Target) -> Target:
    """Return the target for a model. A capability becomes a pool of the client, any other name is a pool or model of it."""
    from modelmesh.capabilities import standard_tree  # noqa: PLC0415 - not for --help

    known = target.capability is None and standard_tree().get_node(model) is not None
    return evolve(target, capability=model) if known else target
