"""What minutes a cron expression means."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from modelmesh.routing.cron import Cron


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("cron", "inside", "outside"),
    [
        ("* * * * *", "2026-11-21T10:48", None),
        ("0-59 2-3 * * 0", "2026-11-22T03:59", "2026-11-22T04:00"),
        ("0-59 2-3 * * sun", "2026-11-22T02:00", "2026-11-21T02:00"),
        ("0-59 2-3 * * 7", "2026-11-22T02:00", "2026-11-23T02:00"),
        ("*/15 * * * *", "2026-11-21T10:45", "2026-11-21T10:46"),
        ("5/20 * * * *", "2026-11-21T10:45", "2026-11-21T10:40"),
        ("* * 1,15 dec *", "2026-12-15T00:00", "2026-11-15T00:00"),
        ("* * 13 * fri", "2026-11-13T00:00", "2026-11-14T00:00"),  # either day will do, as in cron
        ("* * 13 * fri", "2026-11-20T00:00", "2026-11-21T00:00"),
        ("* * */2 * mon", "2026-11-23T00:00", "2026-11-30T00:00"),  # both must, when one begins with a star
    ],
)
def test_minutes_of_a_cron_expression(cron: str, inside: str, outside: str | None) -> None:
    assert Cron.parse(cron).matches(at(inside))
    assert outside is None or not Cron.parse(cron).matches(at(outside))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "* * * *",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * * 13 *",
        "* * * * 8",
        "5-3 * * * *",
        "*/0 * * * *",
        "x * * * *",
        "1- * * * *",
    ],
)
def test_what_is_none_says_how_to_write_one(text: str) -> None:
    with pytest.raises(ValueError, match="write five fields like"):
        Cron.parse(text)


def test_end_of_a_window() -> None:
    window = Cron.parse("* 2-3 * * *")
    assert window.ends(at("2026-11-21T02:30:30")) == at("2026-11-21T04:00")
    assert window.ends(at("2026-11-21T05:00")) == at("2026-11-21T05:00")
    assert Cron.parse("* * * * *").ends(0.0) is None
