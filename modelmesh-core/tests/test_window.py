"""Windows of limits: each begins where the previous one ends, in any time zone and over clock changes."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelmesh._engine.limits.window import Period, Window

ZONES = [UTC, *(ZoneInfo(name) for name in ("America/Los_Angeles", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe"))]
times = st.floats(datetime(2000, 1, 1, tzinfo=UTC).timestamp(), datetime(2040, 1, 1, tzinfo=UTC).timestamp())


@given(times, st.sampled_from([Period.DAY, Period.MONTH]), st.sampled_from(ZONES))
def test_window_end_is_start_of_next(when: float, period: Period, zone: ZoneInfo) -> None:
    window = Window(period, zone)
    start, end = window.start(when), window.end(when)
    assert start <= when < end
    assert window.end(start) == end, "every time of a window has the same end"
    assert window.start(end) == end, "the next window begins at the end"


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [("Europe/Berlin", (2026, 3, 29), 23), ("Europe/Berlin", (2026, 10, 25), 25), ("Europe/Berlin", (2026, 11, 21), 24)],
)
def test_day_window_follows_clock_changes(zone: str, day: tuple[int, int, int], hours: int) -> None:
    noon = datetime(*day, 12, tzinfo=ZoneInfo(zone)).timestamp()
    window = Window(Period.DAY, ZoneInfo(zone))
    assert (window.end(noon) - window.start(noon)) / 3600 == hours


def test_month_window_of_december_ends_with_year() -> None:
    new_year = datetime(2027, 1, 1, tzinfo=UTC).timestamp()
    assert Window(Period.MONTH).end(new_year - 1) == new_year


def test_total_window_never_ends() -> None:
    assert math.isinf(Window(Period.TOTAL).end(0.0))
    assert str(Window(Period.TOTAL)) == "in all"
