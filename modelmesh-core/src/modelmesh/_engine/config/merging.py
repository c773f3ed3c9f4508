"""One configuration over another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def merge_configs(base: Mapping[str, Any], override: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration in which ``override`` wins: maps are merged key by key, all else is replaced, lists too.

    Neither input changes, nor does either when the result is changed later; objects in them stay the same objects.
    """
    merged = {key: _apart(value) for key, value in base.items()}
    for key, value in override.items():
        there = base.get(key)
        both = isinstance(there, Mapping) and isinstance(value, Mapping)
        merged[key] = merge_configs(there, value) if both else _apart(value)  # type: ignore[arg-type]
    return merged


def _apart(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _apart(item) for key, item in value.items()}
    return [_apart(item) for item in value] if isinstance(value, list) else value
