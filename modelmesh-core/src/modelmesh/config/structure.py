"""From canonical plain data to typed values, with cattrs; what does not fit is a problem with a place."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import cache
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import cattrs
from attrs import fields_dict, has
from cattrs.errors import ClassValidationError, ForbiddenExtraKeysError, IterableValidationError
from cattrs.gen import make_dict_structure_fn, override

from modelmesh.config import schema
from modelmesh.config.locate import Path
from modelmesh.config.problems import Problems, did_you_mean
from modelmesh.config.units import duration
from modelmesh.contracts.pricing import MOST_PER_1K_TOKENS, MOST_PER_REQUEST
from modelmesh.routing.policy import Adaptation, Backoff, Commit, RetryScope

Section = TypeVar("Section")

MOST_USD = 1e15
"""No limit of money is above it."""


@cache
def _converter() -> cattrs.Converter:
    converter = cattrs.Converter(detailed_validation=True, forbid_extra_keys=True)
    converter.register_structure_hook(schema.Seconds, lambda value, _: schema.Seconds(duration(value)))
    converter.register_structure_hook(schema.Fraction, lambda value, _: _fraction(value))
    converter.register_structure_hook(schema.Codes, lambda value, _: _codes(value))
    converter.register_structure_hook(schema.Names, lambda value, _: _names(value))
    converter.register_structure_hook(schema.Delivery, lambda value, _: _delivery(value))
    converter.register_structure_hook(bool, lambda value, _: _exactly(value, bool, "true or false"))
    converter.register_structure_hook(str, lambda value, _: _exactly(value, str, "text"))
    converter.register_structure_hook(int, lambda value, _: _whole(value))
    converter.register_structure_hook(float, lambda value, _: _number(value))
    converter.register_structure_hook(schema.Minutes, lambda value, _: _minutes(value))
    converter.register_structure_hook(schema.Zone, lambda value, _: _zone(value))
    converter.register_structure_hook(schema.Price, lambda value, _: schema.Price(_price(value, MOST_PER_1K_TOKENS)))
    converter.register_structure_hook(schema.RequestPrice, lambda value, _: schema.RequestPrice(_price(value, MOST_PER_REQUEST)))
    for choices in (Adaptation, Backoff, Commit, RetryScope):  # each by name: they are strings, and so is their hook
        converter.register_structure_hook(choices, _choice)
    converter.register_structure_hook_factory(_is_literal, lambda _: _word)
    converter.register_structure_hook_factory(has, lambda cls: _sectioned(cls, converter))
    return converter


def _sectioned(cls: type[Any], converter: cattrs.Converter) -> Any:
    def several(value: Any, kind: Any) -> Any:
        shape, words = _SHAPES[_shape(kind)]
        return converter.structure(value if value is None else _exactly(value, shape, words), kind)

    hooks = {name: override(struct_hook=several) for name, kind in get_type_hints(cls).items() if _shape(kind) in _SHAPES}
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
"""A text is a list of letters to Python, and to nobody else; a map is one of its keys."""


def _shape(kind: Any) -> Any:
    """Return what holds the values of a key, whether or not it may be ``None``."""
    return next((origin for part in (kind, *get_args(kind)) if (origin := get_origin(part)) in _SHAPES), None)


def _is_literal(kind: Any) -> bool:
    origin: Any = get_origin(kind)
    return origin is Literal


def _exactly(value: Any, kind: Any, words: str) -> Any:
    if isinstance(value, kind):
        return value
    message = f"must be {words}, not {value!r}"
    raise ValueError(message)


def _choice(value: Any, choices: type[StrEnum]) -> StrEnum:
    try:
        return choices(value)
    except ValueError:
        raise _no_choice(value, list(choices)) from None


def _word(value: Any, choices: Any) -> Any:
    if isinstance(value, str) and value in get_args(choices):
        return value
    raise _no_choice(value, get_args(choices))


def _no_choice(value: Any, choices: Sequence[str]) -> ValueError:
    return ValueError(f"must be one of {', '.join(choices)}, not {value!r}")


def _whole(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    message = f"must be a whole number, 0 or more, not {value!r}"
    raise ValueError(message)


def _number(value: Any) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= MOST_USD:
        return float(value)
    most = f"; {MOST_USD:g} is the most" if isinstance(value, int | float) and MOST_USD < value < math.inf else ""
    message = f"must be a number, 0 or more, not {value!r}{most}"
    raise ValueError(message)


def _price(value: Any, most: float) -> float:
    number = _number(value)
    if number <= most:
        return number
    message = f"must be USD from 0 to {most:g}, not {value!r}; prices are of 1,000 tokens, not of a million"
    raise ValueError(message)


def _fraction(value: Any) -> schema.Fraction:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1:
        return schema.Fraction(float(value))
    message = f"must be a share from 0.0 to 1.0, not {value!r}"
    raise ValueError(message)


def _codes(value: Any) -> schema.Codes:
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
    from modelmesh.routing.cron import Cron  # noqa: PLC0415 - only where a window is configured

    return schema.Minutes(Cron.parse(_exactly(value, str, "a cron expression")).text)


_MODES = {"sync": "synchronous", "synchronous": "synchronous", "streaming": "streaming", "stream": "streaming", "batch": "batch"}


def _delivery(value: Any) -> schema.Delivery:
    if isinstance(value, str):
        value = [value]
    if isinstance(value, list | tuple) and all(isinstance(mode, str) and mode in _MODES for mode in value):
        named = {_MODES[mode] for mode in value}
        return schema.Delivery({mode: mode in named for mode in ("synchronous", "streaming", "batch")})
    if isinstance(value, Mapping) and all(mode in _MODES and isinstance(offered, bool) for mode, offered in value.items()):
        return schema.Delivery({_MODES[mode]: offered for mode, offered in value.items()})
    message = f"must name delivery modes (sync, streaming, batch), or say true or false of each, not {value!r}"
    raise ValueError(message)


def structure(data: Mapping[str, Any], cls: type[Section], path: Path, problems: Problems) -> Section | None:
    """Build one section.

    Args:
        data: Canonical plain data.
        cls: The section's class.
        path: Where it stands, for messages.
        problems: Takes what is wrong.

    Returns:
        The section, or ``None`` when something was.
    """
    try:
        return _converter().structure(data, cls)
    except ClassValidationError as error:
        _explain(error, path, problems)
    except (ValueError, TypeError) as error:
        problems.add(path, str(error))
    return None


def _explain(error: Any, path: Path, problems: Problems) -> None:
    for inner in error.exceptions:
        below = (*path, *_step(inner))
        if isinstance(inner, ClassValidationError | IterableValidationError):
            _explain(inner, below, problems)
        elif isinstance(inner, ForbiddenExtraKeysError):
            known = list(fields_dict(inner.cl))
            for key in sorted(inner.extra_fields):
                problems.add(
                    (*path, key), f"unknown key {key!r}.{did_you_mean(key, known)} Known here: {', '.join(sorted(known))}"
                )
        elif isinstance(inner, KeyError):
            problems.add(path, f"needs {inner.args[0]!r}")
        else:
            problems.add(below, str(inner))


def _step(error: BaseException) -> Path:
    for note in getattr(error, "__notes__", ()):
        name = getattr(note, "name", None)
        if isinstance(name, str):
            return (name,)
        index = getattr(note, "index", None)
        if index is not None:
            return (index,)
    return ()
