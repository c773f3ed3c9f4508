"""Tables of configuration keys and of record fields.

Names, types and defaults come from the classes. The last column comes from the docstring of a record, else from the page itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum
from typing import Any

from attrs import NOTHING, Factory, fields, has
from markdown import table

from modelmesh._engine.config import schema

MISSING = "(describe this field)"
"""Written for a field that has no description yet. The check refuses it."""

TYPE_NAMES = {
    "Seconds": "duration",
    "Price": "USD",
    "Minutes": "cron expression",
    "Zone": "time zone",
    "tuple[Literal['model', 'provider', 'pool'], ...]": "list of `model`, `provider`, `pool`",
    "RequestPrice": "USD",
    "list[PriceBandSection]": "list of maps, see below",
    "Codes": "list of statuses",
    "Names": "list of names",
    "Fraction": "share, 0 to 1",
    "Size": "size",
    "Features": "map of true or false",
    "ModelBatch": "true or false, or a map",
    "Delivery": "delivery modes",
    "Any": "anything",
    "str": "text",
    "AttemptOutcome": "text",
    "Billed": "text",
    "bool": "true or false",
    "int": "whole number",
    "float": "number",
    "dict[str, Any]": "map",
    "dict[str, bool]": "map of true or false",
    "list[Any]": "list",
    "list[str]": "list of texts",
    "Mapping[str, Any]": "map",
    "Sequence[str]": "list of texts",
    "tuple[Mapping[str, Any], ...]": "list of maps",
}


def keys_of(cls: type[Any]) -> Callable[[str], str]:
    """Return the generator of the table of a section's keys."""

    def written(before: str) -> str:
        texts = _texts_of_page(before)
        rows = [
            f"| `{f.name}` | {_type(str(f.type))} | {_default(f.default)} | {texts.get(f.name, MISSING)} |" for f in fields(cls)
        ]
        return table(("key", "type", "default", "meaning"), rows)

    return written


def fields_of(cls: type[Any]) -> Callable[[str], str]:
    """Return the generator of the table of a record's fields. Docstrings take precedence over the text of the page."""

    def written(before: str) -> str:
        texts = _texts_of_page(before) | _texts_of_docstring(cls.__doc__ or "")
        rows = [f"| `{f.name}` | {_type(str(f.type))} | {texts.get(f.name, MISSING)} |" for f in fields(cls)]
        return table(("field", "type", "meaning"), rows)

    return written


def _texts_of_page(rows: str) -> dict[str, str]:
    return dict(re.findall(r"^\| `(\w+)` \|.*\| ([^|]*) \|$", rows, re.MULTILINE))


def _texts_of_docstring(text: str) -> dict[str, str]:
    entries = re.findall(r"^ {8}(\w+): (.+(?:\n {12}.+)*)", text.partition("Attributes:\n")[2], re.MULTILINE)
    roles = re.compile(r":\w+:`~?([\w.]+)`")
    return {name: roles.sub(r"`\1`", " ".join(words.split())).replace("``", "`") for name, words in entries}


def _type(annotation: str) -> str:
    kind = annotation.removesuffix(" | None")
    if kind.startswith("Literal["):
        return " or ".join(f"`{word}`" for word in re.findall(r"""["']([^"']+)["']""", kind))
    named = vars(schema).get(kind)
    if isinstance(named, type) and issubclass(named, Enum):
        return " or ".join(f"`{one.value}`" for one in named)
    if kind.endswith("Section"):
        return "map, see below"
    return TYPE_NAMES.get(kind, f"`{kind}`")


def _default(value: Any) -> str:
    if value is NOTHING:
        return "required"
    if value is None:
        return "none"
    if isinstance(value, Factory) or has(type(value)) or value == ():  # type: ignore[arg-type]
        return "empty"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Enum):
        return f"`{value.value}`"
    if isinstance(value, tuple):
        return ", ".join(f"`{one}`" for one in value)
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"
