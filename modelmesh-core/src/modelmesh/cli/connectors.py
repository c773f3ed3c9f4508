"""``modelmesh connectors``: list the installed connectors and plugins, and whether they load."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click
from attrs import asdict, frozen

from modelmesh.cli.terminal import console

if TYPE_CHECKING:
    from modelmesh._engine.plugins.catalog import Catalog, PluginEntry
    from modelmesh._engine.plugins.resolver import Resolver

KINDS = ("provider", "strategy", "secret-store", "observability", "storage", "discovery")

EPILOG = """\b
Examples:
  modelmesh connectors
  modelmesh connectors --kind provider
  modelmesh connectors --no-load --json
"""


@frozen
class Row:
    """One connector or hook plugin.

    Attributes:
        id: Connector ID, or the plugin's name.
        kind: One of :data:`KINDS`, ``plugin`` or ``commands``.
        distribution: Name of the distribution that provides it.
        version: Its version, empty when unknown.
        state: ``loaded``, ``failed``, ``duplicate``, ``misplaced``, ``left out`` or ``not loaded``.
        reason: Why it is not loaded, on one line.
    """

    id: str
    kind: str
    distribution: str
    version: str
    state: str
    reason: str = ""


@click.command("connectors", epilog=EPILOG, short_help="List the installed connectors.")
@click.option("--kind", type=click.Choice(KINDS), help="List connectors of this kind only.")
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
@click.option("--no-load", is_flag=True, help="List the connectors without importing them.")
def command(kind: str | None, *, as_json: bool, no_load: bool) -> None:
    """List the installed connectors and plugins, and whether each can be loaded.

    A broken connector is listed with the reason.
    """
    from modelmesh._engine.plugins.catalog import Catalog  # noqa: PLC0415
    from modelmesh._engine.plugins.resolver import Resolver  # noqa: PLC0415
    from modelmesh.cli.plugins import without_log  # noqa: PLC0415 - not for --help

    catalog = Catalog.scan()
    with without_log():
        rows = list(connector_rows(catalog, None if no_load else Resolver(catalog), kind))
        plugins = [] if kind else list(plugin_rows(catalog, load=not no_load))
    if as_json:
        listed = {"connectors": [asdict(row) for row in rows], "plugins": [asdict(row) for row in plugins]}
        click.echo(json.dumps(listed, indent=2, ensure_ascii=False))
        return
    from modelmesh.cli.rendering import show, table  # noqa: PLC0415 - rich, for tables only

    screen = console()
    cells = [
        (row.id, row.kind, row.distribution, row.version, f"{row.state}: {row.reason}" if row.reason else row.state)
        for row in (*rows, *plugins)
    ]
    show(screen, table(screen, ("ID", "kind", "distribution", "version", "state"), cells, whole=("ID",)))


def connector_rows(catalog: Catalog, resolver: Resolver | None, kind: str | None = None) -> Iterator[Row]:
    """Yield every installed connector.

    Args:
        catalog: The installed connectors.
        resolver: Loads the connectors, ``None`` to import nothing.
        kind: One of :data:`KINDS`, ``None`` for all of them.
    """
    for found in catalog.all():
        assert found.kind is not None
        label = found.kind.label.replace(" ", "-")
        if kind in (None, label):
            yield Row(found.name, label, *found.owner, *_state(found, catalog, resolver))
    if kind is None:
        yield from _misplaced(catalog)


def _misplaced(catalog: Catalog) -> Iterator[Row]:
    """Yield entry points that are registered under a wrong group or variable."""
    for found, group in catalog.near_miss_groups():
        reason = f"its group {found.point.group!r} does not exist. It must be {group!r}: correct pyproject.toml and install again"
        yield Row(found.name, "-", *found.owner, "misplaced", reason)
    for found in catalog.orphan_variables():
        reason = f"no entry point in 'modelmesh.providers' names {found.value!r}, so the variable detects no provider"
        yield Row(found.name, "variable", *found.owner, "misplaced", reason)


def _state(found: PluginEntry, catalog: Catalog, resolver: Resolver | None) -> tuple[str, str]:
    from modelmesh._engine.plugins.validation import MisspeltHookWarning, misspelt_hooks  # noqa: PLC0415
    from modelmesh.cli.rendering import one_line  # noqa: PLC0415 - rich, for tables only
    from modelmesh.errors import DuplicateConnectorError, ModelMeshError  # noqa: PLC0415 - not for --help

    assert found.kind is not None
    try:
        catalog.find(found.kind, found.name)
    except DuplicateConnectorError as error:
        return "duplicate", one_line(error.message)
    if resolver is None:
        return "not loaded", ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", MisspeltHookWarning)  # shown in the row
            loaded = resolver.resolve(found.kind, found.name)
        check = getattr(loaded, "check_shipped", None)
        if check is not None:
            check()
    except ModelMeshError as error:
        return "failed", one_line(error.message)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the import of a connector may raise anything
        return "failed", one_line(f"{type(error).__name__}: {error}")
    return "loaded", one_line("; ".join(str(hook) for hook in misspelt_hooks(loaded, found.kind)))


def plugin_rows(catalog: Catalog, *, load: bool) -> Iterator[Row]:
    """Yield every hook module, with the reason why one is left out."""
    from modelmesh._engine.plugins.catalog import COMMANDS, PLUGINS  # noqa: PLC0415 - not for --help
    from modelmesh._engine.plugins.manager import load_plugins  # noqa: PLC0415
    from modelmesh.cli.rendering import one_line  # noqa: PLC0415 - rich, for tables only

    left_out = load_plugins(catalog, (PLUGINS, COMMANDS))[1] if load else {}
    for group, kind in ((PLUGINS, "plugin"), (COMMANDS, "commands")):
        for found in catalog.plugins(group):
            reason = left_out.get(found.name, "")
            state = "left out" if reason else "loaded" if load else "not loaded"
            yield Row(found.name, kind, *found.owner, state, one_line(reason))
