"""Windows of time that limits are counted over. All times are Unix seconds that the caller passes in."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum

from attrs import field, frozen


class Period(StrEnum):
    """Length of a window."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    MONTH = "month"
    ROLLING_DAY = "rolling-day"
    TOTAL = "total"
    """One window without end. Only a manual step resets it."""
    REQUEST = "request"
    """One window for each request."""


SECONDS: dict[str, float] = {Period.MINUTE: 60.0, Period.HOUR: 3600.0, Period.ROLLING_DAY: 86400.0}
"""Length of the sliding periods, in seconds. The others follow the calendar."""


@frozen
class Window:
    """A period in a time zone.

    Attributes:
        period: The period.
        zone: Time zone in which a day begins at midnight. A vendor's limits often reset in its own zone.
    """

    period: Period
    zone: tzinfo = field(default=UTC)

    @property
    def sliding_span(self) -> float:
        """Length of a sliding window in seconds, 0 for one that follows the calendar."""
        return SECONDS.get(self.period, 0.0)

    def start(self, when: float) -> float:
        """Return the start of the window that contains a time."""
        if self.period in (Period.TOTAL, Period.REQUEST):
            return 0.0
        return self._midnight(when).timestamp()

    def end(self, when: float) -> float:
        """Return the end of the window that contains a time."""
        if self.period in (Period.TOTAL, Period.REQUEST):
            return math.inf
        began = self._midnight(when)
        if self.period is Period.MONTH:
            return self._local(began.year + began.month // 12, began.month % 12 + 1, 1)
        following = began.date() + timedelta(days=1)
        return self._local(following.year, following.month, following.day)

    def _midnight(self, when: float) -> datetime:
        local = datetime.fromtimestamp(math.floor(when), self.zone)  # without floor, it would round up to the next day
        day = 1 if self.period is Period.MONTH else local.day
        return local.replace(day=day, hour=0, minute=0, second=0, microsecond=0, fold=0)

    def _local(self, year: int, month: int, day: int) -> float:
        return datetime(year, month, day, tzinfo=self.zone).timestamp()

    def __str__(self) -> str:
        return {Period.TOTAL: "in all", Period.ROLLING_DAY: "in 24 hours"}.get(self.period, f"a {self.period.value}")
