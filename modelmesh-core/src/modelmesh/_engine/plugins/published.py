"""Which distribution to install for an ID or a variable; knowledge for error messages only."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

from modelmesh._engine.foundation.ids import ConnectorId, Kind


@cache
def _table() -> dict[str, Any]:
    return json.loads(files("modelmesh._engine.plugins").joinpath("published.json").read_text("utf-8"))  # type: ignore[no-any-return]


def distribution_for(connector_id: str, kind: Kind) -> str | None:
    """Return the distribution that provides an ID, ``None`` when it is not one of ours."""
    table = _table()
    if kind is Kind.STRATEGY:
        short = connector_id.removeprefix("modelmesh.").rsplit(".", 1)[0]
        return f"modelmesh-strategy-{short}" if short in table["strategies"] else None
    found: str | None = table["connectors"].get(connector_id)
    return found


def distributions() -> frozenset[str]:
    """Return the names of all distributions of ours that provide connectors."""
    strategies = (f"modelmesh-strategy-{short}" for short in _table()["strategies"])
    return frozenset((*_table()["connectors"].values(), *strategies))


def unreleased(kind: Kind) -> frozenset[str]:
    """Return the IDs of a kind that belong to the format, and whose connectors are not released yet."""
    return frozenset(_table()["unreleased"].get(kind.label, ()))


def variables() -> dict[str, str]:
    """Return connector IDs by the environment variable that detects them, in order of detection."""
    found: dict[str, str] = table if (table := _table()["variables"]) else {}
    return found


def provider_name(connector_id: str) -> str:
    """Return the short name of a provider connector."""
    return ConnectorId.parse(connector_id).provider_name
