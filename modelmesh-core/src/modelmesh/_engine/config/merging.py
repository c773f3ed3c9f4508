"""Merge of two configurations.

deepmerge and mergedeep are not used: a dependency would replace these few lines only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def merge_configs(base: Mapping[str, Any], override: Mapping[str, Any]) -> dict[str, Any]:
    """Merge two configurations key by key. Values of ``override`` win, and lists are replaced.

    The result shares no map or list with its inputs. Live objects stay the same objects.
    """
    merged = {key: _copied(value) for key, value in base.items()}
    for key, value in override.items():
        there = base.get(key)
        both = isinstance(there, Mapping) and isinstance(value, Mapping)
        merged[key] = merge_configs(there, value) if both else _copied(value)  # type: ignore[arg-type]
    return merged


def _copied(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copied(item) for key, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value
