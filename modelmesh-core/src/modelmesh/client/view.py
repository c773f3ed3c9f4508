"""Attribute access over decoded JSON, built when it is asked for; nothing is validated and nothing is dropped."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Self


class View:
    """One JSON object: ``reply.model`` and ``reply["model"]`` are the same.

    A field that the shape knows and the vendor did not send reads as ``None``; one that it does not know and the
    vendor did send is there like any other.
    """

    __slots__ = ("_data",)
    _nested: ClassVar[dict[str, type[View]]] = {}
    _known: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls, nested: Mapping[str, type[View]] | None = None) -> None:
        cls._nested = dict(nested or {})
        cls._known = frozenset(name for base in cls.__mro__ for name in base.__dict__.get("__annotations__", {}) if name[0] != "_")

    def __init__(self, data: dict[str, Any]) -> None:
        object.__setattr__(self, "_data", data)

    def __getattr__(self, name: str) -> Any:
        try:
            value = self._data[name]
        except KeyError:
            if name in self._known:
                return None
            message = f"{type(self).__name__!r} object has no attribute {name!r}"
            raise AttributeError(message) from None
        if value.__class__ is dict:
            return self._nested.get(name, View)(value)
        if value.__class__ is list:
            shape = self._nested.get(name, View)
            return [shape(item) if item.__class__ is dict else item for item in value]
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        self._data[name] = value._data if isinstance(value, View) else value

    def __getitem__(self, key: str) -> Any:
        try:
            return getattr(self, key) if key in self._data or key in self._known else self._data[key]
        except AttributeError:
            raise KeyError(key) from None

    def get(self, key: str, default: Any = None) -> Any:
        """Return a field, or a default when it is absent."""
        return self[key] if key in self._data else default

    def keys(self) -> list[str]:
        """Names of the fields that are there."""
        return list(self._data)

    def __contains__(self, key: object) -> bool:
        return key in self._data

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        return iter(self._data.items())

    def __eq__(self, other: object) -> bool:
        if isinstance(other, View):
            return bool(self._data == other._data)
        return bool(self._data == other) if isinstance(other, dict) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __dir__(self) -> list[str]:
        return sorted({*object.__dir__(self), *self._known, *self._data})

    def model_dump(
        self, *, exclude_none: bool = False, exclude: Any = None, include: Any = None, **_: Any
    ) -> dict[str, Any]:
        """Return the object as plain data, as pydantic's method of that name does; other of its options have no effect.

        Args:
            exclude_none: Leave out fields that are null.
            exclude: Names to leave out, or a mapping of names to what to leave out below them.
            include: Names to keep.
        """
        return _plain(self._data, exclude_none=exclude_none, exclude=exclude, include=include)  # type: ignore[no-any-return]

    def to_dict(self, **options: Any) -> dict[str, Any]:
        """Return the object as plain data."""
        return self.model_dump(**options)

    def model_dump_json(self, *, indent: int | None = None, exclude_none: bool = False, **options: Any) -> str:
        """Return the object as JSON text."""
        separators = None if indent else (",", ":")
        return json.dumps(self.model_dump(exclude_none=exclude_none, **options), indent=indent, ensure_ascii=False, separators=separators)

    def to_json(self, *, indent: int | None = 2, **options: Any) -> str:
        """Return the object as JSON text."""
        return self.model_dump_json(indent=indent, **options)

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._data)
        return f"{type(self).__name__}({fields})"

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self._data,))

    def __copy__(self) -> Self:
        return type(self)(dict(self._data))


def _plain(value: Any, *, exclude_none: bool, exclude: Any = None, include: Any = None) -> Any:
    if isinstance(value, dict):
        below = exclude if isinstance(exclude, Mapping) else {}
        dropped = {name for name, rule in below.items() if rule in (True, ...)} if below else set(exclude or ())
        return {
            key: _plain(item, exclude_none=exclude_none, exclude=_below(below.get(key)))
            for key, item in value.items()
            if key not in dropped and (include is None or key in include) and not (exclude_none and item is None)
        }
    if isinstance(value, list):
        each = exclude.get("__all__") if isinstance(exclude, Mapping) else None
        return [
            _plain(item, exclude_none=exclude_none, exclude=each or (exclude.get(place) if isinstance(exclude, Mapping) else None))
            for place, item in enumerate(value)
        ]
    return value


def _below(rule: Any) -> Any:
    return None if rule in (True, ..., None) else rule
