"""The option ``safety_settings``: the thresholds of an account, sent with each chat that states none of its own.

Names are those of google-genai 3.4.0 (``types.SafetySetting``, ``HarmCategory``, ``HarmBlockThreshold``), read 2026-11-21. A name
that is not known here travels unchanged, because Google adds categories.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh.errors import ConfigurationError

_HOW = (
    "Write safety_settings: [{category: HARM_CATEGORY_HARASSMENT, threshold: BLOCK_ONLY_HIGH}], "
    "or a map of categories to thresholds."
)


def read_safety_settings(given: Any) -> list[dict[str, Any]]:
    """Return the option as Gemini's list.

    Args:
        given: A list of settings, or a map of categories to thresholds, ``None`` for none.

    Raises:
        ConfigurationError: It is something else, or a setting lacks its category or its threshold.
    """
    if given is None:
        return []
    rows = [{"category": name, "threshold": value} for name, value in given.items()] if isinstance(given, Mapping) else given
    if not isinstance(rows, list) or not all(_is_setting(row) for row in rows):
        message = f"google.gemini.v1: safety_settings is {given!r}, which is no list of categories with thresholds. {_HOW}"
        raise ConfigurationError(message)
    return [dict(row) for row in rows]


def _is_setting(row: Any) -> bool:
    names = ("category", "threshold")
    return isinstance(row, Mapping) and all(isinstance(row.get(name), str) and row[name] for name in names)
