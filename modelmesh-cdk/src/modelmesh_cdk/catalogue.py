"""A connector's list of models, as dated data in its ``models.json``."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from modelmesh.contracts.models import ModelInfo, ModelPricing

_FIELDS = ("id", "upstream", "capabilities", "features", "delivery", "context_window", "max_output_tokens")


def read_row(row: Mapping[str, Any], *, source: str | None = None, as_of: str | None = None) -> ModelInfo:
    """Read one row.

    Args:
        row: ``id`` and whatever is known; ``pricing`` is in USD per 1,000 tokens.
        source: Where the catalogue was read, for rows without a source of their own.
        as_of: The day it was read, for rows without one of their own.
    """
    known = {name: row[name] for name in _FIELDS if name in row}
    price = row.get("pricing")
    if price:
        known["pricing"] = ModelPricing(**{"source": source, "as_of": as_of, **price})
    extra = {name: value for name, value in row.items() if name not in (*_FIELDS, "pricing")}
    return ModelInfo(**known, extra={"source": source, "as_of": as_of, **extra})


@cache
def load_catalogue(package: str) -> tuple[ModelInfo, ...]:
    """Return the models of ``models.json`` in a package; empty when it ships none.

    Args:
        package: Import name, e.g. ``modelmesh_connector_groq``.
    """
    module = sys.modules.get(package)
    if module is None or not hasattr(module, "__path__"):
        return ()
    file = files(package).joinpath("models.json")
    if not file.is_file():
        return ()
    data = json.loads(file.read_text("utf-8"))
    return tuple(read_row(row, source=data.get("source"), as_of=data.get("as_of")) for row in data["models"])
