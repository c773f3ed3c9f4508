"""Validation of connector options. A connector that declares its options accepts no others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from modelmesh._engine.config.problems import Problems
from modelmesh._engine.config.source_map import KeyPath
from modelmesh._engine.foundation.ids import Kind
from modelmesh._engine.foundation.suggestions import MIN_SIMILARITY_OF_FREE_NAMES, did_you_mean


def declared(connector: Any) -> frozenset[str] | None:
    """Return the settings that a connector class declares, or ``None`` if it declares none and accepts any."""
    known = getattr(connector, "known_settings", None)
    names = known() if callable(known) else None
    return None if names is None else frozenset(names)


def check_options(
    connector: Any,
    kind: Kind,
    options: Mapping[str, Any],
    path: KeyPath,
    problems: Problems,
    *,
    reserved: Iterable[str] = (),
) -> None:
    """Report the options that a connector does not have.

    Args:
        connector: Class of the connector.
        kind: Kind of the connector.
        options: Configured options.
        path: Canonical path of the options.
        problems: Collects unknown options. For a connector without declared options, it only notes likely misspellings.
        reserved: Keys of the section that the mesh itself reads.
    """
    known, reserved = declared(connector), tuple(reserved)
    name = str(getattr(connector, "id", getattr(connector, "__name__", connector)))
    for option in options:
        if known is None:
            hint = did_you_mean(option, reserved, MIN_SIMILARITY_OF_FREE_NAMES)
            if hint:
                problems.note((*path, option), f"{option!r} is unknown to ModelMesh and goes to the connector unchanged.{hint}")
        elif option not in known:
            reads = f"{name} reads: {', '.join(sorted(known)) or 'no options'}"
            hint = did_you_mean(option, (*known, *reserved))
            problems.add((*path, option), f"unknown key {option!r} of the {kind.label} connector.{hint} {reads}")
