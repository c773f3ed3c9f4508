"""Durations and sizes: accepted formats, their values, and rejected input."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelmesh._engine.config import parse_duration, parse_size

SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400}
BYTES = {"B": 1, "KB": 1024, "MB": 1024**2, "GB": 1024**3, "TB": 1024**4}


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("500ms", 0.5), ("60s", 60), ("5m", 300), ("1h", 3600), ("24h", 86_400), ("7d", 604_800), ("1.5h", 5400), (".5s", 0.5),
        ("30", 30), (30, 30), (0, 0), (2.5, 2.5), ("  5 m ", 300), ("5M", 300), ("100MS", 0.1),
    ],
)  # fmt: skip
def test_duration_parses_units(written: Any, seconds: float) -> None:
    assert parse_duration(written) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "written",
    ["", "s", "5 parsecs", "-5s", "1e3s", "1h30m", "nan", "inf", "5ſ", "٣s", None, True, [], {}, -1, math.nan, math.inf, 10**400, "9" * 400],
)  # fmt: skip
def test_duration_rejects_invalid(written: Any) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        parse_duration(written)


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("512MB", 512 * 1024**2),
        ("10KB", 10_240),
        ("1GB", 1024**3),
        ("1tb", 1024**4),
        ("7", 7),
        (7, 7),
        (0, 0),
        ("1.5kb", 1536),
        ("3 B", 3),
    ],
)
def test_size_parses_units(written: Any, number: int) -> None:
    assert parse_size(written) == number
    assert isinstance(parse_size(written), int)


@pytest.mark.parametrize("written", ["", "KB", "-1", -1, 1.5, True, None, "10 KiB", "1\N{KELVIN SIGN}B", "9" * 400 + "TB"])
def test_size_rejects_invalid(written: Any) -> None:
    with pytest.raises(ValueError, match="is not a size"):
        parse_size(written)


@given(st.integers(0, 10**6), st.sampled_from(sorted(SECONDS)))
def test_duration_of_any_integer_and_unit(number: int, unit: str) -> None:
    assert parse_duration(f"{number}{unit}") == pytest.approx(number * SECONDS[unit])
    assert parse_duration(f"{number}{unit.upper()}") == parse_duration(f"{number} {unit}")


@given(st.integers(0, 10**6), st.sampled_from(sorted(BYTES)))
def test_size_of_any_integer_and_unit(number: int, unit: str) -> None:
    assert parse_size(f"{number}{unit}") == number * BYTES[unit]
    assert parse_size(f"{number}{unit.lower()}") == parse_size(f"{number}{unit}")


@given(
    st.one_of(
        st.text(max_size=12), st.text("0123456789.smhdKMGTB ", max_size=12), st.integers(), st.floats(), st.none(), st.booleans()
    )
)
def test_units_of_any_other_text_raise_value_error(written: Any) -> None:
    for read in (parse_duration, parse_size):
        try:
            found = read(written)
        except ValueError as error:
            assert "write one like" in str(error) or "must be finite" in str(error)
        else:
            assert math.isfinite(found)
            assert found >= 0
