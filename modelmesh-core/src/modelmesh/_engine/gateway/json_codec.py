"""JSON encoding and decoding of the gateway, with msgspec where it is installed, else with the standard library."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NoReturn

Decode = Callable[[bytes], Any]
Encode = Callable[[Any], bytes]


def _refuse(word: str) -> NoReturn:
    message = f"{word} is not JSON"
    raise ValueError(message)


_decoder = json.JSONDecoder(parse_constant=_refuse)
_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def _plain_decode(data: bytes) -> Any:
    value = _decoder.decode(data.decode())
    if b"\\ud" in data.lower():
        _plain_encode(value)  # a lone surrogate is not text and cannot be encoded
    return value


def _plain_encode(value: Any) -> bytes:
    return _encoder.encode(value).encode()


def _load() -> tuple[Decode, Encode]:
    try:
        import msgspec  # noqa: PLC0415 - optional
    except ImportError:
        return _plain_decode, _plain_encode
    return msgspec.json.Decoder().decode, msgspec.json.Encoder().encode


_decode, _encode = _load()


def decode(data: bytes) -> Any:
    """Decode JSON bytes.

    Raises:
        ValueError: The data is not UTF-8 or not JSON, contains NaN or Infinity, or is nested too deep.
    """
    try:
        return _decode(data)
    except RecursionError:
        message = "nested too deep"
        raise ValueError(message) from None


def encode(value: Any) -> bytes:
    """Encode a value as JSON bytes."""
    try:
        return _encode(value)
    except Exception:  # noqa: BLE001 - a type that msgspec does not encode, e.g. a subclass of dict with its own fields
        return _plain_encode(value)
