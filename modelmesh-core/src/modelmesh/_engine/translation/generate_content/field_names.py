"""Field names of Google's JSON: camel case, where a caller may write underscores."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

_FREE_FORM = frozenset(
    {"args", "response", "parameters", "parametersJsonSchema", "responseJsonSchema", "responseSchema", "labels", "stopSequences"}
)
"""Fields with names of the caller in their values, which stay unchanged."""


def in_camel_case(value: Any) -> Any:
    """Return a value with the names of all its fields in camel case, except the caller's own names."""
    if isinstance(value, Mapping):
        named = ((_camel(name) if isinstance(name, str) else name, inner) for name, inner in value.items())
        return {name: inner if name in _FREE_FORM else in_camel_case(inner) for name, inner in named}
    return [in_camel_case(one) for one in value] if isinstance(value, list | tuple) else value


@lru_cache(maxsize=1024)
def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest) if first else name
