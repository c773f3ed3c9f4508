"""Bounds of backoff and cooldowns."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from modelmesh._engine.foundation.backoff import MAX_SERVER_DELAY_S, equal_jitter, full_jitter
from modelmesh._engine.health.circuit_policy import CircuitPolicy
from modelmesh._engine.health.cooldown import cooldown
from modelmesh._engine.health.model_health import ModelHealth
from modelmesh.contracts import FailureClass
from modelmesh.errors import RateLimitError


@given(st.integers(0, 10_000), st.floats(0.001, 100), st.floats(0.001, 1000), st.floats(0, 0.999999))
def test_jitter_stays_in_bounds(attempt: int, first: float, longest: float, drawn: float) -> None:
    assert 0 <= full_jitter(attempt, first, longest, lambda: drawn) <= longest
    bound = min(longest, first * 2.0 ** min(attempt, 40))
    assert bound / 2 <= equal_jitter(attempt, first, longest, lambda: drawn) <= bound


@given(st.floats(0, 1e9), st.floats(0, 0.999999))
def test_cooldown_of_stated_delay_is_bounded(stated: float, drawn: float) -> None:
    error = RateLimitError("too many", failure=FailureClass.THROTTLE, status=429, upstream_delay_s=stated)
    seconds = cooldown(ModelHealth(), error, CircuitPolicy(), lambda: drawn)
    assert min(stated, MAX_SERVER_DELAY_S) <= seconds <= MAX_SERVER_DELAY_S
