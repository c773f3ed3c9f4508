"""Typed values of canonical data: sections without anything to convert are built at once, all others with cattrs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

from attrs import NOTHING, fields

from modelmesh._engine.config.conversions import UNKNOWN
from modelmesh._engine.config.problems import Problems
from modelmesh._engine.config.source_map import KeyPath

Section = TypeVar("Section")

_UNCONVERTED: dict[str, type] = {"str": str, "str | None": str, "Any": object, "dict[str, Any]": dict}
"""Types of keys with values that need no conversion, as :mod:`.schema` writes them."""


def structure(data: Any, cls: type[Section], path: KeyPath, problems: Problems) -> tuple[Section | None, set[str]]:
    """Build one section.

    Args:
        data: Canonical plain data.
        cls: The section's class.
        path: Path of the section, for messages.
        problems: Collects problems.

    Returns:
        The section without invalid and unknown keys, or ``None`` if a required key is invalid, and the names of these keys.
    """
    if isinstance(data, Mapping) and _needs_no_conversion(data, cls):
        return cls(**data), set()
    from modelmesh._engine.config.section_converter import convert  # noqa: PLC0415 - a detected provider needs no cattrs

    return convert(data, cls, path, problems)


def _needs_no_conversion(data: Mapping[Any, Any], cls: Any) -> bool:
    """Return whether every key is known, every value is final as it is, and no required key is missing."""
    kinds, required = _keys(cls)
    return required <= data.keys() and all(
        (kind := kinds.get(key)) is not None and isinstance(value, kind) and _is_final(value) for key, value in data.items()
    )


def _is_final(value: Any) -> bool:
    """Return whether a value is a text, a secret or another object that contains no value to convert."""
    return value is not UNKNOWN and not isinstance(value, list | tuple) and not (isinstance(value, Mapping) and value)


@cache
def _keys(cls: Any) -> tuple[dict[str, type], frozenset[str]]:
    """Return the keys without conversion with the type of their values, and the required keys."""
    every = fields(cls)
    kinds = {one.name: _UNCONVERTED[one.type] for one in every if one.type in _UNCONVERTED}
    return kinds, frozenset(one.name for one in every if one.default is NOTHING)
