"""Table of published distributions by connector ID and variable, used by error messages only."""

from __future__ import annotations

import json
from functools import cache
from pkgutil import get_data
from typing import Any

from modelmesh._engine.foundation.ids import ConnectorId, Kind


@cache
def _table() -> dict[str, Any]:
    return json.loads(get_data("modelmesh._engine.plugins", "known_distributions.json") or b"")  # type: ignore[no-any-return]


def distribution_for(connector_id: str, kind: Kind) -> str | None:
    """Return the published distribution of an ID, or ``None``."""
    table = _table()
    if kind is Kind.STRATEGY:
        short = connector_id.removeprefix("modelmesh.").rsplit(".", 1)[0]
        return f"modelmesh-strategy-{short}" if short in table["strategies"] else None
    found: str | None = table["connectors"].get(connector_id)
    return found


def distributions() -> frozenset[str]:
    """Return the names of all published distributions."""
    strategies = (f"modelmesh-strategy-{short}" for short in _table()["strategies"])
    return frozenset((*_table()["connectors"].values(), *strategies))


def unreleased(kind: Kind) -> frozenset[str]:
    """Return the IDs of a kind that the configuration format defines, but without a released connector."""
    return frozenset(_table()["unreleased"].get(kind.label, ()))


def variables() -> dict[str, str]:
    """Return connector IDs by their environment variable, in the order of detection."""
    found: dict[str, str] = table if (table := _table()["variables"]) else {}
    return found


def provider_name(connector_id: str) -> str:
    """Return the short name of a provider connector."""
    return ConnectorId.parse(connector_id).provider_name
