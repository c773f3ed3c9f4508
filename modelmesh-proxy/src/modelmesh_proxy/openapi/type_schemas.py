"""JSON Schemas of the types of parameters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from modelmesh.client.parameters import CallExtras

_PLAIN: Mapping[Any, dict[str, Any]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    NoneType: {"type": "null"},
}
_OPTIONS = frozenset(CallExtras.__annotations__)


def parameter_schemas(shape: type[Any]) -> dict[str, Any]:
    """Return the schema of each parameter of a class, without the options of a call in Python."""
    return {name: schema_of(hint) for name, hint in _hints(shape).items() if name not in _OPTIONS}


def _hints(shape: type[Any]) -> dict[str, Any]:
    """Return the types of a class. A name that its module imports for type checkers only stands for any type."""
    unknown: dict[str, Any] = {}
    while True:
        try:
            return get_type_hints(shape, localns=unknown)
        except NameError as error:
            unknown[str(error.name)] = Any


def schema_of(hint: Any) -> dict[str, Any]:
    """Return the schema of a type. A type without a counterpart permits any value."""
    if hint in _PLAIN:
        return dict(_PLAIN[hint])
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin in (Union, UnionType):
        return _any_of([schema_of(one) for one in arguments])
    if isinstance(origin, type) and issubclass(origin, Mapping):
        values = schema_of(arguments[1])
        return {"type": "object", "additionalProperties": values} if values else {"type": "object"}
    if origin in (Iterable, Sequence, list, tuple):
        return {"type": "array", "items": schema_of(arguments[0])}
    if isinstance(hint, type) and issubclass(hint, Mapping):
        return {"type": "object"}
    return {}


def _any_of(schemas: list[dict[str, Any]]) -> dict[str, Any]:
    known = [one for place, one in enumerate(schemas) if one and one not in schemas[:place]]
    return known[0] if len(known) == 1 else {"anyOf": known} if known else {}
