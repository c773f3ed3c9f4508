"""Durations and sizes of the configuration.

humanfriendly is not used: it reads ``1KB`` as 1,000 bytes and accepts units that the configuration does not have.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Any

NANO = 1_000_000_000
"""Nano-dollars in a dollar. Money is an integer number of nano-dollars, so that sums are exact."""

_NUMBER = r"(?P<number>\d+(?:\.\d+)?|\.\d+)"
_DURATION = re.compile(rf"\s*{_NUMBER}\s*(?P<unit>ms|s|m|h|d)?\s*", re.IGNORECASE | re.ASCII)
_SIZE = re.compile(rf"\s*{_NUMBER}\s*(?P<unit>[KMGT]?B)?\s*", re.IGNORECASE | re.ASCII)
_MOST = 1e300
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_BYTES = {"B": 1, "KB": 1024, "MB": 1024**2, "GB": 1024**3, "TB": 1024**4}


def parse_duration(value: Any) -> float:
    """Parse a duration: ``500ms``, ``60s``, ``5m``, ``1.5h``, ``7d``, or a number of seconds.

    Returns:
        Seconds.

    Raises:
        ValueError: It has another format.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        seconds = float(value) if value <= _MOST else math.inf  # an integer may be too large for a float
    else:
        match = _DURATION.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            message = f"{value!r} is not a duration; write one like '500ms', '60s', '5m', '1.5h' or '7d'"
            raise ValueError(message)
        seconds = float(match["number"]) * _SECONDS[(match["unit"] or "s").lower()]
    if not math.isfinite(seconds) or seconds < 0:
        message = f"{value!r} is not a duration; it must be finite and not negative"
        raise ValueError(message)
    return seconds


def format_duration(seconds: float) -> str:
    """Format a duration in the largest unit without a remainder, so that :func:`parse_duration` parses the same value.

    Returns:
        For example ``5m``, ``90s``, ``500ms``. A fraction of milliseconds becomes a fraction of seconds.

    Raises:
        ValueError: It is negative or not finite.
    """
    seconds = parse_duration(seconds)
    for unit in ("d", "h", "m", "s"):
        if seconds and seconds % _SECONDS[unit] == 0:
            return f"{seconds / _SECONDS[unit]:.0f}{unit}"
    thousandth = round(seconds * 1000)
    if thousandth and thousandth * _SECONDS["ms"] == seconds:
        return f"{thousandth}ms"
    return f"{Decimal(repr(seconds)):f}s" if seconds else "0s"


def parse_size(value: Any) -> int:
    """Parse a size: ``512MB``, ``1GB`` (powers of 1,024, any case), or a number of bytes.

    Returns:
        Bytes.

    Raises:
        ValueError: It has another format.
    """
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    match = _SIZE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        message = f"{value!r} is not a size; write one like '512MB' or '10KB', or a number of bytes"
        raise ValueError(message)
    number = float(match["number"]) * _BYTES[(match["unit"] or "B").upper()]
    if not math.isfinite(number):
        message = f"{value[:40]!r} is not a size; it must be finite"
        raise ValueError(message)
    return int(number)
