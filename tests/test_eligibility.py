"""Eligibility of a candidate: reasons, their order, their end, and their use in explanations and errors."""

from __future__ import annotations

import math
from random import Random

import pytest

from modelmesh._engine.foundation.clock import Clock
from modelmesh._engine.foundation.failures import FailureClass
from modelmesh._engine.foundation.suspension_reasons import SuspensionReason
from modelmesh._engine.health.health_registry import HealthRegistry
from modelmesh._engine.health.provider_health import ProviderHealth
from modelmesh._engine.limits.reservations import Reservations
from modelmesh._engine.routing.candidates import Candidate
from modelmesh._engine.routing.eligibility import IneligibilityReason
from modelmesh._engine.routing.explain import explain
from modelmesh._engine.routing.pool import Pool
from modelmesh._engine.routing.request_eligibility import eligibility, not_tried
from modelmesh._engine.routing.selection_sets import SelectionSets
from modelmesh.contracts import CHAT, Call, CandidateStatus, ModelInfo
from modelmesh_cdk import BaseStrategy

NOW = 100.0
TOOLS = Call(CHAT, "pool", {"messages": [], "tools": [{"type": "function"}]})
PLAIN = Call(CHAT, "pool", {"messages": []})


@pytest.fixture
def pool() -> Pool:
    """A pool of two models at accounts of their own, the second one without tools."""
    health = HealthRegistry(draw=lambda: 0.5)
    health.advance(NOW)
    accounts = [ProviderHealth(provider_id=name, connector_id="test.v1", names=(name,)) for name in ("one", "two")]
    infos = (ModelInfo("a"), ModelInfo("b", features={"tool_calling": False}))
    members = [Candidate(info.id, info.id, info, None, account) for info, account in zip(infos, accounts, strict=True)]  # type: ignore[arg-type]
    return Pool("pool", "", members, BaseStrategy(), health, reservations=Reservations(health, Clock()))


def test_eligibility_of_an_available_candidate_is_ok(pool: Pool) -> None:
    found = eligibility(pool, pool.members[0], TOOLS, NOW, pool.capable(TOOLS))
    assert (found.ok, found.text, found.until, found.status) == (True, "", 0.0, CandidateStatus.ACTIVE)


def test_eligibility_of_a_missing_feature_is_active(pool: Pool) -> None:
    found = eligibility(pool, pool.members[1], TOOLS, NOW, pool.capable(TOOLS))
    assert (found.reason, found.text) == (IneligibilityReason.CAPABILITY, "states it lacks tool_calling")
    assert found.status is CandidateStatus.ACTIVE


def test_availability_orders_reasons_and_has_the_latest_end(pool: Pool) -> None:
    one = pool.members[0]
    pool.health.suspend(one.health, SuspensionReason.HEALTH_CHECK, NOW + 50)
    pool.health.suspend(one.account, SuspensionReason.MAINTENANCE_WINDOW, NOW + 20)
    found = pool.availability(one, NOW)
    assert (found.reason, found.until) == (IneligibilityReason.MAINTENANCE_WINDOW, NOW + 50)
    assert found.texts == (
        "account in standby for 20 s: maintenance window",
        "model in standby until a probe succeeds: health check failed",
    )
    assert found.status is CandidateStatus.STANDBY


@pytest.mark.parametrize("stated", [True, False])
def test_availability_distinguishes_stated_delays(pool: Pool, *, stated: bool) -> None:
    one = pool.members[0]
    pool.health.restore_open(one.health, FailureClass.SERVER, NOW + 30, retry_after_given=stated, backoff_steps={})
    found = pool.availability(one, NOW)
    assert found.reason is (IneligibilityReason.RETRY_AFTER if stated else IneligibilityReason.COOLDOWN)
    assert found.text == "model in cooldown for 30 s: server error"


def test_availability_of_manual_standby_has_no_end(pool: Pool) -> None:
    pool.deactivate(pool.members[0])
    found = pool.availability(pool.members[0], NOW)
    assert (found.reason, found.until) == (IneligibilityReason.MANUAL_STANDBY, math.inf)


def test_availability_at_capacity(pool: Pool) -> None:
    pool.members[0].account.concurrency_limit = 0
    assert pool.availability(pool.members[0], NOW).reason is IneligibilityReason.AT_CAPACITY


@pytest.mark.parametrize("call", [PLAIN, TOOLS], ids=["plain", "tools"])
def test_explain_and_errors_state_the_same_reason(pool: Pool, call: Call) -> None:
    """The explanation, the final error and the view of strategies read one derivation."""
    pool.health.suspend(pool.members[0].health, SuspensionReason.QUOTA_EXHAUSTED, NOW + 60)
    pool.deactivate(pool.members[1])
    explained = explain(call, pool, clock=lambda: NOW, rng=Random(0))
    viewed = [pool.standby_reason(one, NOW) for one in pool.members]
    assert [row.reason for row in explained.candidates] == viewed
    failed = dict(not_tried(pool, call, SelectionSets(pool.index.all, pool.available), NOW))
    assert [failed[one].text for one in pool.members] == viewed
