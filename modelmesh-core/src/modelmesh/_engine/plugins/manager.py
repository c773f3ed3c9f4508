"""The hook modules of installed plugins, each loaded inside its own ``try``."""

from __future__ import annotations

import logging
import os
from typing import Any

import pluggy

from modelmesh._engine.plugins import hookspecs
from modelmesh._engine.plugins.catalog import PLUGINS, Catalog
from modelmesh.hooks import PROJECT

DISABLE = "MODELMESH_DISABLE_PLUGINS"
"""Environment variable: names of plugins to leave out, separated by commas."""

_log = logging.getLogger("modelmesh.plugins")


def load_plugins(catalog: Catalog, groups: tuple[str, ...] = (PLUGINS,)) -> tuple[pluggy.PluginManager, dict[str, str]]:
    """Load every hook module that is installed and not switched off.

    Returns:
        The plugin manager, and for each plugin that is not in it the reason.
    """
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(hookspecs)
    disabled = {name.strip() for name in os.environ.get(DISABLE, "").split(",") if name.strip()}
    left_out: dict[str, str] = {}
    for found in (point for group in groups for point in catalog.plugins(group)):
        if found.name in disabled:
            left_out[found.name] = f"switched off by {DISABLE}"
            continue
        if manager.has_plugin(found.name):
            left_out[f"{found.name} of {found.distribution}"] = "another plugin has this name"
            continue
        try:
            manager.register(found.point.load(), name=found.name)
            _check_names(manager, found.name)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a broken plugin ends neither the others nor the program
            if manager.has_plugin(found.name):
                manager.unregister(name=found.name)
            left_out[found.name] = f"{type(error).__name__}: {error}"
            _log.warning("plugin %s of %s is left out: %s", found.name, found.distribution, left_out[found.name])
    return manager, left_out


def _check_names(manager: pluggy.PluginManager, name: str) -> None:
    plugin = manager.get_plugin(name)
    for caller in manager.get_hookcallers(plugin) or ():
        optional = all(one.optionalhook for one in caller.get_hookimpls() if one.plugin is plugin)
        if not caller.has_spec() and not optional:
            message = f"it implements the hook {caller.name!r}, which does not exist"
            raise LookupError(message)


def tell(manager: pluggy.PluginManager, hook: str, **facts: Any) -> None:
    """Call every listener of a hook; one that raises does not silence the next."""
    caller = getattr(manager.hook, hook)
    for implementation in caller.get_hookimpls():
        try:
            implementation.function(*(facts[name] for name in implementation.argnames))
        except Exception:  # noqa: BLE001 - whatever a plugin raises, the next one is told too
            _log.exception("plugin %s raised in %s", implementation.plugin_name, hook)
