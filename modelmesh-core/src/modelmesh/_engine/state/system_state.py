"""Stored form of a mesh's state. It contains no prompt and no secret."""

from __future__ import annotations

import json
from typing import Any, Final

from attrs import asdict, define, field

FORMAT: Final = 1
"""Version of the format. A new number means that older versions cannot read the state."""

LARGEST: Final = 1 << 63
"""Upper bound of every stored count and time."""


class DamagedStateError(ValueError):
    """The stored data is not a state, or is incomplete."""


class NewerStateError(ValueError):
    """A later version wrote the stored data."""


@define
class SystemState:
    """State of a mesh at one moment. Times are Unix seconds.

    Attributes:
        timestamp: When it was captured.
        models: Circuit breakers of models that are not closed, by ``provider/model``.
        providers: Circuit breakers of provider accounts that are not closed, by provider key.
        pools: By name: members in manual standby, decisions of the pool's own policies, and counts.
        meters: Used amounts of each limit, by counter name.
        usage: Totals of requests, tokens and money.
    """

    timestamp: float
    models: dict[str, Any] = field(factory=dict)
    providers: dict[str, Any] = field(factory=dict)
    pools: dict[str, Any] = field(factory=dict)
    meters: dict[str, Any] = field(factory=dict)
    usage: dict[str, Any] = field(factory=dict)

    def to_bytes(self) -> bytes:
        """Encode the state as JSON."""
        return json.dumps({"format": FORMAT, **asdict(self)}, separators=(",", ":"), ensure_ascii=False).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> SystemState:
        """Decode a state.

        Raises:
            NewerStateError: A later version wrote it.
            DamagedStateError: The data is not a state.
        """
        try:
            raw = json.loads(data)
            written = raw.pop("format")
            if not isinstance(written, int):
                raise TypeError("format")
            if written <= FORMAT:
                _check(raw)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            message = f"it is not a modelmesh state ({type(error).__name__})"
            raise DamagedStateError(message) from None
        if written > FORMAT:
            message = f"a later version of modelmesh-core wrote it (format {written}, this version reads {FORMAT})"
            raise NewerStateError(message)
        try:
            known = {name: raw[name] for name in _FIELDS}
            state = cls(**known)
            state.timestamp = float(state.timestamp)
        except (TypeError, ValueError, KeyError) as error:
            message = f"a part of it is missing ({error})"
            raise DamagedStateError(message) from None
        if not all(isinstance(getattr(state, name), dict) for name in _FIELDS if name != "timestamp"):
            message = "a part of it is not a map"
            raise DamagedStateError(message)
        return state


def _check(value: Any) -> None:
    """Reject values that JSON allows and that would stop every timer or the next save: huge numbers, NaN, half surrogates."""
    if isinstance(value, str):
        value.encode()
    elif isinstance(value, dict):
        for name, item in value.items():
            _check(name)
            _check(item)
    elif isinstance(value, list):
        for item in value:
            _check(item)
    elif isinstance(value, int | float) and not abs(value) < LARGEST:
        message = "a number in it is out of range"
        raise ValueError(message)


_FIELDS = tuple(attribute.name for attribute in SystemState.__attrs_attrs__)
