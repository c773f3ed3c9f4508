"""Conversion of Google's schemas, a subset of OpenAPI's, to JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_TYPES = {"STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT", "NULL"}
_NOT_JSON_SCHEMA = frozenset({"propertyOrdering", "property_ordering", "nullable", "example"})
_RENAMED = {
    "any_of": "anyOf",
    "max_items": "maxItems",
    "min_items": "minItems",
    "max_length": "maxLength",
    "min_length": "minLength",
    "max_properties": "maxProperties",
    "min_properties": "minProperties",
}
_UNSTATED = ("TYPE_UNSPECIFIED",)
_COUNTS = frozenset({"maxItems", "minItems", "maxLength", "minLength", "maxProperties", "minProperties"})
"""Limits that Google writes as texts, because they are 64-bit integers."""


def json_schema(schema: Any) -> Any:
    """Return a schema as JSON Schema: types in lower case, and ``nullable`` as a further type."""
    if not isinstance(schema, Mapping):
        return schema
    named: Any = ((_RENAMED.get(name, name), value) for name, value in schema.items())
    found: dict[str, Any] = {
        name: _converted(name, value) for name, value in named if name not in _NOT_JSON_SCHEMA and value not in _UNSTATED
    }
    if schema.get("nullable") is True:
        _permit_null(found)
    return found


def _converted(name: Any, value: Any) -> Any:
    if name == "properties" and isinstance(value, Mapping):
        return {key: json_schema(inner) for key, inner in value.items()}
    if name == "anyOf" and isinstance(value, list | tuple):
        return [json_schema(inner) for inner in value]
    if name in ("items", "additionalProperties"):
        return json_schema(value)
    if name == "type" and isinstance(value, str) and value.upper() in _TYPES:
        return value.lower()
    return int(value) if name in _COUNTS and isinstance(value, str) and value.isdecimal() else value


def _permit_null(schema: dict[str, Any]) -> None:
    if isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]
        if isinstance(schema.get("enum"), list | tuple):
            schema["enum"] = [*schema["enum"], None]
    elif isinstance(schema.get("anyOf"), list):
        schema["anyOf"] = [*schema["anyOf"], {"type": "null"}]
