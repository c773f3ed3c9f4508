"""Conversion of a section with cattrs. Each invalid value is a problem with its position."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import cattrs
from attrs import fields_dict, has
from cattrs.errors import ClassValidationError, ForbiddenExtraKeysError, IterableValidationError
from cattrs.gen import make_dict_structure_fn, override

from modelmesh._engine.config import schema
from modelmesh._engine.config.conversions import (
    UNKNOWN,
    KeysError,
    require_type,
    to_choice,
    to_codes,
    to_delivery,
    to_features,
    to_fraction,
    to_literal,
    to_minutes,
    to_model_batch,
    to_names,
    to_number,
    to_price,
    to_whole_number,
    to_zone,
)
from modelmesh._engine.config.problems import Problems
from modelmesh._engine.config.references import literal
from modelmesh._engine.config.source_map import KeyPath
from modelmesh._engine.foundation.suggestions import did_you_mean
from modelmesh._engine.foundation.units import parse_duration, parse_size
from modelmesh._engine.routing.pool_policy import Adaptation, Backoff, Commit, RetryScope
from modelmesh.contracts.pricing import MOST_PER_1K_TOKENS, MOST_PER_REQUEST

Section = TypeVar("Section")


@cache
def _converter() -> cattrs.Converter:
    converter = cattrs.Converter(detailed_validation=True, forbid_extra_keys=True)
    converter.register_structure_hook(schema.Seconds, lambda value, _: schema.Seconds(parse_duration(value)))
    converter.register_structure_hook(schema.Fraction, lambda value, _: to_fraction(value))
    converter.register_structure_hook(schema.Codes, lambda value, _: to_codes(value))
    converter.register_structure_hook(schema.Names, lambda value, _: to_names(value))
    converter.register_structure_hook(schema.Delivery, lambda value, _: to_delivery(value))
    converter.register_structure_hook(bool, lambda value, _: require_type(value, bool, "true or false"))
    converter.register_structure_hook(str, lambda value, _: require_type(value, str, "text"))
    converter.register_structure_hook(int, lambda value, _: to_whole_number(value))
    converter.register_structure_hook(float, lambda value, _: to_number(value))
    converter.register_structure_hook(schema.Minutes, lambda value, _: to_minutes(value))
    converter.register_structure_hook(schema.Size, lambda value, _: schema.Size(parse_size(literal(value))))
    converter.register_structure_hook(schema.Features, lambda value, _: to_features(value))
    converter.register_structure_hook(schema.ModelBatch, lambda value, _: to_model_batch(value, converter))
    converter.register_structure_hook(schema.Zone, lambda value, _: to_zone(value))
    converter.register_structure_hook(schema.Price, lambda value, _: schema.Price(to_price(value, MOST_PER_1K_TOKENS)))
    converter.register_structure_hook(
        schema.RequestPrice, lambda value, _: schema.RequestPrice(to_price(value, MOST_PER_REQUEST))
    )
    # Registered by name, because enum members are strings and would use the hook of str.
    for choices in (Adaptation, Backoff, Commit, RetryScope):
        converter.register_structure_hook(choices, to_choice)
    converter.register_structure_hook_factory(_is_literal, lambda _: to_literal)
    converter.register_structure_hook_factory(has, lambda cls: _sectioned(cls, converter))
    return converter


def _sectioned(cls: type[Any], converter: cattrs.Converter) -> Any:
    def structure_container(value: Any, kind: Any) -> Any:
        shape, words = _SHAPES[_shape(kind)]
        return converter.structure(value if value is None else require_type(value, shape, words), kind)

    hooks = {
        name: override(struct_hook=structure_container) for name, kind in get_type_hints(cls).items() if _shape(kind) in _SHAPES
    }
    build: Any = make_dict_structure_fn(cls, converter, _cattrs_forbid_extra_keys=True, **hooks)  # type: ignore[arg-type]

    def structure(value: Any, wanted: Any) -> Any:
        if isinstance(value, cls):
            return value
        if not isinstance(value, Mapping):
            message = f"must be a map of keys, not {value!r}"
            raise ValueError(message)  # noqa: TRY004 - a bad value, not a bug
        return build(value, wanted)

    return structure


_SHAPES: dict[Any, Any] = {list: (list | tuple, "a list"), tuple: (list | tuple, "a list"), dict: (Mapping, "a map of keys")}
"""Accepted types by shape, with a name. A text is not a list, although Python can iterate over it."""


def _shape(kind: Any) -> Any:
    """Return the container type of a key, optional or not."""
    return next((origin for part in (kind, *get_args(kind)) if (origin := get_origin(part)) in _SHAPES), None)


def _is_literal(kind: Any) -> bool:
    origin: Any = get_origin(kind)
    return origin is Literal


def convert(data: Any, cls: type[Section], path: KeyPath, problems: Problems) -> tuple[Section | None, set[str]]:
    """Convert a section, with the arguments and result of :func:`.structure.structure`."""
    found: Section | None = None
    faults: list[KeyPath] = []
    try:
        found = _converter().structure(data, cls)
    except ClassValidationError as error:
        _explain(error, data, path, (), problems, faults)
    except (ValueError, TypeError) as error:
        if not _is_unknown(data):
            problems.add(path, str(error))
        return None, set()
    faults += _unknowns(data)
    left_out = {str(fault[0]) for fault in faults if len(fault) == 1}
    if not faults:
        return found, left_out
    try:
        return _converter().structure(_without(data, faults), cls), left_out
    except (ClassValidationError, ValueError, TypeError):
        return None, left_out


def _explain(error: Any, data: Any, path: KeyPath, at: KeyPath, problems: Problems, faults: list[KeyPath]) -> None:
    """Add a problem for each part of an error. ``at`` is the path of ``data`` within the section at ``path``."""
    for inner in error.exceptions:
        step = _step(inner)
        below, value = (*at, *step), _value_at(data, step)
        if isinstance(inner, ClassValidationError | IterableValidationError):
            _explain(inner, value, path, below, problems, faults)
        elif isinstance(inner, ForbiddenExtraKeysError):
            known = list(fields_dict(inner.cl))
            for key in sorted(inner.extra_fields, key=str):
                hint = did_you_mean(str(key), known)
                problems.add((*path, *at, str(key)), f"unknown key {key!r}.{hint} Known here: {', '.join(sorted(known))}")
                faults.append((*at, key))
        elif isinstance(inner, KeysError):
            for key, what in inner.wrong.items():
                problems.add((*path, *below, key), what)
                faults.append((*below, key))
        elif isinstance(inner, KeyError):
            problems.add((*path, *at), f"requires {inner.args[0]!r}")
        else:
            if not _is_unknown(value):
                problems.add((*path, *below), str(inner))
            faults.append(below)


def _unknowns(data: Any, at: KeyPath = ()) -> Iterator[KeyPath]:
    if isinstance(data, Mapping):
        for key, value in data.items():
            yield from _unknowns(value, (*at, key))
    elif data is UNKNOWN or (isinstance(data, list) and _is_unknown(data)):
        yield at


def _without(data: Any, faults: Sequence[KeyPath]) -> Any:
    """Return a copy of the data without faulty values. A list with a faulty item is left out as a whole."""
    if not isinstance(data, Mapping):
        return data
    remaining = {}
    for key, value in data.items():
        below = [fault[1:] for fault in faults if fault[:1] == (key,)]
        if not any(not fault or isinstance(fault[0], int) for fault in below):
            remaining[key] = _without(value, below) if below else value
    return remaining


def _is_unknown(value: Any) -> bool:
    """Return whether a value is unknown, or contains an unknown value."""
    if isinstance(value, Mapping):
        return any(_is_unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(_is_unknown(item) for item in value)
    return value is UNKNOWN


def _value_at(data: Any, step: KeyPath) -> Any:
    for part in step:
        try:
            data = data[part]
        except (LookupError, TypeError):
            return None
    return data


def _step(error: BaseException) -> KeyPath:
    for note in getattr(error, "__notes__", ()):
        name = getattr(note, "name", None)
        if isinstance(name, str):
            return (name,)
        index = getattr(note, "index", None)
        if index is not None:
            return (index,)
    return ()
