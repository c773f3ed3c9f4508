"""Rate-limit headers: the delay that a vendor asks for, and its remaining rate limits.

:func:`read_delay` reads every format of a delay: seconds, floats, ``6m0s``, milliseconds, RFC 3339, an HTTP date, and Unix time
in seconds, milliseconds, microseconds or nanoseconds. Its time grows linearly with the length of the header. Headers of more than
:data:`LONGEST` characters are not parsed. Tables contain the names of headers: :data:`COMMON_RATE_LIMIT_HEADERS` the names that
several vendors share, ``rate_limit_headers`` of a connector the vendor's own.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import overload

from attrs import frozen

from modelmesh._engine.foundation.backoff import MAX_SERVER_DELAY_S
from modelmesh.contracts.rate_limits import RateLimit

LONGEST = 80
"""Length of a value that is parsed. No format needs more."""

_NUMBER = re.compile(r"\+?(\d+(\.\d*)?|\.\d+)(e[+-]?\d{1,9})?", re.IGNORECASE | re.ASCII)
_SPAN = re.compile(
    r"(\d{1,15}(?:\.\d{0,15})?) ?(ns|us|µs|μs|msecs?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d),? ?", re.ASCII
)
_UNITS = {"n": 1e-9, "u": 1e-6, "µ": 1e-6, "μ": 1e-6, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_NEAR_S = 366 * 86_400.0
"""A number this close to the current Unix time is a point in time. Any other number is a duration."""
_MOST = 1e15
_UNIX_UNITS = (1.0, 1e-3, 1e-6, 1e-9)


@frozen
class RateLimitHeaders:
    """Names of the headers of one limit, in lower case.

    Attributes:
        kind: ``requests`` or ``tokens``.
        limit: Header of the limit.
        remaining: Header of the remaining capacity.
        reset: Header of the reset, ``None`` where the vendor sends none.
        source: Source and date of the names.
    """

    kind: str
    limit: str
    remaining: str
    reset: str | None = None
    source: str = ""


def _family(prefix: str, suffix: str = "", *, kind: str = "requests", source: str = "") -> RateLimitHeaders:
    return RateLimitHeaders(kind, f"{prefix}limit{suffix}", f"{prefix}remaining{suffix}", f"{prefix}reset{suffix}", source)


COMMON_RATE_LIMIT_HEADERS: tuple[RateLimitHeaders, ...] = (
    _family("x-ratelimit-", "-requests", source="openai 3.52.0, groq 1.7.0, LiteLLM's proxy; read 2026-11-21"),
    _family("x-ratelimit-", "-tokens", kind="tokens", source="openai 3.52.0, groq 1.7.0, LiteLLM's proxy; read 2026-11-21"),
    _family("x-ratelimit-", source="OpenRouter (Unix milliseconds), Together (seconds); read 2026-11-21"),
    _family("x-tokenlimit-", kind="tokens", source="Together's documentation of rate limits; read 2026-11-30"),
    _family("ratelimit-", source="IETF draft-ietf-httpapi-ratelimit-headers-06; read 2026-11-30"),
)
"""Names that several vendors share. The first row of a kind that a response has is read."""

_DELAYS = (("retry-after-ms", 0.001), ("x-ms-retry-after-ms", 0.001), ("retry-after", 1.0))


def stated_delay(
    headers: Mapping[str, str], *, wall: float, names: Sequence[RateLimitHeaders] = COMMON_RATE_LIMIT_HEADERS
) -> float | None:
    """Return the delay that a refusal asks for.

    Args:
        headers: Response headers, names in lower case.
        wall: Current Unix time, for a response without a date.
        names: Headers of the vendor's limits. The reset of a limit counts only when the limit is exhausted.

    Returns:
        Seconds between 0 and :data:`MAX_SERVER_DELAY_S`, ``None`` when the headers state no readable delay.
    """
    for name, unit in _DELAYS:
        text = headers.get(name)
        if text is not None and (seconds := read_delay(text, unit=unit, now=_now(headers, wall))) is not None:
            return seconds
    spent = (row for row in names if row.reset is not None and _count(headers.get(row.remaining)) == 0)
    resets = (read_delay(headers.get(row.reset or ""), now=_now(headers, wall)) for row in spent)
    return max((seconds for seconds in resets if seconds is not None), default=None)


def read_delay(text: str | None, *, now: float, unit: float = 1.0) -> float | None:
    """Read a delay in any format that vendors send.

    Args:
        text: The value of a header, or a text of a body.
        now: Unix time of the response, for values that are a point in time.
        unit: Seconds of a plain number's unit.

    Returns:
        Seconds between 0 and :data:`MAX_SERVER_DELAY_S`, never NaN, ``None`` when the value is unreadable.
    """
    if text is None:
        return None
    text = text.strip() if len(text) <= LONGEST else _shortened(text)
    if not text:
        return None
    if _NUMBER.fullmatch(text):
        return _of_number(float(text), now, unit)
    seconds = _of_span(text)
    if seconds is None:
        moment = _date(text)
        seconds = None if moment is None else moment - now
    if seconds is None and "," in text:  # a header that came twice
        several = [read_delay(part, now=now, unit=unit) for part in text.split(",")]
        seconds = None if None in several else max(filter(None, several), default=0.0)
    return None if seconds is None else _clamped(seconds)


def rate_limits(
    headers: Mapping[str, str], *, wall: float, names: Sequence[RateLimitHeaders] = COMMON_RATE_LIMIT_HEADERS
) -> tuple[RateLimit, ...]:
    """Return the rate limits that response headers report, one row for each kind.

    Args:
        headers: Response headers, names in lower case.
        wall: Unix time of the response.
        names: Headers of the vendor's limits. The first row of a kind that the response has counts.
    """
    found: dict[str, RateLimit] = {}
    for row in names:
        if row.kind in found or row.remaining not in headers:
            continue
        limit, remaining = _count(headers.get(row.limit)), _count(headers.get(row.remaining))
        if limit and remaining is not None:
            resets = read_delay(headers.get(row.reset or ""), now=_now(headers, wall))
            found[row.kind] = RateLimit(row.kind, limit, remaining, resets)
    return tuple(found.values())


class ReportedLimits(Sequence[RateLimit]):
    """Rate limits of a response, parsed on first access. Most are never read."""

    __slots__ = ("_headers", "_names", "_rows", "_wall")

    def __init__(self, headers: Mapping[str, str], wall: float, names: Sequence[RateLimitHeaders]) -> None:
        self._headers, self._wall, self._names = headers, wall, names
        self._rows: tuple[RateLimit, ...] | None = None

    def _read(self) -> tuple[RateLimit, ...]:
        if self._rows is None:
            self._rows = rate_limits(self._headers, wall=self._wall, names=self._names)
        return self._rows

    @overload
    def __getitem__(self, index: int) -> RateLimit: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[RateLimit]: ...
    def __getitem__(self, index: int | slice) -> RateLimit | Sequence[RateLimit]:
        return self._read()[index]

    def __iter__(self) -> Iterator[RateLimit]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())


def _shortened(text: str) -> str:
    """Return a long value in parsable length: a number of many digits, empty for everything else."""
    text = text.strip()
    if not (text.isascii() and text.isdigit()):
        return ""
    digits = text.lstrip("0") or "0"
    return digits if len(digits) <= LONGEST else "9" * LONGEST


def _of_number(number: float, now: float, unit: float) -> float | None:
    if math.isnan(number):
        return None
    for per in _UNIX_UNITS:
        if number > _NEAR_S and abs(number * per - now) < _NEAR_S:
            return _clamped(number * per - now)
    return _clamped(number * unit)


def _of_span(text: str) -> float | None:
    total, at = 0.0, 0
    lowered = text.lower()
    while at < len(lowered):
        found = _SPAN.match(lowered, at)
        if found is None:
            return None
        word = found[2]
        total += float(found[1]) * _UNITS["ms" if word.startswith("ms") else word[0]]
        at = found.end()
    return total


def _date(text: str) -> float | None:
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - few vendors state a date

    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            moment = read(text)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
    return None


def _now(headers: Mapping[str, str], wall: float) -> float:
    """Return the time of a response by the server's clock, so that a difference between the two clocks cancels out."""
    sent = headers.get("date", "")
    moment = _date(sent) if 0 < len(sent) <= LONGEST else None
    return wall if moment is None else moment


def _count(text: str | None) -> int | None:
    if text is None or len(text) > LONGEST or not _NUMBER.fullmatch(text.strip()):
        return None
    number = float(text)
    return int(number) if number < _MOST else None


def _clamped(seconds: float) -> float:
    return min(max(seconds, 0.0), MAX_SERVER_DELAY_S)
