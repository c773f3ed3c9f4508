"""Commands ``modelmesh tokens``. Only the command line imports this module."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from modelmesh.hooks import hookimpl
from modelmesh_proxy.cli.opened_registry import opened_registry
from modelmesh_proxy.cli.token_options import duration, limit_options, right_options, stated_limits, stated_rights

if TYPE_CHECKING:
    from modelmesh_proxy.tokens.token_info import NewToken

EPILOG = """\b
Examples:
  modelmesh tokens create shop --pools chat-completion --budget-daily 5 --rpm 60
  modelmesh tokens team support --budget-monthly 100
  modelmesh tokens create helpdesk --team support --expires 30d
  modelmesh tokens create prometheus --metrics
  modelmesh tokens list
  modelmesh tokens rotate shop --grace 1h
  modelmesh tokens revoke shop
"""


@hookimpl
def modelmesh_cli_commands() -> list[Any]:
    """Add the group ``tokens``."""
    return [command]


@click.group("tokens", epilog=EPILOG)
def command() -> None:
    """Create, list, revoke and rotate the tokens of applications.

    The proxy need not run. Every proxy that uses the same storage sees a change within a second.
    """


_config_option = click.option(
    "-c", "--config", metavar="PATH", help="Use this YAML or JSON file.  [default: MODELMESH_CONFIG, else ./modelmesh.yaml]"
)
_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@command.command("create", short_help="Create a token and print it once.")
@click.argument("name")
@right_options
@limit_options
@click.option("--admin", is_flag=True, help="Permit the administration of the proxy as well.")
@click.option("--metrics", is_flag=True, help="Permit /metrics and nothing else, for Prometheus.")
@_json_option
@_config_option
def create(name: str, *, config: str | None, as_json: bool, admin: bool, metrics: bool, **options: Any) -> None:
    """Create the token NAME and print it. It is not stored, so it cannot be shown again."""
    from modelmesh_proxy.tokens.records import TokenLimits  # noqa: PLC0415 - not for --help

    with opened_registry(config) as (registry, settings):
        rights = stated_rights(options, settings)
        limits = TokenLimits(**{key: value for key, value in stated_limits(options).items() if value is not None})
        _show_new(registry.create(name, limits=limits, admin=admin, metrics=metrics, **rights), as_json=as_json, verb="created")


@command.command("rotate", short_help="Replace the text of a token.")
@click.argument("name")
@click.option("--grace", metavar="DURATION", help="Accept the earlier text for this time, for example 1h.")
@_json_option
@_config_option
def rotate(name: str, *, config: str | None, as_json: bool, grace: str | None) -> None:
    """Give the token NAME another text and print it once. Its limits and counts stay."""
    seconds = duration(grace, "--grace") or 0.0
    with opened_registry(config) as (registry, _):
        _show_new(registry.rotate(name, grace_s=seconds), as_json=as_json, verb="rotated")
    if not as_json:
        until = f"for {grace} more" if seconds else "no longer"
        click.echo(f"The earlier text is valid {until}.", err=True)


@command.command("revoke", short_help="Make a token invalid.")
@click.argument("name")
@_json_option
@_config_option
def revoke(name: str, *, config: str | None, as_json: bool) -> None:
    """Make the token NAME invalid. Proxies refuse it within a second. Requests that run come to their end."""
    with opened_registry(config) as (registry, _):
        info = registry.revoke(name)
    click.echo(_as_json(info.as_dict()) if as_json else f"Token {name} is revoked.")


@command.command("update", short_help="Change limits and rights of a token.")
@click.argument("name")
@right_options
@limit_options
@_json_option
@_config_option
def update(name: str, *, config: str | None, as_json: bool, **options: Any) -> None:
    """Change limits and rights of the token NAME. Its text and its counts stay. The value 'none' removes a limit."""
    with opened_registry(config) as (registry, settings):
        info = registry.update(name, limits=stated_limits(options), **stated_rights(options, settings))
    click.echo(_as_json(info.as_dict()) if as_json else f"Token {name} is changed.")


@command.command("list", short_help="List tokens with spend and remaining amounts.")
@click.option("--all", "everything", is_flag=True, help="Include revoked tokens.")
@_json_option
@_config_option
def list_tokens(*, config: str | None, as_json: bool, everything: bool) -> None:
    """List the tokens and teams, with the used and remaining amounts of their limits."""
    from modelmesh_proxy.cli.token_tables import show_tokens  # noqa: PLC0415 - rich, for tables only

    with opened_registry(config, amounts=True) as (registry, _):
        tokens, teams = registry.list_tokens(revoked=everything), registry.list_teams()
    if as_json:
        click.echo(_as_json({"tokens": [one.as_dict() for one in tokens], "teams": [one.as_dict() for one in teams]}))
    elif tokens or teams:
        show_tokens(tokens, teams)
    else:
        click.echo("There is no token. Create one: modelmesh tokens create NAME")


@command.command("show", short_help="Show one token.")
@click.argument("name")
@_json_option
@_config_option
def show(name: str, *, config: str | None, as_json: bool) -> None:
    """Show the token NAME with its rights, its limits and what is left of them."""
    from modelmesh_proxy.cli.token_tables import show_token  # noqa: PLC0415 - rich, for tables only

    with opened_registry(config, amounts=True) as (registry, _):
        info = registry.show(name)
    if as_json:
        click.echo(_as_json(info.as_dict()))
    else:
        show_token(info)


@command.command("team", short_help="Create a team or change its limits.")
@click.argument("name")
@limit_options
@click.option("--remove", is_flag=True, help="Remove the team, which has no tokens.")
@_json_option
@_config_option
def team(name: str, *, config: str | None, as_json: bool, remove: bool, **options: Any) -> None:
    """Create the team NAME, or change its limits. They hold for all tokens of the team together."""
    with opened_registry(config) as (registry, _):
        if remove:
            registry.remove_team(name)
            click.echo(f"Team {name} is removed.")
            return
        info = registry.set_team(name, stated_limits(options))
    click.echo(
        _as_json(info.as_dict()) if as_json else f"Team {name} is stored. Add tokens: modelmesh tokens create NAME --team {name}"
    )


def _show_new(new: NewToken, *, as_json: bool, verb: str) -> None:
    if as_json:
        click.echo(_as_json({**new.info.as_dict(), "token": new.text}))
        return
    click.echo(
        f"Token {new.info.record.name} is {verb}. Copy it now, because it is not stored and cannot be shown again:", err=True
    )
    click.echo(new.text)
    click.echo("Applications send it as their API key: OPENAI_API_KEY=mm-… with OPENAI_BASE_URL=http://HOST:8080/v1", err=True)


def _as_json(data: Any) -> str:
    return json.dumps(data, indent=2, ensure_ascii=False)
