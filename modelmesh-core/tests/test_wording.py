"""Formatting for messages: durations, times, money and shortened names."""

from __future__ import annotations

import math

import pytest

from modelmesh._engine.foundation.wording import (
    LABELS,
    class_label,
    dollars,
    human_duration,
    label,
    moment,
    one_line,
    quote_name,
    wait,
)
from modelmesh._engine.routing.error_summary import EXPLANATION_ORDER
from modelmesh.contracts import FailureClass


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "0 s"), (0.26, "260 ms"), (1.5, "1.5 s"), (45, "45 s"), (60, "1 min"), (260, "4 min 20 s"), (41165, "11 h 26 min"),
     (86400, "1 d"), (183600, "2 d 3 h"), (math.inf, "an unknown time")],
)  # fmt: skip
def test_duration_has_at_most_two_units(seconds: float, text: str) -> None:
    assert human_duration(seconds) == text


def test_moment_has_a_date_on_another_day_only() -> None:
    assert moment(3600.0, 0.0) == "01:00 UTC"
    assert moment(90000.0, 0.0) == "1970-01-02 01:00 UTC"


def test_wait_of_a_minute_or_more_shows_its_end() -> None:
    assert wait(59, 0.0) == "59 s"
    assert wait(120, 0.0) == "2 min (until 00:02 UTC)"
    assert wait(120) == "2 min"


@pytest.mark.parametrize(
    ("amount", "text"),
    [(0, "$0.00"), (1e-05, "$0.00001"), (1e-9, "$0.000000001"), (1e-12, "$0.00"), (0.2, "$0.20"), (0.008005, "$0.008005"),
     (12.5, "$12.50"), (1234567.0, "$1234567.00"), (0.0179, "$0.0179")],
)  # fmt: skip
def test_dollars_have_no_exponent(amount: float, text: str) -> None:
    assert dollars(amount) == text


def test_failure_classes_have_label_and_explanation() -> None:
    assert set(LABELS) == set(EXPLANATION_ORDER) == set(FailureClass)
    assert label("throttle", 429, "slow") == "rate limited (429 slow)"
    assert class_label(FailureClass.CREDENTIAL) == "key rejected (401)"
    assert label("a class of a later version") == "a class of a later version"


def test_names_and_texts_are_cut() -> None:
    assert quote_name("a") == "'a'"
    assert len(quote_name("x" * 10_000)) < 120
    assert one_line("a\n\x1b[31m b\tc") == "a [31m b c"
    assert len(one_line("x" * 10_000)) == 300
