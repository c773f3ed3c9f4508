"""Thresholds, one at a time: just below nothing happens, at it the model goes, and it comes back when that is over."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from modelmesh.contracts import DeactivationPolicy, DeactivationReason, ModelSnapshot, RecoveryPolicy, Strategy
from modelmesh_cdk import ThresholdRotationConfig, ThresholdRotationPolicy
from modelmesh_cdk.testing import StrategyConformance

NOW = datetime(2026, 11, 21, 2, 30, tzinfo=UTC).timestamp()
R = DeactivationReason


class TestThreshold(StrategyConformance):
    strategy_class = ThresholdRotationPolicy


def seen(**facts: Any) -> ModelSnapshot:
    return ModelSnapshot(**{"model_id": "m", "provider_id": "p", "now": NOW, **facts})


def standby(reason: DeactivationReason, **facts: Any) -> ModelSnapshot:
    return seen(**{"status": "standby", "deactivation_reason": reason, "deactivated_at": NOW, **facts})


def test_threshold_policy_implements_all_three_parts() -> None:
    policy = ThresholdRotationPolicy()
    assert isinstance(policy, DeactivationPolicy)
    assert isinstance(policy, RecoveryPolicy)
    assert isinstance(policy, Strategy)


@pytest.mark.parametrize(
    ("settings", "below", "reached", "reason"),
    [
        ({}, {"failure_count": 2}, {"failure_count": 3}, R.ERROR_THRESHOLD),
        ({"failure_threshold": 1}, {}, {"failure_count": 1}, R.ERROR_THRESHOLD),
        ({}, {"error_rate": 1.0, "samples": 9}, {"error_rate": 0.5, "samples": 10}, R.ERROR_THRESHOLD),
        ({}, {"error_rate": 0.49, "samples": 99}, {"error_rate": 0.5, "samples": 99}, R.ERROR_THRESHOLD),
        ({}, {"failure_count": 9, "last_status": 404}, {"failure_count": 9, "last_status": 503}, R.ERROR_THRESHOLD),
        (
            {"error_codes": [404]},
            {"failure_count": 9, "last_status": None},
            {"failure_count": 9, "last_status": 404},
            R.ERROR_THRESHOLD,
        ),
        ({"request_limit": 10}, {"requests": 9}, {"requests": 10}, R.REQUEST_LIMIT),
        ({"token_limit": 10}, {"tokens_used": 9}, {"tokens_used": 10}, R.TOKEN_LIMIT),
        ({"budget_limit": 1.0}, {"cost_accumulated": 0.99}, {"cost_accumulated": 1.0}, R.BUDGET_EXCEEDED),
        ({"budget_limit": 0.0}, {"cost_accumulated": None}, {"cost_accumulated": 0.0}, R.BUDGET_EXCEEDED),
        ({}, {"quota_used": 0.99}, {"quota_used": 1.0}, R.QUOTA_EXHAUSTED),
        ({"maintenance_window": "* 2-3 * * *"}, {"now": NOW - 3600}, {"now": NOW}, R.MAINTENANCE_WINDOW),
    ],
)
def test_policy_deactivates_at_threshold(
    settings: dict[str, Any], below: dict[str, Any], reached: dict[str, Any], reason: DeactivationReason
) -> None:
    policy = ThresholdRotationPolicy({"deactivation": settings})
    assert (policy.should_deactivate(seen(**below)), policy.get_reason(seen(**below))) == (False, None)
    assert (policy.should_deactivate(seen(**reached)), policy.get_reason(seen(**reached))) == (True, reason)


@pytest.mark.parametrize(
    ("settings", "snapshot", "seconds"),
    [
        ({}, standby(R.ERROR_THRESHOLD), 60.0),
        ({"recovery": {"cooldown": "5m"}}, standby(R.ERROR_THRESHOLD), 300.0),
        ({"cooldown_seconds": 7}, standby(R.ERROR_THRESHOLD, cooldown_until=NOW + 5), 7.0),
        ({}, standby(R.ERROR_THRESHOLD, cooldown_until=NOW + 500), 500.0),
        ({"quota_window": "daily"}, standby(R.REQUEST_LIMIT), 21.5 * 3600),
        ({"quota_window": "monthly"}, standby(R.BUDGET_EXCEEDED), 9 * 86_400 + 21.5 * 3600),
        ({}, standby(R.TOKEN_LIMIT), None),
        ({}, standby(R.QUOTA_EXHAUSTED), 9 * 86_400 + 21.5 * 3600),
        ({"quota_reset_schedule": "daily_utc"}, standby(R.QUOTA_EXHAUSTED), 21.5 * 3600),
        ({}, standby(R.QUOTA_EXHAUSTED, quota_resets_at=NOW + 11), 11.0),
        ({"on_quota_reset": False}, standby(R.QUOTA_EXHAUSTED, quota_resets_at=NOW + 11), None),
        ({"maintenance_window": "* 2-3 * * *"}, standby(R.MAINTENANCE_WINDOW), 1.5 * 3600),
        ({}, standby(R.MANUAL, cooldown_until=NOW), None),
    ],
)
def test_policy_recovers_on_schedule(settings: dict[str, Any], snapshot: ModelSnapshot, seconds: float | None) -> None:
    policy = ThresholdRotationPolicy(settings)
    at = policy.get_recovery_schedule(snapshot)
    if seconds is None:
        assert at is None
        assert not policy.should_recover(evolve(snapshot, now=NOW + 1e9))
        return
    assert at == datetime.fromtimestamp(NOW + seconds, UTC)
    assert not policy.should_recover(evolve(snapshot, now=NOW + seconds - 1))
    assert policy.should_recover(evolve(snapshot, now=NOW + seconds))


def test_probe_recovers_early_after_failures_only() -> None:
    policy = ThresholdRotationPolicy()
    assert policy.should_recover(standby(R.ERROR_THRESHOLD, probe_succeeded=True))
    assert not policy.should_recover(standby(R.ERROR_THRESHOLD, probe_succeeded=False))
    assert not policy.should_recover(standby(R.BUDGET_EXCEEDED, probe_succeeded=True))


def test_score_prefers_priority_to_health() -> None:
    policy = ThresholdRotationPolicy({"selection": {"model_priority": ["b", "q/c"], "provider_priority": ["x", "y"]}})
    models = [seen(model_id="z"), seen(model_id="z", error_rate=0.4), seen(provider_id="y"), seen(provider_id="x")]
    models += [seen(model_id="c", provider_id="q"), seen(model_id="b", error_rate=1.0)]
    scores = [policy.score(one) for one in models]
    assert scores == [1.0, 0.6, 501.0, 502.0, 1001.0, 1002.0]


def test_config_ignores_other_pool_keys() -> None:
    settings = {"deactivation": {"retry_limit": 7}, "recovery": {"probe_on_start": True}, "balance_mode": "relative"}
    assert ThresholdRotationConfig.of(settings).retry_limit == 7
    with pytest.raises(ValueError, match="not a cron expression"):
        ThresholdRotationPolicy({"maintenance_window": "at night"})
    with pytest.raises(ValueError, match="quota_window"):
        ThresholdRotationPolicy({"quota_window": "weekly"})


@given(
    st.sampled_from(list(R)), st.floats(0, 1e6), st.floats(0, 1e6), st.none() | st.floats(0, 1e6),
    st.sampled_from([None, "daily", "monthly"]),
)  # fmt: skip
def test_recovery_is_not_reversed_by_time(reason: R, waited: float, more: float, told: float | None, window: str | None) -> None:
    """Time alone never takes a recovery back, and never brings one before the vendor's own time."""
    policy = ThresholdRotationPolicy({"quota_window": window})
    snapshot = standby(reason, cooldown_until=None if told is None else NOW + told)
    if policy.should_recover(evolve(snapshot, now=NOW + waited)):
        assert policy.should_recover(evolve(snapshot, now=NOW + waited + more))
        assert told is None or NOW + waited >= NOW + told or reason is R.MANUAL
