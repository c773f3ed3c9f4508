"""Tables of tokens and teams for the terminal."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import click

from modelmesh._engine.foundation.wording import dollars
from modelmesh._engine.limits.forecasts import in_usd
from modelmesh.cli.limits import show_limits
from modelmesh.cli.rendering import NOTHING, show, table
from modelmesh.cli.stored_mesh import format_time
from modelmesh.cli.terminal import clean, console
from modelmesh_proxy.tokens.records import TokenRecord
from modelmesh_proxy.tokens.token_info import TokenInfo

_COLUMNS = ("name", "team", "pools", "status", "created", "expires", "limits")


def show_tokens(tokens: Sequence[TokenInfo], teams: Sequence[TokenInfo]) -> None:
    """Print a table of tokens, and one of teams when there are any."""
    screen = console()
    if tokens:
        show(screen, table(screen, _COLUMNS, [_row(one) for one in tokens], whole=("name",)))
    if teams:
        click.echo()
        rows = [(one.record.name, _amounts(one.amounts)) for one in teams]
        show(screen, table(screen, ("team", "limits"), rows, whole=("team",)))


def show_token(info: TokenInfo) -> None:
    """Print one token and what is left of its limits."""
    record = info.record
    assert isinstance(record, TokenRecord)
    lines = {
        "token": record.name,
        "status": record.status(time.time()),
        "pools": "all" if record.pools is None else ", ".join(record.pools),
        "team": record.team or NOTHING,
        "administrator": "yes" if record.admin else "no",
        **({"metrics": "only"} if record.metrics else {}),
        "created": format_time(record.created_at),
        "rotated": NOTHING if record.rotated_at is None else format_time(record.rotated_at),
        "expires": "never" if record.expires_at is None else format_time(record.expires_at),
        **{f"metadata {name}": value for name, value in record.metadata.items()},
    }
    width = max(map(len, lines)) + 2
    for name, value in lines.items():
        click.echo(clean(f"{name:<{width}}{value}"))
    if info.amounts:
        click.echo()
        show_limits(console(), [{**row, "of": f"token:{record.name}"} for row in info.amounts])


def _row(info: TokenInfo) -> tuple[str, ...]:
    record = info.record
    assert isinstance(record, TokenRecord)
    return (
        record.name,
        record.team or NOTHING,
        "all" if record.pools is None else ", ".join(record.pools),
        record.status(time.time()) + (", administrator" if record.admin else ", metrics only" if record.metrics else ""),
        format_time(record.created_at),
        "never" if record.expires_at is None else format_time(record.expires_at),
        _amounts(info.amounts),
    )


def _amounts(rows: Sequence[Mapping[str, Any]]) -> str:
    return "; ".join(_amount(in_usd(row)) for row in rows) or NOTHING


def _amount(row: Mapping[str, Any]) -> str:
    if row["metric"] == "USD":
        amounts = f"{dollars(row['used'])} of {dollars(row['limit'])}"
    else:
        amounts = f"{row['used']} of {row['limit']} {row['metric']}"
    return amounts + (" in all" if row["window"] == "total" else f" a {row['window']}")
