"""How long a vendor asked us to wait, and how long we wait unasked. All times in seconds."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

TOO_LONG_S = 86_400.0
"""Longest cooldown that a header can cause."""

_SPAN = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_SPAN_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_RESETS = (
    ("x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"),
    ("x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"),
    ("anthropic-ratelimit-requests-remaining", "anthropic-ratelimit-requests-reset"),
    ("anthropic-ratelimit-tokens-remaining", "anthropic-ratelimit-tokens-reset"),
    ("anthropic-ratelimit-input-tokens-remaining", "anthropic-ratelimit-input-tokens-reset"),
    ("anthropic-ratelimit-output-tokens-remaining", "anthropic-ratelimit-output-tokens-reset"),
)


def server_delay(headers: Mapping[str, str], *, wall: Callable[[], float]) -> float | None:
    """Read how long the vendor wants us to wait.

    Args:
        headers: Response headers, names in lower case.
        wall: Gives Unix time, for a reply that names a date and carries none of its own.

    Returns:
        Seconds, at most :data:`TOO_LONG_S`; ``None`` when nothing usable was said. Never negative, never NaN.
    """
    for name, scale in (("retry-after-ms", 0.001), ("x-ms-retry-after-ms", 0.001), ("retry-after", 1.0)):
        seconds = _number(headers.get(name), scale)
        if seconds is not None:
            return seconds
    dated = _until(headers.get("retry-after"), headers, wall)
    if dated is not None:
        return dated
    resets = [
        _reset(headers.get(reset), headers, wall) for remaining, reset in _RESETS if _number(headers.get(remaining), 1.0) == 0
    ]
    return max((seconds for seconds in resets if seconds is not None), default=None)


def _number(text: str | None, scale: float) -> float | None:
    if text is None or not re.fullmatch(r"\s*\+?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*", text, re.ASCII):
        return None
    value = float(text) * scale
    return min(value, TOO_LONG_S) if not math.isnan(value) else None


def _until(text: str | None, headers: Mapping[str, str], wall: Callable[[], float]) -> float | None:
    moment = _date(text)
    if moment is None:
        return None
    sent = _date(headers.get("date"))  # the reply's own clock, so that skew between the two machines cancels
    now = sent.timestamp() if sent else wall()
    return min(max(moment.timestamp() - now, 0.0), TOO_LONG_S)


def _date(text: str | None) -> datetime | None:
    if not text:
        return None
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            moment = read(text.strip())
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None


def _reset(text: str | None, headers: Mapping[str, str], wall: Callable[[], float]) -> float | None:
    if text is None:
        return None
    spans = _SPAN.findall(text)
    if spans and "".join(number + unit for number, unit in spans) == text.strip():
        return min(sum(float(number) * _SPAN_SECONDS[unit] for number, unit in spans), TOO_LONG_S)
    number = _number(text, 1.0)
    return number if number is not None else _until(text, headers, wall)


def full_jitter(attempt: int, first: float, longest: float, draw: Callable[[], float]) -> float:
    """Wait anything between nothing and an exponentially growing bound; ``attempt`` counts from 0."""
    return draw() * min(longest, first * 2.0 ** min(attempt, 40))


def equal_jitter(attempt: int, first: float, longest: float, draw: Callable[[], float]) -> float:
    """Wait between half of an exponentially growing bound and all of it; ``attempt`` counts from 0."""
    bound = min(longest, first * 2.0 ** min(attempt, 40))
    return bound / 2 + draw() * bound / 2
