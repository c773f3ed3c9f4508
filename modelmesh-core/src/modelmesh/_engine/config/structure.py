"""Conversion of canonical data to typed values with cattrs. Each invalid value is a problem with its position."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from functools import cache
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import cattrs
from attrs import asdict, fields_dict, has
from cattrs.errors import ClassValidationError, ForbiddenExtraKeysError, IterableValidationError
from cattrs.gen import make_dict_structure_fn, override

from modelmesh._engine.config import schema
from modelmesh._engine.config.problems import Problems
from modelmesh._engine.config.references import literal, literals
from modelmesh._engine.config.source_map import KeyPath
from modelmesh._engine.foundation.secret import Secret
from modelmesh._engine.foundation.suggestions import did_you_mean
from modelmesh._engine.foundation.units import duration, size
from modelmesh._engine.routing.pool_policy import Adaptation, Backoff, Commit, RetryScope
from modelmesh.contracts.pricing import MOST_PER_1K_TOKENS, MOST_PER_REQUEST

Section = TypeVar("Section")

UNKNOWN: Any = type("Unknown", (), {"__slots__": (), "__repr__": lambda _: "an unknown value"})()
"""Replaces the value of an unresolved reference. An error about it is not reported again."""

MAX_USD = 1e15
"""Maximum of amounts of money, in USD."""


@cache
def _converter() -> cattrs.Converter:
    converter = cattrs.Converter(detailed_validation=True, forbid_extra_keys=True)
    converter.register_structure_hook(schema.Seconds, lambda value, _: schema.Seconds(duration(value)))
    converter.register_structure_hook(schema.Fraction, lambda value, _: _fraction(value))
    converter.register_structure_hook(schema.Codes, lambda value, _: _codes(value))
    converter.register_structure_hook(schema.Names, lambda value, _: _names(value))
    converter.register_structure_hook(schema.Delivery, lambda value, _: _delivery(value))
    converter.register_structure_hook(bool, lambda value, _: _require_type(value, bool, "true or false"))
    converter.register_structure_hook(str, lambda value, _: _require_type(value, str, "text"))
    converter.register_structure_hook(int, lambda value, _: _whole(value))
    converter.register_structure_hook(float, lambda value, _: _number(value))
    converter.register_structure_hook(schema.Minutes, lambda value, _: _minutes(value))
    converter.register_structure_hook(schema.Size, lambda value, _: schema.Size(size(literal(value))))
    converter.register_structure_hook(schema.Features, lambda value, _: _features(value))
    converter.register_structure_hook(schema.ModelBatch, lambda value, _: _model_batch(value, converter))
    converter.register_structure_hook(schema.Zone, lambda value, _: _zone(value))
    converter.register_structure_hook(schema.Price, lambda value, _: schema.Price(_price(value, MOST_PER_1K_TOKENS)))
    converter.register_structure_hook(schema.RequestPrice, lambda value, _: schema.RequestPrice(_price(value, MOST_PER_REQUEST)))
    for choices in (
        Adaptation,
        Backoff,
        Commit,
        RetryScope,
    ):  # registered by name, because enum members are strings and would use the hook of str
        converter.register_structure_hook(choices, _choice)
    converter.register_structure_hook_factory(_is_literal, lambda _: _literal_choice)
    converter.register_structure_hook_factory(has, lambda cls: _sectioned(cls, converter))
    return converter


def _sectioned(cls: type[Any], converter: cattrs.Converter) -> Any:
    def structure_container(value: Any, kind: Any) -> Any:
        shape, words = _SHAPES[_shape(kind)]
        return converter.structure(value if value is None else _require_type(value, shape, words), kind)

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


def _require_type(value: Any, kind: Any, words: str) -> Any:
    value = literal(value) if kind is bool else value
    if isinstance(value, kind) or (kind is str and isinstance(value, Secret)):
        return value
    message = f"must be {words}, not {value!r}"
    raise ValueError(message)


def _choice(value: Any, choices: type[StrEnum]) -> StrEnum:
    try:
        return choices(value)
    except ValueError:
        raise _invalid_choice(value, list(choices)) from None


def _literal_choice(value: Any, choices: Any) -> Any:
    if isinstance(value, str) and value in get_args(choices):
        return value
    raise _invalid_choice(value, get_args(choices))


def _invalid_choice(value: Any, choices: Sequence[str]) -> ValueError:
    return ValueError(f"must be one of {', '.join(choices)}, not {value!r}")


def _whole(value: Any) -> int:
    value = literal(value)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    message = f"must be a whole number, 0 or more, not {value!r}"
    raise ValueError(message)


def _number(value: Any) -> float:
    value = literal(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= MAX_USD:
        return float(value)
    most = f" (the maximum is {MAX_USD:g})" if isinstance(value, int | float) and MAX_USD < value < math.inf else ""
    message = f"must be a number, 0 or more, not {value!r}{most}"
    raise ValueError(message)


def _price(value: Any, most: float) -> float:
    number = _number(value)
    if number <= most:
        return number
    message = f"must be USD from 0 to {most:g}, not {value!r}. Prices are per 1,000 tokens, not per million"
    raise ValueError(message)


def _fraction(value: Any) -> schema.Fraction:
    value = literal(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1:
        return schema.Fraction(float(value))
    message = f"must be a share from 0.0 to 1.0, not {value!r}"
    raise ValueError(message)


def _codes(value: Any) -> schema.Codes:
    value = [literal(code) for code in value] if isinstance(value, list) else value
    if isinstance(value, list | tuple | set | frozenset) and all(isinstance(code, int) and 100 <= code <= 599 for code in value):  # noqa: PLR2004
        return schema.Codes(frozenset(value))
    message = f"must be a list of HTTP statuses such as [429, 500, 503], not {value!r}"
    raise ValueError(message)


def _names(value: Any) -> schema.Names:
    if isinstance(value, str):
        return schema.Names((value,))
    if isinstance(value, list | tuple) and all(isinstance(name, str) for name in value):
        return schema.Names(tuple(value))
    message = f"must be a list of names, not {value!r}"
    raise ValueError(message)


def _zone(value: Any) -> schema.Zone:
    try:
        ZoneInfo(str(value))
    except (ValueError, OSError, ZoneInfoNotFoundError):
        message = f"must name a time zone of this machine, e.g. 'UTC' or 'America/Los_Angeles', not {value!r}"
        raise ValueError(message) from None
    return schema.Zone(str(value))


def _minutes(value: Any) -> schema.Minutes:
    from modelmesh._engine.health.cron import Cron  # noqa: PLC0415 - only where a window is configured

    return schema.Minutes(Cron.parse(_require_type(value, str, "a cron expression")).text)


_MODES = {"sync": "synchronous", "synchronous": "synchronous", "streaming": "streaming", "stream": "streaming", "batch": "batch"}


def _delivery(value: Any) -> schema.Delivery:
    if isinstance(value, str):
        value = [value]
    if isinstance(value, list | tuple) and all(isinstance(mode, str) and mode in _MODES for mode in value):
        named = {_MODES[mode] for mode in value}
        return schema.Delivery({mode: mode in named for mode in ("synchronous", "streaming", "batch")})
    value = literals(value) if isinstance(value, Mapping) else value
    unknown = [str(mode) for mode in value if mode not in _MODES] if isinstance(value, Mapping) else []
    if unknown:
        known = ", ".join(_MODES)
        raise _KeysError({mode: f"unknown mode {mode!r}.{did_you_mean(mode, _MODES)} Known here: {known}" for mode in unknown})
    if isinstance(value, Mapping) and all(isinstance(offered, bool) for offered in value.values()):
        return schema.Delivery({_MODES[mode]: offered for mode, offered in value.items()})
    message = f"must list delivery modes (sync, streaming, batch) or map each mode to true or false, not {value!r}"
    raise ValueError(message)


def _features(value: Any) -> schema.Features:
    if not isinstance(value, Mapping):
        message = f"must be a map of keys, not {value!r}"
        raise ValueError(message)  # noqa: TRY004 - a bad value, not a bug
    stated = {str(name): literal(flag) for name, flag in value.items()}
    wrong = {
        name: f"must be true or false, not {flag!r}"
        for name, flag in stated.items()
        if not isinstance(flag, bool) and flag is not UNKNOWN
    }
    known = ", ".join(schema.FEATURES)
    wrong |= {
        name: f"unknown feature {name!r}.{did_you_mean(name, schema.FEATURES)} Known here: {known}"
        for name in stated
        if name not in schema.FEATURES
    }
    if wrong:
        raise _KeysError(wrong)
    return schema.Features(stated)


def _model_batch(value: Any, converter: cattrs.Converter) -> schema.ModelBatch:
    value = literal(value)
    if isinstance(value, bool):
        return schema.ModelBatch({"supported": value})
    section = converter.structure(value, schema.ModelBatchSection)
    return schema.ModelBatch(asdict(section))


class _KeysError(ValueError):
    """Invalid values below the structured one, as messages by key."""

    def __init__(self, wrong: Mapping[str, str]) -> None:
        super().__init__("; ".join(wrong.values()))
        self.wrong = wrong


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
        elif isinstance(inner, _KeysError):
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
    kept = {}
    for key, value in data.items():
        mine = [fault[1:] for fault in faults if fault[:1] == (key,)]
        if not any(not fault or isinstance(fault[0], int) for fault in mine):
            kept[key] = _without(value, mine) if mine else value
    return kept


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
