"""Rate-limit headers: every format of a delay, and values that cannot be parsed."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from modelmesh_connector_anthropic import AnthropicProvider
from modelmesh_connector_fireworks import FireworksProvider
from modelmesh_connector_mistral import MistralProvider

from modelmesh._engine.foundation.backoff import MAX_SERVER_DELAY_S
from modelmesh.contracts.rate_limits import RateLimit
from modelmesh_cdk.provider.rate_limit_headers import rate_limits, read_delay, stated_delay

NOW = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT
ANTHROPIC = AnthropicProvider.rate_limit_headers


def requests(**values: str) -> dict[str, str]:
    return {f"x-ratelimit-{name}-requests": value for name, value in values.items()}


DELAYS = {
    "seconds": ({"retry-after": "30"}, 30),
    "a float": ({"retry-after": "1.5"}, 1.5),
    "nothing to wait": ({"retry-after": "0"}, 0),
    "milliseconds": ({"retry-after-ms": "250"}, 0.25),
    "milliseconds before seconds": ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
    "Azure's milliseconds": ({"x-ms-retry-after-ms": "1000", "retry-after": "9"}, 1),
    "a span": ({"retry-after": "1m30s"}, 90),
    "a date": ({"retry-after": "Tue, 14 Nov 2023 22:14:20 GMT"}, 60),
    "a date by the reply's clock": ({"retry-after": "Tue, 14 Nov 2023 22:14:20 GMT", "date": "Tue, 14 Nov 2023 22:14:10 GMT"}, 10),
    "a date that has passed": ({"retry-after": "Tue, 14 Nov 2023 22:00:00 GMT"}, 0),
    "Unix seconds": ({"retry-after": str(int(NOW) + 60)}, 60),
    "Unix milliseconds": ({"retry-after": str(int(NOW * 1000) + 60_000)}, 60),
    "twice": ({"retry-after": "5, 30"}, 30),
    "negative": ({"retry-after": "-5"}, None),
    "not a number": ({"retry-after": "nan"}, None),
    "infinite": ({"retry-after": "inf"}, None),
    "words": ({"retry-after": "soon"}, None),
    "empty": ({"retry-after": ""}, None),
    "foreign digits": ({"retry-after": "١٢"}, None),
    "four hundred digits": ({"retry-after": "9" * 400}, MAX_SERVER_DELAY_S),
    "a large number": ({"retry-after": "1e9"}, MAX_SERVER_DELAY_S),
    "an overflow": ({"retry-after": "1e999"}, MAX_SERVER_DELAY_S),
    "a reset while something is left": (requests(remaining="5", reset="6m0s"), None),
    "a reset without what is left": (requests(reset="6m0s"), None),
    "OpenAI's reset": (requests(remaining="0", reset="6m0s"), 360),
    "OpenAI's reset in milliseconds": (requests(remaining="0", reset="20ms"), 0.02),
    "Groq's reset": (requests(remaining="0", reset="2m59.56s"), 179.56),
    "Azure's reset": (requests(remaining="0", reset="17"), 17),
    "LiteLLM's reset": (requests(remaining="0", reset=str(int(NOW) + 60)), 60),
    "OpenRouter's reset": ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(NOW + 600) * 1000)}, 600),
    "Together's reset": ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "3"}, 3),
    "the draft standard": ({"ratelimit-limit": "10", "ratelimit-remaining": "0", "ratelimit-reset": "55"}, 55),
    "the longest of two": ({**requests(remaining="0", reset="1s"), "x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "9s"}, 9),
    "no header": ({}, None),
}  # fmt: skip


@pytest.mark.parametrize("name", DELAYS)
def test_stated_delay_of_a_format_is_its_seconds(name: str) -> None:
    headers, expected = DELAYS[name]
    found = stated_delay(headers, wall=NOW)
    assert found == (None if expected is None else pytest.approx(expected))


def test_stated_delay_of_anthropic_is_the_time_until_its_reset() -> None:
    spent = {"anthropic-ratelimit-requests-remaining": "0", "anthropic-ratelimit-requests-reset": "2023-11-14T22:14:20Z"}
    assert stated_delay(spent, wall=NOW, names=ANTHROPIC) == 60


@given(st.text(max_size=200) | st.from_regex(r"[0-9smhd. :+TZ-]{0,120}", fullmatch=True))
def test_read_delay_of_any_text_is_finite_or_nothing(text: str) -> None:
    seconds = read_delay(text, now=NOW)
    assert seconds is None or (math.isfinite(seconds) and 0 <= seconds <= MAX_SERVER_DELAY_S)


@given(st.dictionaries(st.sampled_from(["retry-after", "retry-after-ms", "date", *requests(remaining="", reset="")]), st.text()))
def test_stated_delay_of_any_headers_is_finite_or_nothing(headers: dict[str, str]) -> None:
    seconds = stated_delay(headers, wall=NOW)
    assert seconds is None or (math.isfinite(seconds) and 0 <= seconds <= MAX_SERVER_DELAY_S)


@given(st.integers(0, 86_400))
def test_read_delay_of_a_whole_number_is_never_less_than_stated(seconds: int) -> None:
    assert read_delay(str(seconds), now=NOW) == seconds
    assert read_delay(f"{seconds}s", now=NOW) == seconds
    assert read_delay(f"{seconds * 1000}ms", now=NOW) == pytest.approx(seconds)


LONG = {
    "zeros and a letter": ("0" * 60_000 + "!", None),
    "zeros and a number": ("0" * 60_000 + "7", 7),
    "nines": ("9" * 60_000, MAX_SERVER_DELAY_S),
    "spans": ("1m" * 30_000 + "x", None),
    "points": ("1.1" * 20_000, None),
    "commas": (", " * 30_000, None),
    "letters": ("a" * 60_000, None),
}


@pytest.mark.parametrize("name", LONG)
def test_read_delay_of_sixty_kilobytes_ends(name: str) -> None:
    text, expected = LONG[name]
    for _ in range(1000):  # seconds in linear time, hours in quadratic time
        assert read_delay(text, now=NOW) == expected


LIMITS = {
    "requests": (requests(limit="500", remaining="80", reset="6m0s"), RateLimit("requests", 500, 80, 360.0)),
    "no reset": (requests(limit="500", remaining="80"), RateLimit("requests", 500, 80, None)),
    "spent": (requests(limit="500", remaining="0", reset="120ms"), RateLimit("requests", 500, 0, 0.12)),
    "a long span": (requests(limit="14400", remaining="14399", reset="1h2m3.5s"), RateLimit("requests", 14400, 14399, 3723.5)),
    "OpenRouter": (
        {"x-ratelimit-limit": "20", "x-ratelimit-remaining": "5", "x-ratelimit-reset": str(int(NOW + 9) * 1000)},
        RateLimit("requests", 20, 5, 9.0),
    ),
}


@pytest.mark.parametrize("name", LIMITS)
def test_rate_limits_of_headers_are_a_row(name: str) -> None:
    headers, row = LIMITS[name]
    assert rate_limits(headers, wall=NOW) == (row,)


def test_rate_limits_of_anthropic_are_those_of_its_own_headers() -> None:
    wall = datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp()
    values = {"limit": "40000", "remaining": "39000", "reset": "2026-11-21T12:00:30Z"}
    headers = {f"anthropic-ratelimit-tokens-{name}": value for name, value in values.items()}
    assert rate_limits(headers, wall=wall, names=ANTHROPIC) == (RateLimit("tokens", 40000, 39000, 30.0),)
    assert rate_limits(headers, wall=wall) == ()


@pytest.mark.parametrize(
    "headers",
    [
        {},
        requests(limit="500"),
        requests(limit="many", remaining="3"),
        requests(limit="0", remaining="0"),
        requests(limit="5", remaining="-1"),
        requests(limit="5", remaining="9" * 60_000),
    ],
)
def test_rate_limits_that_cannot_be_read_are_unknown(headers: dict[str, str]) -> None:
    assert rate_limits(headers, wall=NOW) == ()


def test_rate_limits_of_requests_and_tokens_are_two_rows() -> None:
    headers = {**requests(limit="10", remaining="5"), "x-ratelimit-limit-tokens": "100", "x-ratelimit-remaining-tokens": "10"}
    assert [(row.kind, row.ratio) for row in rate_limits(headers, wall=NOW)] == [("requests", 0.5), ("tokens", 0.1)]


def test_rate_limits_of_mistral_and_fireworks_are_read() -> None:
    headers = {"x-ratelimit-limit-req-minute": "60", "x-ratelimit-remaining-req-minute": "59"}
    assert rate_limits(headers, wall=NOW, names=MistralProvider.rate_limit_headers) == (RateLimit("requests", 60, 59),)
    headers = {"x-ratelimit-limit-tokens-prompt": "7200", "x-ratelimit-remaining-tokens-prompt": "7100"}
    assert rate_limits(headers, wall=NOW, names=FireworksProvider.rate_limit_headers) == (RateLimit("tokens", 7200, 7100),)
