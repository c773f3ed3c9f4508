"""``modelmesh capabilities``: list the capability tree."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from modelmesh._engine.foundation.suggestions import suggestion
from modelmesh.cli.terminal import console

if TYPE_CHECKING:
    from rich.tree import Tree

EPILOG = """\b
Examples:
  modelmesh capabilities
  modelmesh capabilities speech
"""


@click.command("capabilities", epilog=EPILOG, short_help="List the capabilities.")
@click.argument("search", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the names and paths as JSON.")
def command(search: str | None, *, as_json: bool) -> None:
    """List the tree of capabilities, or the names that contain SEARCH with their paths.

    Every name of the tree is valid for --capability and for the "model" of a request.
    """
    from modelmesh import capabilities  # noqa: PLC0415 - not for --help

    if search is None and as_json:
        click.echo(json.dumps(capabilities.tree(), indent=2))
        return
    if search is None:
        from rich.tree import Tree  # noqa: PLC0415 - rich, for the tree only

        tree = Tree("capabilities", guide_style="dim")
        _add_branch(tree, capabilities.tree())
        console().print(tree)
        return
    names = capabilities.search(search)
    alias = capabilities.standard_tree().get_node(search)
    found = {name: capabilities.resolve(name) for name in names} or ({search: alias.path} if alias else {})
    if not found:
        near = capabilities.standard_tree().suggest(search)
        hint = suggestion(near)
        message = f"no capability contains {search!r}.{hint} To list all: modelmesh capabilities"
        raise click.ClickException(message)
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    width = max(map(len, found))
    for name, path in found.items():
        click.echo(f"{name:<{width}}  {path}")


def _add_branch(tree: Tree, branch: Mapping[str, Any]) -> None:
    for name, children in branch.items():
        _add_branch(tree.add(name), children)
