"""Conversion of single values of the configuration. A ``ValueError`` completes the sentence "<key> …"."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any, get_args

from attrs import asdict

from modelmesh._engine.config import schema
from modelmesh._engine.config.references import literal, literals
from modelmesh._engine.foundation.secret import Secret
from modelmesh._engine.foundation.suggestions import did_you_mean

if TYPE_CHECKING:
    import cattrs

UNKNOWN: Any = type("Unknown", (), {"__slots__": (), "__repr__": lambda _: "an unknown value"})()
"""Replaces the value of an unresolved reference. An error about it is not reported again."""

MAX_USD = 1e15
"""Maximum of amounts of money, in USD."""


def require_type(value: Any, kind: Any, words: str) -> Any:
    """Return the value if it has a type, else raise with the name of the type."""
    value = literal(value) if kind is bool else value
    if isinstance(value, kind) or (kind is str and isinstance(value, Secret)):
        return value
    message = f"must be {words}, not {value!r}"
    raise ValueError(message)


def to_choice(value: Any, choices: type[StrEnum]) -> StrEnum:
    """Convert to a member of an enum."""
    try:
        return choices(value)
    except ValueError:
        raise _invalid_choice(value, list(choices)) from None


def to_literal(value: Any, choices: Any) -> Any:
    """Return the value if it is one of the texts of a ``Literal`` type."""
    if isinstance(value, str) and value in get_args(choices):
        return value
    raise _invalid_choice(value, get_args(choices))


def _invalid_choice(value: Any, choices: Sequence[str]) -> ValueError:
    return ValueError(f"must be one of {', '.join(choices)}, not {value!r}")


def to_whole_number(value: Any) -> int:
    """Convert to an integer of at least 0."""
    value = literal(value)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    message = f"must be a whole number, 0 or more, not {value!r}"
    raise ValueError(message)


def to_number(value: Any) -> float:
    """Convert to a number of at least 0."""
    value = literal(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= MAX_USD:
        return float(value)
    limit = f" (the maximum is {MAX_USD:g})" if isinstance(value, int | float) and MAX_USD < value < math.inf else ""
    message = f"must be a number, 0 or more, not {value!r}{limit}"
    raise ValueError(message)


def to_price(value: Any, maximum: float) -> float:
    """Convert to a price in USD up to a maximum, which detects prices per million tokens."""
    number = to_number(value)
    if number <= maximum:
        return number
    message = f"must be USD from 0 to {maximum:g}, not {value!r}. Prices are per 1,000 tokens, not per million"
    raise ValueError(message)


def to_fraction(value: Any) -> schema.Fraction:
    """Convert to a number from 0 to 1."""
    value = literal(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1:
        return schema.Fraction(float(value))
    message = f"must be a share from 0.0 to 1.0, not {value!r}"
    raise ValueError(message)


def to_codes(value: Any) -> schema.Codes:
    """Convert to a set of HTTP statuses."""
    value = [literal(code) for code in value] if isinstance(value, list) else value
    if isinstance(value, list | tuple | set | frozenset) and all(isinstance(code, int) and 100 <= code <= 599 for code in value):  # noqa: PLR2004
        return schema.Codes(frozenset(value))
    message = f"must be a list of HTTP statuses such as [429, 500, 503], not {value!r}"
    raise ValueError(message)


def to_names(value: Any) -> schema.Names:
    """Convert a name or a list of names to a tuple."""
    if isinstance(value, str):
        return schema.Names((value,))
    if isinstance(value, list | tuple) and all(isinstance(name, str) for name in value):
        return schema.Names(tuple(value))
    message = f"must be a list of names, not {value!r}"
    raise ValueError(message)


def to_zone(value: Any) -> schema.Zone:
    """Return the name of a time zone that exists on this machine."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # noqa: PLC0415 - few configurations name a zone

    try:
        ZoneInfo(str(value))
    except (ValueError, OSError, ZoneInfoNotFoundError):
        message = f"must name a time zone of this machine, e.g. 'UTC' or 'America/Los_Angeles', not {value!r}"
        raise ValueError(message) from None
    return schema.Zone(str(value))


def to_minutes(value: Any) -> schema.Minutes:
    """Return a valid cron expression."""
    from modelmesh._engine.health.cron import Cron  # noqa: PLC0415 - only where a window is configured

    return schema.Minutes(Cron.parse(require_type(value, str, "a cron expression")).text)


_MODES = {"sync": "synchronous", "synchronous": "synchronous", "streaming": "streaming", "stream": "streaming", "batch": "batch"}


def to_delivery(value: Any) -> schema.Delivery:
    """Convert a list of delivery modes, or a map of modes, to a map of canonical modes."""
    if isinstance(value, str):
        value = [value]
    if isinstance(value, list | tuple) and all(isinstance(mode, str) and mode in _MODES for mode in value):
        named = {_MODES[mode] for mode in value}
        return schema.Delivery({mode: mode in named for mode in ("synchronous", "streaming", "batch")})
    value = literals(value) if isinstance(value, Mapping) else value
    unknown = [str(mode) for mode in value if mode not in _MODES] if isinstance(value, Mapping) else []
    if unknown:
        known = ", ".join(_MODES)
        raise KeysError({mode: f"unknown mode {mode!r}.{did_you_mean(mode, _MODES)} Known here: {known}" for mode in unknown})
    if isinstance(value, Mapping) and all(isinstance(offered, bool) for offered in value.values()):
        return schema.Delivery({_MODES[mode]: offered for mode, offered in value.items()})
    message = f"must list delivery modes (sync, streaming, batch) or map each mode to true or false, not {value!r}"
    raise ValueError(message)


def to_features(value: Any) -> schema.Features:
    """Convert to a map of known features."""
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
        raise KeysError(wrong)
    return schema.Features(stated)


def to_model_batch(value: Any, converter: cattrs.Converter) -> schema.ModelBatch:
    """Convert ``batch`` of a model, a truth value or a map."""
    value = literal(value)
    if isinstance(value, bool):
        return schema.ModelBatch({"supported": value})
    section = converter.structure(value, schema.ModelBatchSection)
    return schema.ModelBatch(asdict(section))


class KeysError(ValueError):
    """Invalid values below the structured one, as messages by key."""

    def __init__(self, wrong: Mapping[str, str]) -> None:
        super().__init__("; ".join(wrong.values()))
        self.wrong = wrong
