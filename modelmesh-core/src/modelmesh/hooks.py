"""The two decorators a plugin author needs."""

import pluggy

PROJECT = "modelmesh"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
