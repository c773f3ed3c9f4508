"""Conversion between monotonic and Unix time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelmesh._engine.foundation.clock import Clock
from modelmesh.testing import VirtualClock

TIMES = st.floats(0, 4e9)


@given(epoch=TIMES, at=TIMES)
def test_clock_conversion_round_trip(epoch: float, at: float) -> None:
    clock = Clock(epoch=epoch)
    assert clock.monotonic(clock.unix(at)) == pytest.approx(at, abs=1e-5)


def test_clock_start_ignores_later_wall_clock_changes() -> None:
    monotonic, wall = VirtualClock(), [1_763_683_200.0]
    began = monotonic()
    clock = Clock.start(monotonic, lambda: wall[0])
    wall[0] -= 86_400.0
    monotonic.advance(30.0)
    assert (clock.now(), clock.unix_now()) == (began + 30.0, 1_763_683_230.0)
