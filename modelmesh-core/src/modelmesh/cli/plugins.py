"""Commands of installed plugins."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

import click

from modelmesh._engine.plugins.catalog import COMMANDS, PLUGINS, Catalog
from modelmesh._engine.plugins.manager import load_plugins
from modelmesh.cli.failures import show_note


def plugin_commands(taken: Collection[str]) -> dict[str, click.Command]:
    """Return the commands of every hook module, by name. A broken module is left out with a note on stderr.

    Args:
        taken: Names that plugins cannot use.
    """
    with without_log():
        manager, left_out = load_plugins(Catalog.scan(), (PLUGINS, COMMANDS))
    for name, reason in left_out.items():
        if not reason.startswith("switched off"):
            show_note(f"the plugin {name!r} is left out: {_one_line(reason)}. See: modelmesh connectors")
    added: dict[str, click.Command] = {}
    for implementation in manager.hook.modelmesh_cli_commands.get_hookimpls():
        try:
            offered: Any = implementation.function()
            for command in offered or ():
                _add(command, added, taken)
        except Exception as error:  # noqa: BLE001 - a broken plugin must not break the command line
            show_note(f"the commands of the plugin {implementation.plugin_name!r} are left out: {_one_line(error)}")
    return added


def _add(command: Any, added: dict[str, click.Command], taken: Collection[str]) -> None:
    if not isinstance(command, click.Command) or not command.name:
        message = f"modelmesh_cli_commands() returned {command!r}, which is not a click command with a name"
        raise TypeError(message)
    if command.name in taken or command.name in added:
        message = f"the command {command.name!r} exists already"
        raise ValueError(message)
    added[command.name] = command


def _one_line(reason: object) -> str:
    text = f"{type(reason).__name__}: {reason}" if isinstance(reason, Exception) else str(reason)
    return " ".join(text.split())


@contextmanager
def without_log(name: str = "modelmesh.plugins") -> Iterator[None]:
    """Suppress the warnings of a logger whose content the command line shows itself."""
    log = logging.getLogger(name)
    log.addFilter(_not_a_warning)
    try:
        yield
    finally:
        log.removeFilter(_not_a_warning)


def _not_a_warning(record: logging.LogRecord) -> bool:
    return record.levelno > logging.WARNING
