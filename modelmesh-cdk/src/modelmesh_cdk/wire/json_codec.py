"""JSON encoding and decoding. msgspec decodes where it is installed (extra ``fast``), else the standard library."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any, NoReturn

from modelmesh_cdk.wire.json_size import SMALL, check_size


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


def decode(data: bytes, *, numbers: bool = False) -> Any:
    """Decode JSON bytes.

    Args:
        data: The JSON.
        numbers: Whether the response contains many numbers: embeddings, or log probabilities.

    Raises:
        ValueError: The data is not UTF-8 or not JSON, contains NaN or Infinity, is nested too deep, or would fill the memory.
    """
    if len(data) >= SMALL:
        check_size(data, numbers=numbers)
    try:
        return _fast_decode(data)
    except RecursionError:
        message = "nested too deep"
        raise ValueError(message) from None


def encode(value: Any) -> bytes:
    """Encode a value as JSON bytes.

    Raises:
        ValueError: A number is NaN or infinite, the value is nested too deep, or a text is not Unicode.
        TypeError: The value contains a type that JSON lacks.
    """
    try:
        return _encoder.encode(value).encode()  # msgspec would silently convert NaN to null
    except RecursionError:
        message = "nested too deep"
        raise ValueError(message) from None
