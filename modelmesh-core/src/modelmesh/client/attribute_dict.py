"""Attribute access to decoded JSON, created on access. Values are neither validated nor dropped.

Replies are dictionaries, so code for OpenAI's JSON accepts them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from inspect import get_annotations
from typing import TYPE_CHECKING, Any, ClassVar


class AttributeDict(dict[str, Any]):
    """One JSON object: ``reply.model`` and ``reply["model"]`` are the same.

    A declared field that the vendor did not send is ``None``. An undeclared field that the vendor sent is accessible like any
    other, for type checkers as an item only. A field with the name of a dictionary method is accessible as an item.
    """

    __slots__ = ()
    _nested: ClassVar[Mapping[str, type[AttributeDict]]] = {}
    _known: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls, nested: Mapping[str, type[AttributeDict]] | None = None) -> None:
        super().__init_subclass__()
        inherited = [vars(base).get("_nested", {}) for base in reversed(cls.__mro__[1:])]
        cls._nested = {name: shape for shapes in (*inherited, nested or {}) for name, shape in shapes.items()}
        cls._known = frozenset(name for base in cls.__mro__ for name in get_annotations(base) if name[0] != "_")
        for name in (get_annotations(cls).keys() & cls._known) | cls._nested.keys():
            if name not in vars(cls) and not hasattr(dict, name):
                setattr(cls, name, _property_of(name, cls._nested.get(name, AttributeDict)))

    if not TYPE_CHECKING:  # hidden, so that a misspelled field is a type error. Unknown fields are typed by item access

        def __getattr__(self, name: str) -> Any:
            try:
                return self[name]
            except KeyError:
                message = f"{type(self).__name__!r} object has no attribute {name!r}"
                raise AttributeError(message) from None

        def __setattr__(self, name: str, value: Any) -> None:
            self[name] = value

    def __getitem__(self, name: str) -> Any:
        value = dict.__getitem__(self, name)
        if value.__class__ is dict:  # first access: store the converted object
            value = self._nested.get(name, AttributeDict)(value)
            dict.__setitem__(self, name, value)
        elif value.__class__ is list and value and value[0].__class__ is dict:
            shape = self._nested.get(name, AttributeDict)
            value[:] = [shape(item) if item.__class__ is dict else item for item in value]
        return value

    def get(self, name: str, default: Any = None) -> Any:
        """Return a field, or ``default`` if the vendor did not send it."""
        return self[name] if name in self else default  # noqa: SIM401 - dict.get would not convert nested objects

    def __dir__(self) -> list[str]:
        return sorted({*object.__dir__(self), *self._known, *dict.keys(self)})

    def model_dump(
        self,
        *,
        exclude_none: bool = False,
        exclude: Any = None,
        include: Any = None,
        **_: Any,
    ) -> dict[str, Any]:
        """Return the object as plain data, like pydantic's method of that name. Its other options have no effect.

        Args:
            exclude_none: Omit fields that are null.
            exclude: Names to omit, or a mapping of names to the names to omit below them.
            include: Names to keep.
        """
        plain: dict[str, Any] = _plain(self, exclude_none=exclude_none, exclude=exclude, include=include)
        return plain

    def to_dict(self, **options: Any) -> dict[str, Any]:
        """Return the object as plain data."""
        return self.model_dump(**options)

    def model_dump_json(self, *, indent: int | None = None, **options: Any) -> str:
        """Return the object as JSON text, with the options of :meth:`model_dump`."""
        separators = None if indent else (",", ":")
        return json.dumps(self.model_dump(**options), indent=indent, ensure_ascii=False, separators=separators)

    def to_json(self, *, indent: int | None = 2, **options: Any) -> str:
        """Return the object as JSON text."""
        return self.model_dump_json(indent=indent, **options)

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={_shown(self[name])}" for name in dict.keys(self))
        return f"{type(self).__name__}({fields})"

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.model_dump(),))


_get: Any = dict.get
_set: Any = dict.__setitem__


def _property_of(name: str, shape: type[AttributeDict]) -> property:
    """Return a property for a declared field, which is several times as fast as ``__getattr__``."""

    def read(self: AttributeDict) -> Any:
        value = _get(self, name)
        if value.__class__ is dict:  # first access, as in __getitem__
            value = shape(value)
            _set(self, name, value)
        elif value.__class__ is list and value and value[0].__class__ is dict:
            return self[name]
        return value

    return property(read)


LONGEST_SHOWN = 16
"""Longest list of numbers that a repr shows in full. A vector has thousands."""


def _shown(value: Any) -> str:
    if value.__class__ is list and len(value) > LONGEST_SHOWN and isinstance(value[0], int | float):
        return f"[{value[0]!r}, {value[1]!r}, … {len(value)} numbers]"
    return repr(value)


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
        rules = exclude if isinstance(exclude, Mapping) else {}
        return [
            _plain(item, exclude_none=exclude_none, exclude=rules.get("__all__") or rules.get(place))
            for place, item in enumerate(value)
        ]
    return value


def _below(rule: Any) -> Any:
    return None if rule in (True, ..., None) else rule
