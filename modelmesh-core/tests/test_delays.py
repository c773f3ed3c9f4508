"""How long a vendor asks us to wait, whatever it writes."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelmesh.routing.delays import TOO_LONG_S, equal_jitter, full_jitter, server_delay

NOW = 1_700_000_000.0
DATE = "Tue, 14 Nov 2023 22:13:20 GMT"  # is NOW


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"retry-after": "30"}, 30),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "0"}, 0),
        ({"retry-after-ms": "250"}, 0.25),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"x-ms-retry-after-ms": "1000", "retry-after": "9"}, 1),
        ({"retry-after": "Tue, 14 Nov 2023 22:14:20 GMT"}, 60),
        ({"retry-after": "Tue, 14 Nov 2023 22:14:20 GMT", "date": "Tue, 14 Nov 2023 22:14:10 GMT"}, 10),
        ({"retry-after": "Tue, 14 Nov 2023 22:00:00 GMT"}, 0),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "١٢"}, None),
        ({"retry-after": "9" * 400}, TOO_LONG_S),
        ({"retry-after": "1e9"}, TOO_LONG_S),
        ({"x-ratelimit-reset-requests": "6m0s"}, None),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6m0s"}, 360),
        ({"x-ratelimit-remaining-tokens": "5", "x-ratelimit-reset-tokens": "6m0s"}, None),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "20ms"}, 0.02),
        ({"anthropic-ratelimit-requests-remaining": "0", "anthropic-ratelimit-requests-reset": "2023-11-14T22:14:20Z"}, 60),
    ],
)
def test_headers(headers: dict[str, str], expected: float | None) -> None:
    assert (
        server_delay(headers, wall=lambda: NOW) == pytest.approx(expected)
        if expected is not None
        else server_delay(headers, wall=lambda: NOW) is None
    )


@given(
    st.dictionaries(
        st.sampled_from(
            ["retry-after", "retry-after-ms", "date", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"]
        ),
        st.text(max_size=40),
    )
)
def test_any_header_gives_nothing_or_a_finite_wait(headers: dict[str, str]) -> None:
    seconds = server_delay(headers, wall=lambda: NOW)
    assert seconds is None or (math.isfinite(seconds) and 0 <= seconds <= TOO_LONG_S)


@given(st.integers(0, 10_000), st.floats(0.001, 100), st.floats(0.001, 1000), st.floats(0, 0.999999))
def test_jitter_keeps_its_bounds(attempt: int, first: float, longest: float, drawn: float) -> None:
    assert 0 <= full_jitter(attempt, first, longest, lambda: drawn) <= longest
    bound = min(longest, first * 2.0 ** min(attempt, 40))
    assert bound / 2 <= equal_jitter(attempt, first, longest, lambda: drawn) <= bound
