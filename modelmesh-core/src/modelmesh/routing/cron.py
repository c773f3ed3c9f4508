"""What minutes a cron expression means, in UTC. All times are Unix seconds that the caller hands in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from attrs import frozen

_FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day of the month", 1, 31), ("month", 1, 12), ("day of the week", 0, 7))
_EXAMPLE = "write five fields like '0-59 2-3 * * 0' (Sundays from 2:00 to 3:59 UTC)"
_NAMES = {
    "month": ("", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
    "day of the week": ("sun", "mon", "tue", "wed", "thu", "fri", "sat"),
}
_LONGEST_MINUTES = 366 * 24 * 60


@frozen
class Cron:
    """The minutes that a cron expression means: ``*``, numbers, names of months and days, ``a-b``, ``*/n`` and lists.

    As in cron, a minute must match both fields of days only when one of them is ``*``; else one of them is enough.
    """

    text: str
    fields: tuple[frozenset[int], ...]
    any_day: bool

    @classmethod
    def parse(cls, text: str) -> Cron:
        """Read an expression of five fields.

        Raises:
            ValueError: It is none.
        """
        parts = text.lower().split()
        if len(parts) != len(_FIELDS):
            message = f"{text!r} is not a cron expression; {_EXAMPLE}"
            raise ValueError(message)
        sets = [frozenset(_numbers(part, name, low, high, text)) for part, (name, low, high) in zip(parts, _FIELDS, strict=True)]
        sets[4] = frozenset(day % 7 for day in sets[4])  # 7 is Sunday too
        return cls(text, tuple(sets), not (parts[2].startswith("*") or parts[4].startswith("*")))

    def matches(self, now: float) -> bool:
        """Whether a moment, in Unix seconds, lies in a minute of the expression."""
        return self._has(datetime.fromtimestamp(now, UTC))

    def ends(self, now: float) -> float | None:
        """Return the first minute from ``now`` on, in Unix seconds, that is not of the expression.

        ``None`` when there is none within a year.
        """
        minute = datetime.fromtimestamp(now, UTC).replace(second=0, microsecond=0)
        if not self._has(minute):
            return now
        for _ in range(_LONGEST_MINUTES):
            minute += timedelta(minutes=1)
            if not self._has(minute):
                return minute.timestamp()
        return None

    def _has(self, at: datetime) -> bool:
        minutes, hours, days, months, weekdays = self.fields
        if at.minute not in minutes or at.hour not in hours or at.month not in months:
            return False
        day, weekday = at.day in days, at.isoweekday() % 7 in weekdays
        return day or weekday if self.any_day else day and weekday


def _numbers(part: str, name: str, low: int, high: int, text: str) -> list[int]:
    """Return the numbers of one field."""
    names = _NAMES.get(name, ())

    def number(word: str) -> int:
        return names.index(word) if word and word in names else int(word)

    found: list[int] = []
    try:
        for piece in part.split(","):
            span, slash, step = piece.partition("/")
            first, dash, last = span.partition("-")
            begin = low if span == "*" else number(first)
            alone = high if span == "*" or slash else begin
            end = number(last) if dash else alone
            each = int(step) if slash else 1
            if not low <= begin <= end <= high or each < 1:
                raise ValueError(piece)
            found.extend(range(begin, end + 1, each))
    except ValueError:
        message = f"{text!r} is not a cron expression: its {name} is {part!r}, not within {low} to {high}; {_EXAMPLE}"
        raise ValueError(message) from None
    return found
