"""Minutes of a cron expression. All times are Unix seconds that the caller passes in.

cronsim 2.8 (BSD licence, 2026-11-21) parses the expression by the rules of Debian's cron. It is imported with the first
expression. This module adds *windows*: the minutes that an expression matches, and the end of a run of such minutes.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from attrs import field, frozen

_EXAMPLE = "write five fields like '* 2-3 * * 0' (Sundays from 2:00 to 3:59)"
_LOOKED_AT = datetime(2026, 11, 21, tzinfo=UTC)
_LONGEST_S = 366 * 86400.0
_HOUR, _DAY = 60, 24


@frozen
class Cron:
    """Minutes that a cron expression matches in a time zone.

    As in cron, a minute must match both fields of days only if one of them begins with ``*``. Otherwise one of them is enough.

    Attributes:
        text: The expression, five fields.
        zone: The time zone, by its name in the zone database.
    """

    text: str
    zone: str = "UTC"
    _read: Any = field(default=None, eq=False, repr=False, alias="read")
    _tz: Any = field(default=UTC, eq=False, repr=False, alias="tz")

    @classmethod
    def parse(cls, text: str, zone: str = "UTC") -> Cron:
        """Parse an expression of five fields.

        Raises:
            ValueError: It is invalid, or it matches no minute of the next 50 years or every minute of a year.
        """
        from zoneinfo import ZoneInfo  # noqa: PLC0415 - only where a window is configured

        from cronsim import CronSim, CronSimError  # noqa: PLC0415

        if len(text.split()) != 5:  # noqa: PLR2004 - cronsim accepts a sixth field for seconds
            message = f"{text!r} is not a cron expression; {_EXAMPLE}"
            raise ValueError(message)
        try:
            read = CronSim(text, _LOOKED_AT)
        except CronSimError as error:
            message = f"{text!r} is not a cron expression, or matches no day ({error}); {_EXAMPLE}"
            raise ValueError(message) from None
        made = cls(text, zone, read, UTC if zone == "UTC" else ZoneInfo(zone))
        first = made.begins(_LOOKED_AT.timestamp())
        if first is None:
            message = f"{text!r} matches no minute of the next 50 years; {_EXAMPLE}"
            raise ValueError(message)
        if made.ends(first) is None:
            message = f"{text!r} matches every minute of a year, so that its models would stay unavailable; {_EXAMPLE}"
            raise ValueError(message)
        return made

    def matches(self, now: float) -> bool:
        """Return whether a time is in a matching minute."""
        local, read = datetime.fromtimestamp(now, self._tz), self._read
        return (
            local.minute in read.minutes
            and local.hour in read.hours
            and local.month in read.months
            and bool(read.match_day(local.date()))
        )

    def begins(self, now: float) -> float | None:
        """Return the start of the next matching minute, ``None`` if there is none in 50 years."""
        from cronsim import CronSim  # noqa: PLC0415

        # A field of seconds turns off cron's special treatment of jobs on days that lack an hour.
        minute = datetime.fromtimestamp(now // 60 * 60, self._tz)
        found = next(CronSim(f"0 {self.text}", minute), None)
        return None if found is None else found.timestamp()

    def ends(self, now: float) -> float | None:
        """Return the first minute from ``now`` that does not match, ``None`` if there is none within a year."""
        if not self.matches(now):
            return now
        whole_hours = len(self._read.minutes) == _HOUR
        whole_days = whole_hours and len(self._read.hours) == _DAY
        at = now // 60 * 60
        while self.matches(at):
            if at > now + _LONGEST_S:
                return None
            at = self._after(at, whole_days=whole_days, whole_hours=whole_hours)
        return at

    def _after(self, at: float, *, whole_days: bool, whole_hours: bool) -> float:
        """Return the next time at which the result may change."""
        local = datetime.fromtimestamp(at, self._tz)
        if whole_days:
            following = datetime.combine(local.date() + timedelta(days=1), datetime.min.time(), tzinfo=self._tz)
            return max(following.timestamp(), at + 60)
        if whole_hours:
            return at + 3600 - local.minute * 60
        return at + 60
