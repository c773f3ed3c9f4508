"""How much a vendor still lets through, read from the headers of its answers.

Names: ``x-ratelimit-{limit,remaining,reset}-{requests,tokens}`` (openai 3.52.0 and groq document them, the reset as
``6m0s``), ``anthropic-ratelimit-{requests,tokens}-{limit,remaining,reset}`` (anthropic 2.11.0, the reset in RFC 3339),
``x-ratelimit-{limit,remaining,reset}`` (OpenRouter, the reset in Unix milliseconds). Read 2026-11-21.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime

from attrs import frozen

_SPANS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SPAN = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_WHOLE_SPAN = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+\Z")
_UNIX = 1_000_000_000.0
"""A number above it is a time, one below it a span of seconds."""


@frozen
class Headroom:
    """What is left of one kind of a vendor's rate limit.

    Attributes:
        kind: ``requests`` or ``tokens``.
        limit: Of a window.
        remaining: Of it.
        resets_in: Seconds from the answer until there is more, ``None`` when the vendor does not say.
    """

    kind: str
    limit: int
    remaining: int
    resets_in: float | None = None

    @property
    def ratio(self) -> float:
        """Share of the limit that is left."""
        return min(self.remaining / self.limit, 1.0) if self.limit else 0.0


def read_headroom(headers: Mapping[str, str], *, wall: float = 0.0) -> tuple[Headroom, ...]:
    """Read what an answer says.

    Args:
        headers: Response headers, names in lower case.
        wall: Unix time of the answer, for resets that are given as a time of day.

    Returns:
        One row for each kind the vendor speaks of; nothing where a value cannot be read.
    """
    return tuple(_rows(headers, wall))


def _rows(headers: Mapping[str, str], wall: float) -> Iterator[Headroom]:
    for kind in ("requests", "tokens"):
        for names in (
            tuple(f"x-ratelimit-{what}-{kind}" for what in ("limit", "remaining", "reset")),
            tuple(f"anthropic-ratelimit-{kind}-{what}" for what in ("limit", "remaining", "reset")),
            ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset") if kind == "requests" else (),
        ):
            row = _row(headers, names) if names else None
            if row is not None:
                limit, remaining = row
                yield Headroom(kind, limit, remaining, _seconds(headers.get(names[2]), wall))
                break


def _row(headers: Mapping[str, str], names: tuple[str, ...]) -> tuple[int, int] | None:
    try:
        limit, remaining = int(headers[names[0]]), int(headers[names[1]])
    except (KeyError, ValueError):
        return None
    return (limit, remaining) if remaining >= 0 and limit > 0 else None


def _seconds(text: str | None, wall: float) -> float | None:
    if not text:
        return None
    if _WHOLE_SPAN.match(text):
        return sum(float(number) * _SPANS[unit] for number, unit in _SPAN.findall(text))
    try:
        number = float(text)
    except ValueError:
        return _until(text, wall)
    if number > _UNIX * 1000:
        number /= 1000
    if number > _UNIX:
        number -= wall
    return number if 0 <= number < 366 * 86400 else None


def _until(text: str, wall: float) -> float | None:
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return None
    return max(when.timestamp() - wall, 0.0) if when.tzinfo else None
