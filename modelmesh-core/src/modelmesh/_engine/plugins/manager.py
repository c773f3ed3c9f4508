"""Loading and calling of hook plugins. A plugin that fails is skipped and logged."""

from __future__ import annotations

import logging
import os
from typing import Any

import pluggy

from modelmesh._engine.plugins import hookspecs
from modelmesh._engine.plugins.catalog import PLUGINS, Catalog
from modelmesh.hooks import PROJECT

DISABLE = "MODELMESH_DISABLE_PLUGINS"
"""Environment variable with the names of disabled plugins, separated by commas."""

_log = logging.getLogger("modelmesh.plugins")


def load_plugins(catalog: Catalog, groups: tuple[str, ...] = (PLUGINS,)) -> tuple[pluggy.PluginManager, dict[str, str]]:
    """Load every installed hook plugin that is not disabled.

    Returns:
        The plugin manager, and the reason for each skipped plugin.
    """
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(hookspecs)
    disabled = {name.strip() for name in os.environ.get(DISABLE, "").split(",") if name.strip()}
    skipped: dict[str, str] = {}
    for found in (point for group in groups for point in catalog.plugins(group)):
        if found.name in disabled:
            skipped[found.name] = f"disabled by {DISABLE}"
            continue
        if manager.has_plugin(found.name):
            skipped[f"{found.name} of {found.distribution}"] = "another plugin has this name"
            continue
        try:
            manager.register(found.point.load(), name=found.name)
            _check_names(manager, found.name)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a broken plugin must stop neither the others nor the program
            if manager.has_plugin(found.name):
                manager.unregister(name=found.name)
            skipped[found.name] = f"{type(error).__name__}: {error}"
            _log.warning("skipped plugin %s of %s: %s", found.name, found.distribution, skipped[found.name])
    return manager, skipped


def _check_names(manager: pluggy.PluginManager, name: str) -> None:
    plugin = manager.get_plugin(name)
    for caller in manager.get_hookcallers(plugin) or ():
        optional = all(one.optionalhook for one in caller.get_hookimpls() if one.plugin is plugin)
        if not caller.has_spec() and not optional:
            message = f"it implements the hook {caller.name!r}, which does not exist"
            raise LookupError(message)


def notify_plugins(manager: pluggy.PluginManager, hook: str, **facts: Any) -> None:
    """Call every implementation of a hook. An exception is logged, and the next one is called."""
    caller = getattr(manager.hook, hook)
    for implementation in caller.get_hookimpls():
        try:
            implementation.function(*(facts[name] for name in implementation.argnames))
        except Exception:  # noqa: BLE001 - a plugin may raise anything; the next one is called
            _log.exception("plugin %s raised in %s", implementation.plugin_name, hook)
