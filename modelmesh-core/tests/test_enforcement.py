"""Enforcement of limits: which targets an exhausted counter suspends, and when they resume."""

from __future__ import annotations

from typing import Any

import pytest

from modelmesh._engine.foundation.clock import Clock
from modelmesh._engine.foundation.suspension_reasons import SuspensionReason
from modelmesh._engine.limits.counter import Limit, LimitCounter, Metric, OnExhausted
from modelmesh._engine.limits.enforcement import LimitEnforcement
from modelmesh._engine.limits.window import Period, Window

NOON = 1_763_726_400.0
QUOTA = SuspensionReason.QUOTA_EXHAUSTED


class Target:
    def __init__(self) -> None:
        self.suspensions: dict[SuspensionReason, float] = {}


class Suspender:
    def suspend(self, target: Any, reason: SuspensionReason, until: float, /) -> None:
        target.suspensions[reason] = until

    def resume(self, target: Any, reason: SuspensionReason, /) -> None:
        del target.suspensions[reason]


def counter(amount: int = 2, **more: Any) -> LimitCounter:
    made = LimitCounter(Limit("provider:a", Metric.REQUESTS, amount, Window(Period.DAY), QUOTA, **more))
    made.advance_window(NOON)
    return made


@pytest.fixture
def enforcement() -> LimitEnforcement:
    return LimitEnforcement(Suspender(), Clock(epoch=NOON))


def test_exhausted_counter_suspends_targets_until_reset(enforcement: LimitEnforcement) -> None:
    targets, limit = [Target(), Target()], counter()
    for target in targets:
        enforcement.attach(target, [limit])
    limit.add(2, NOON)
    enforcement.update(limit, 0.0)
    assert [target.suspensions for target in targets] == [{QUOTA: 12 * 3600.0}] * 2
    assert enforcement.exhausted == {limit}
    limit.reset()
    enforcement.update(limit, 1.0)
    assert [target.suspensions for target in targets] == [{}, {}]
    assert enforcement.exhausted == set()


def test_target_stays_suspended_by_another_exhausted_counter(enforcement: LimitEnforcement) -> None:
    target, one, other = Target(), counter(), counter()
    enforcement.attach(target, [one, other])
    for limit in (one, other):
        limit.add(2, NOON)
        enforcement.update(limit, 0.0)
    one.reset()
    enforcement.update(one, 1.0)
    assert QUOTA in target.suspensions


@pytest.mark.parametrize("more", [{"enforce": False}, {"on_exhausted": OnExhausted.ERROR}])
def test_counter_without_rotation_suspends_nothing(enforcement: LimitEnforcement, more: dict[str, Any]) -> None:
    target, limit = Target(), counter(**more)
    enforcement.attach(target, [limit])
    limit.add(2, NOON)
    enforcement.update(limit, 0.0)
    assert target.suspensions == {}
