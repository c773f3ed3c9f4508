"""Decorators for hook plugins."""

import pluggy

__all__ = ["hookimpl", "hookspec"]

PROJECT = "modelmesh"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
