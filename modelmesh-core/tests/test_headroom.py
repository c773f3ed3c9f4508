"""Rate limits as vendors write them into headers, and what becomes of those that nobody can read."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelmesh.routing.headroom import Headroom, read_headroom

WALL = datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp()


def openai(**values: str) -> dict[str, str]:
    return {f"x-ratelimit-{name}-requests": value for name, value in values.items()}


@pytest.mark.parametrize(
    ("headers", "row"),
    [
        (openai(limit="500", remaining="80", reset="6m0s"), Headroom("requests", 500, 80, 360.0)),
        (openai(limit="500", remaining="0", reset="120ms"), Headroom("requests", 500, 0, 0.12)),
        (openai(limit="14400", remaining="14399", reset="1h2m3.5s"), Headroom("requests", 14400, 14399, 3723.5)),
        (openai(limit="500", remaining="80"), Headroom("requests", 500, 80, None)),
        (
            {
                "anthropic-ratelimit-tokens-limit": "40000",
                "anthropic-ratelimit-tokens-remaining": "39000",
                "anthropic-ratelimit-tokens-reset": "2026-11-21T12:00:30Z",
            },
            Headroom("tokens", 40000, 39000, 30.0),
        ),
        (
            {"x-ratelimit-limit": "20", "x-ratelimit-remaining": "5", "x-ratelimit-reset": str(int((WALL + 9) * 1000))},
            Headroom("requests", 20, 5, 9.0),
        ),
    ],
)
def test_what_vendors_write(headers: dict[str, str], row: Headroom) -> None:
    assert read_headroom(headers, wall=WALL) == (row,)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        openai(limit="500"),
        openai(limit="many", remaining="3"),
        openai(limit="0", remaining="0"),
        openai(limit="5", remaining="-1"),
    ],
)
def test_what_cannot_be_read_is_unknown(headers: dict[str, str]) -> None:
    assert read_headroom(headers) == ()


@given(st.text(max_size=20))
def test_any_reset_is_read_or_unknown(text: str) -> None:
    (row,) = read_headroom(openai(limit="5", remaining="3", reset=text), wall=WALL)
    assert row.resets_in is None or 0 <= row.resets_in < 366 * 86400


def test_requests_and_tokens_are_told_apart() -> None:
    headers = {**openai(limit="10", remaining="5"), "x-ratelimit-limit-tokens": "100", "x-ratelimit-remaining-tokens": "10"}
    assert [(row.kind, row.ratio) for row in read_headroom(headers)] == [("requests", 0.5), ("tokens", 0.1)]
