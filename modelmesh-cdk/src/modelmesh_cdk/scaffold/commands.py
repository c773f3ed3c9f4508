"""Command ``modelmesh new`` with a subcommand for each template. Only the command line imports this module."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from modelmesh.hooks import hookimpl

if TYPE_CHECKING:
    from modelmesh_cdk.scaffold.package import Package
    from modelmesh_cdk.scaffold.rendering import Template

GROUP_EPILOG = """\b
Examples:
  modelmesh new provider acme
  modelmesh new strategy acme --path ../acme-strategy
  modelmesh new provider --help
"""

EPILOG = """\b
Examples:
  modelmesh new {kind} acme
  modelmesh new {kind} acme --id acme.{service}.v2 --license MIT
"""

DIALECTS = ("openai",)
"""Wire formats with a provider template."""

WITHOUT_A_BASE = ("anthropic", "gemini", "cohere")
"""Wire formats of our connectors without a base class in the kit."""


@hookimpl
def modelmesh_cli_commands() -> list[Any]:
    """Add the group ``new``."""
    return [new]


class Kinds(click.Group):
    """Command group that reads the template folders on demand."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the kinds in the order of the documentation."""
        from modelmesh_cdk.scaffold.rendering import templates  # noqa: PLC0415 - not for `modelmesh --help`

        _ = ctx
        return list(templates())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of a kind."""
        from modelmesh_cdk.scaffold.rendering import templates  # noqa: PLC0415 - not for `modelmesh --help`

        _ = ctx
        template = templates().get(cmd_name)
        return None if template is None else command_for(template)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command of a kind. An unknown kind is an error that lists the known ones."""
        kinds = self.list_commands(ctx)
        if args and args[0] not in kinds:
            ctx.fail(f"unknown kind {args[0]!r}. Kinds are: {', '.join(kinds)}")
        return super().resolve_command(ctx, args)


@click.group(cls=Kinds, epilog=GROUP_EPILOG, short_help="Write a package for a connector of your own.")
def new() -> None:
    """Write a package for a connector of your own: code, tests that pass at once, README and CI.

    The command never overwrites a file: the folder must be new or empty, and gets all files or none.
    """


def command_for(template: Template) -> click.Command:
    """Return the command that writes a package of one kind, with the options of the kind."""

    def write_package(name: str, target: str | None, **values: Any) -> None:
        _write(template, name, target, **values)

    return click.Command(
        template.name,
        callback=write_package,
        params=[*_shared(template), *(_OWN[option]() for option in template.options)],
        help=f"{template.summary}\n\nWrites the package {template.prefix}-NAME. NAME is short and lower-case, e.g. acme.",
        short_help=template.summary,
        epilog=EPILOG.format(kind=template.name, service=template.service),
    )


def _shared(template: Template) -> list[click.Parameter]:
    own_id = f"What configurations name.  [default: NAME.{template.service}.v1]"
    return [
        click.Argument(["name"]),
        click.Option(["--id", "connector_id"], metavar="ID", help=own_id),
        click.Option(["--path", "target"], metavar="FOLDER", help=f"Write it there.  [default: ./{template.prefix}-NAME]"),
        click.Option(["--license", "license_expression"], metavar="SPDX", help="Name this license, e.g. MIT, in the metadata."),
    ]


def _variable() -> click.Option:
    return click.Option(["--variable"], metavar="NAME", help="Variable that holds the key.  [default: NAME_API_KEY]")


def _base_url() -> click.Option:
    return click.Option(["--base-url"], metavar="URL", help="Where the API stands, e.g. https://api.acme.example/v1.")


class _Dialects(click.Choice):  # type: ignore[type-arg, unused-ignore]  # generic in later versions of click
    """Choice of the wire formats with a template. For other known formats the error names the alternative."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value in WITHOUT_A_BASE:
            self.fail(
                f"the kit has no base class for {value}'s format, so that its package would be mostly empty. There "
                f"is one for: {', '.join(DIALECTS)}. Create that package and derive its class from modelmesh_cdk.BaseProvider, "
                "whose hooks encode requests and decode responses: docs/how-to/write-a-connector.md",
                param,
                ctx,
            )
        return super().convert(value, param, ctx)


def _dialect() -> click.Option:
    known = _Dialects(DIALECTS)
    return click.Option(["--dialect"], type=known, default=DIALECTS[0], show_default=True, help="Format the vendor speaks.")


_OWN = {"variable": _variable, "base_url": _base_url, "dialect": _dialect}
"""Options that ``template.toml`` may add to a kind."""


def _write(template: Template, name: str, target: str | None, **values: Any) -> None:
    from modelmesh_cdk.scaffold.errors import BadNameError  # noqa: PLC0415 - not for `modelmesh --help`
    from modelmesh_cdk.scaffold.package import plan  # noqa: PLC0415
    from modelmesh_cdk.scaffold.writing import write  # noqa: PLC0415

    values.pop("dialect", None)  # there is a template for one
    try:
        package = plan(template, name, today=datetime.now(tz=UTC).astimezone().date(), **values)
    except BadNameError as error:
        hint = "NAME" if error.field == "name" else f"--{error.field.replace('_', '-')}"
        raise click.BadParameter(error.message, param_hint=hint) from None
    folder = Path(target or package.distribution)
    write(package.files, folder)
    _show(package, folder)


def _show(package: Package, folder: Path) -> None:
    click.echo(f"Made {package.distribution} ({package.template.kind.label}, ID {package.connector_id}):\n")
    click.echo(f"{folder}/")
    for name in package.files:
        click.echo(f"  {name}")
    click.echo("\nType next:")
    for line in (f"cd {shlex.quote(str(folder))}", "python -m pip install -e '.[test]'", "python -m pytest"):
        click.echo(f"  {line}")
    click.echo("\nReplace the marked parts of the example: grep -rn REPLACE .")
