"""Options of connectors: a connector that declares which it reads has all others refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from modelmesh._engine.config.problems import Problems
from modelmesh._engine.config.source_map import KeyPath
from modelmesh._engine.foundation.ids import Kind
from modelmesh._engine.foundation.suggestions import did_you_mean

MIN_SIMILARITY = 0.85
"""How alike an option of a connector that declares none must be to a key of ours to be taken for a slip."""


def declared(connector: Any) -> frozenset[str] | None:
    """Return the settings that a connector class reads, ``None`` when it does not declare them and so takes any."""
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
    ours: Iterable[str] = (),
) -> None:
    """Collect the options that a connector does not have.

    Args:
        connector: Its class.
        kind: Its kind.
        options: What the configuration hands to it.
        path: Canonical path below which they stand.
        problems: Collects unknown options; of a connector that declares none, those that are almost a key of ours are noted.
        ours: Keys of the section that the mesh itself reads.
    """
    known, ours = declared(connector), tuple(ours)
    name = str(getattr(connector, "id", getattr(connector, "__name__", connector)))
    for option in options:
        if known is None:
            hint = did_you_mean(option, ours, cutoff=MIN_SIMILARITY)
            if hint:
                problems.note((*path, option), f"{option!r} is no key of ours and goes to the connector as it is.{hint}")
        elif option not in known:
            reads = f"{name} reads: {', '.join(sorted(known)) or 'no options'}"
            hint = did_you_mean(option, (*known, *ours))
            problems.add((*path, option), f"unknown key {option!r} of the {kind.label} connector.{hint} {reads}")
