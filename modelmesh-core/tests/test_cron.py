"""Matching minutes of a cron expression, and the begin and end of a run."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelmesh._engine.health.cron import Cron


def at(text: str, zone: str = "UTC") -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC if zone == "UTC" else ZoneInfo(zone)).timestamp()


@pytest.mark.parametrize(
    ("cron", "inside", "outside"),
    [
        ("0-59 2-3 * * 0", "2026-11-22T03:59", "2026-11-22T04:00"),
        ("0-59 2-3 * * sun", "2026-11-22T02:00", "2026-11-21T02:00"),
        ("0-59 2-3 * * 7", "2026-11-22T02:00", "2026-11-23T02:00"),
        ("*/15 * * * *", "2026-11-21T10:45", "2026-11-21T10:46"),
        ("5/20 * * * *", "2026-11-21T10:45", "2026-11-21T10:40"),
        ("* * 1,15 dec *", "2026-12-15T00:00", "2026-11-15T00:00"),
        ("* * 13 * fri", "2026-11-13T00:00", "2026-11-14T00:00"),  # one of both day fields is enough, as in cron
        ("* * 13 * fri", "2026-11-20T00:00", "2026-11-21T00:00"),
        ("* * */2 * mon", "2026-11-23T00:00", "2026-11-30T00:00"),  # both day fields must match if one begins with a star
        ("0 0 29 2 *", "2028-02-29T00:00", "2027-02-28T00:00"),
    ],
)
def test_cron_matches_minutes(cron: str, inside: str, outside: str) -> None:
    assert Cron.parse(cron).matches(at(inside))
    assert Cron.parse(cron).matches(at(inside) + 59.9)
    assert not Cron.parse(cron).matches(at(outside))


@pytest.mark.parametrize(
    "text",
    [
        "", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "5-3 * * * *",
        "*/0 * * * *", "x * * * *", "1- * * * *", "0 0 30 2 *", "0 0 31 4,6 *", "* * */20 * 1L", "* * * * *", "0-59 * * 1-12 *",
    ],
)  # fmt: skip
def test_cron_parse_rejects_invalid_never_and_always(text: str) -> None:
    with pytest.raises(ValueError, match="write five fields like"):
        Cron.parse(text)


@pytest.mark.parametrize(
    ("cron", "now", "begins", "ends"),
    [
        ("* 2-3 * * *", "2026-11-21T02:30:30", "2026-11-21T02:31", "2026-11-21T04:00"),
        ("* 2-3 * * *", "2026-11-21T05:00", "2026-11-22T02:00", "2026-11-21T05:00"),
        ("30-45 22 * * *", "2026-11-21T22:40", "2026-11-21T22:41", "2026-11-21T22:46"),
        ("* 22-23 * * *", "2026-11-21T23:59", "2026-11-22T22:00", "2026-11-22T00:00"),
        ("* 22-23,0-1 * * *", "2026-11-21T23:00", "2026-11-21T23:01", "2026-11-22T02:00"),
        ("* * * * sat,sun", "2026-11-21T12:00", "2026-11-21T12:01", "2026-11-23T00:00"),
        ("* * * 12 *", "2026-12-01T00:00", "2026-12-01T00:01", "2027-01-01T00:00"),
        ("0 0 1 1 *", "2026-11-21T00:00", "2027-01-01T00:00", "2026-11-21T00:00"),
    ],
)
def test_cron_run_begin_and_end(cron: str, now: str, begins: str, ends: str) -> None:
    window = Cron.parse(cron)
    assert window.begins(at(now)) == at(begins)
    assert window.ends(at(now)) == at(ends)


def test_cron_zone_keeps_hour_over_clock_change() -> None:
    berlin = Cron.parse("* 3 * * *", "Europe/Berlin")
    for day in ("2026-03-28", "2026-03-29", "2026-03-30", "2026-10-25", "2026-10-26"):
        begins = at(f"{day}T03:00", "Europe/Berlin")
        assert berlin.begins(begins - 1800) == begins, day
        assert berlin.ends(begins) == begins + 3600, day
    skipped = Cron.parse("* 2 * * *", "Europe/Berlin")  # this hour does not exist on 2026-03-29
    assert skipped.begins(at("2026-03-28T12:00", "Europe/Berlin")) == at("2026-03-30T02:00", "Europe/Berlin")
    assert skipped.ends(at("2026-10-25T02:00", "Europe/Berlin")) == at(
        "2026-10-25T03:00", "Europe/Berlin"
    )  # this hour exists twice


@given(
    st.sampled_from(["*/7 * * * *", "0-29 */5 * * *", "* 1-4 * * mon-wed", "* * 1-7 * *", "10 23 * * *", "* 22-23,0 * * *"]),
    st.sampled_from(["UTC", "Europe/Berlin", "America/Los_Angeles", "Asia/Kolkata"]),
    st.integers(int(at("2026-01-01")), int(at("2027-01-01"))),
)
def test_cron_begin_and_end_equal_minute_by_minute(text: str, zone: str, now: int) -> None:
    window = Cron.parse(text, zone)
    minute = now // 60 * 60
    if window.matches(now):
        end = next(m for m in range(minute, minute + 20 * 86400, 60) if not window.matches(m))
        assert window.ends(now) == end
    else:
        begin = next(m for m in range(minute + 60, minute + 40 * 86400, 60) if window.matches(m))
        assert window.begins(now) == begin
