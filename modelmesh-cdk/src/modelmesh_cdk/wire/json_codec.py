"""JSON encoding and decoding, with msgspec where it is installed (extra ``fast``), else with the standard library.

msgspec encodes NaN as null, and types such as dates and bytes that JSON lacks. A value with either of them therefore goes to the
standard library, which rejects it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any, NoReturn

from modelmesh._engine.foundation.json_memory import exceeds_memory
from modelmesh_cdk.wire.limits import TooLargeError


def _refuse(word: str) -> NoReturn:
    message = f"{word} is not JSON"
    raise ValueError(message)


def _finite(digits: str) -> float:
    number = float(digits)
    if number in (math.inf, -math.inf):
        message = "a number is too large"
        raise ValueError(message)
    return number


_decoder = json.JSONDecoder(parse_constant=_refuse, parse_float=_finite)
_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _decode(data: bytes) -> Any:
    value = _decoder.decode(data.decode())
    if b"\\ud" in data.lower():
        _encoder.encode(value).encode()  # a lone surrogate is not text and cannot be encoded
    return value


def _load() -> Callable[[bytes], Any]:
    try:
        import msgspec  # noqa: PLC0415 - optional
    except ImportError:
        return _decode
    decode: Callable[[bytes], Any] = msgspec.json.Decoder().decode
    return decode


_fast_decode = _load()


def _load_encoder() -> Callable[[Any], bytes] | None:
    try:
        import msgspec  # noqa: PLC0415 - optional
    except ImportError:
        return None
    encode: Callable[[Any], bytes] = msgspec.json.Encoder().encode
    return encode


_fast_encode = _load_encoder()


def decode(data: bytes, *, numbers: bool = False) -> Any:
    """Decode JSON bytes.

    Args:
        data: The JSON.
        numbers: Whether the response contains many numbers: embeddings, or log probabilities.

    Raises:
        ValueError: The data is not UTF-8 or not JSON, contains NaN or Infinity, is nested too deep, or would fill the memory.
    """
    if exceeds_memory(data, numbers=numbers):
        message = "its JSON is made of so many small parts that it cannot be decoded within the memory of an answer"
        raise TooLargeError(message)
    try:
        return _fast_decode(data)
    except RecursionError:
        message = "nested too deep"
        raise ValueError(message) from None


def encode(value: Any, *, is_plain: bool = False) -> bytes:
    """Encode a value as JSON bytes.

    Args:
        value: The value.
        is_plain: Whether the value is known to consist of JSON's types and finite numbers, because it was decoded from JSON.

    Raises:
        ValueError: A number is NaN or infinite, the value is nested too deep, or a text is not Unicode.
        TypeError: The value contains a type that JSON lacks.
    """
    if _fast_encode is not None:
        try:
            data = _fast_encode(value)
        except Exception:  # noqa: BLE001 - the standard library raises its own error, or encodes what msgspec does not
            return _encode(value)
        if is_plain or _is_plain(value):
            return data
    return _encode(value)


def _encode(value: Any) -> bytes:
    try:
        return _encoder.encode(value).encode()
    except RecursionError:
        message = "nested too deep"
        raise ValueError(message) from None


_CONTAINERS = frozenset({dict, list, tuple})
_SCALARS = frozenset({str, int, bool, type(None)})
_LONG = 16


def _is_plain(value: Any) -> bool:
    """Return whether an acyclic value consists of JSON's types and finite numbers only."""
    kind: Any = value.__class__
    if kind not in _CONTAINERS:
        return kind in _SCALARS
    left: list[Any] = [value]
    for one in left:
        values = one
        if one.__class__ is dict:
            for name in one:
                if name.__class__ is not str:
                    return False
            values = one.values()
        if len(values) > _LONG and _SCALARS.issuperset(map(type, values)):
            continue
        for item in values:
            kind = item.__class__
            if kind in _CONTAINERS:
                left.append(item)
            elif kind not in _SCALARS and (kind is not float or not math.isfinite(item)):
                return False
    return True
