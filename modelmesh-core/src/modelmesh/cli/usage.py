"""``modelmesh usage``: show the stored usage and cost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from modelmesh.cli.stored_mesh import HOW_TO_STORE, StoredMesh, config_option, stored_mesh
from modelmesh.cli.terminal import console

if TYPE_CHECKING:
    from modelmesh._engine.telemetry.usage_entry import UsageEntry

EPILOG = """\b
Examples:
  modelmesh usage --config modelmesh.yaml
  modelmesh usage --config modelmesh.yaml --json
"""


@click.command("usage", epilog=EPILOG, short_help="Show usage, cost and remaining budgets.")
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print the totals as JSON.")
def command(config: str | None, *, as_json: bool) -> None:
    """Show the usage of all processes of a configuration: in total, by model, by provider, today and this month (UTC).

    The state is read from the 'storage' of the configuration and not changed. No request is sent to a model. Budgets
    are shown with their remaining amount.
    """
    from modelmesh.errors import ModelMeshError  # noqa: PLC0415 - the engine, not for --help

    with stored_mesh(config) as found:
        if found.storage_problem:
            message = f"no usage is stored: {found.storage_problem}. {HOW_TO_STORE}"
            raise ModelMeshError(message)
        if as_json:
            click.echo(json.dumps(_as_data(found), indent=2, ensure_ascii=False))
        else:
            _show(found)


def budgets(found: StoredMesh) -> list[dict[str, Any]]:
    """Return the budgets that are not limits of one request, as rows of ``PoolInfo.left``."""
    return [row for row in found.mesh.limits() if row["metric"] == "cost" and row["window"] != "request"]


def _as_data(found: StoredMesh) -> dict[str, Any]:
    from modelmesh._engine.limits.forecasts import in_usd  # noqa: PLC0415 - only for JSON

    usage, known = found.mesh.usage, found.state is not None
    return {
        "storage": found.storage,
        "stored_at": found.stored_at,
        "total": _entry(usage.total) if known else None,
        "today": _entry(usage.today) if known else None,
        "this_month": _entry(usage.this_month) if known else None,
        "by_model": {name: _entry(entry) for name, entry in usage.by_model.items()},
        "by_provider": {name: _entry(entry) for name, entry in usage.by_provider.items()},
        "budgets": [in_usd(row) for row in budgets(found)],
    }


def _entry(entry: UsageEntry) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in _NAMES}


_NAMES = (
    "total_requests",
    "total_tokens",
    "prompt_tokens",
    "completion_tokens",
    "total_cost",
    "estimated_requests",
    "estimated_tokens",
    "unknown_usage_requests",
    "unpriced_requests",
    "unknown_cost_attempts",
)


def _show(found: StoredMesh) -> None:
    from modelmesh.cli.limits import show_limits  # noqa: PLC0415 - rich, for tables only
    from modelmesh.cli.rendering import show, table  # noqa: PLC0415

    click.echo(found.heading)
    if found.state is None:
        click.echo("A mesh with this configuration stores its state when it closes, or according to its 'sync_policy'.")
        return
    screen, usage = console(), found.mesh.usage
    whole = [("today", usage.today), ("this month", usage.this_month), ("total", usage.total)]
    for heading, rows in (
        ("", whole),
        ("provider", list(usage.by_provider.items())),
        ("model", list(usage.by_model.items())),
    ):
        headings = (heading, "requests", "tokens", "cost", "unknown price")
        click.echo()
        show(screen, table(screen, headings, [_row(*row) for row in rows], right=headings[1:], whole=(heading,)))
    limits = budgets(found)
    click.echo()
    if limits:
        click.echo("Budgets")
        show_limits(screen, limits)
    else:
        click.echo("No budget is set.")


def _row(name: str, entry: UsageEntry) -> tuple[str, ...]:
    estimated = f" ({entry.estimated_tokens} estimated)" if entry.estimated_requests else ""
    unknown = f" ({entry.unknown_usage_requests} without tokens)" if entry.unknown_usage_requests else ""
    requests, tokens = f"{entry.total_requests}{unknown}", f"{entry.total_tokens}{estimated}"
    return (name, requests, tokens, f"${entry.total_cost:.6f}", str(entry.unpriced_requests))
