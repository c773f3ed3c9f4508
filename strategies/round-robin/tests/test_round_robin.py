"""Round-robin strategy."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from modelmesh_strategy_round_robin import RoundRobin

import modelmesh
from modelmesh._engine.health.health_registry import HealthRegistry
from modelmesh._engine.health.provider_health import ProviderHealth
from modelmesh._engine.routing.candidate_set import Candidates
from modelmesh._engine.routing.candidates import Candidate
from modelmesh._engine.routing.pool import Pool
from modelmesh.contracts import CHAT
from modelmesh.contracts.call import Call
from modelmesh.contracts.models import ModelInfo
from modelmesh.contracts.strategy import SelectionRequest
from modelmesh_cdk.testing import InProcessAccount

A, B, C = "a/model-a", "b/model-b", "c/model-c"


@pytest.mark.parametrize("name", ["round-robin", "round_robin", "modelmesh.round-robin.v1", "rotation.modelmesh.round-robin.v1"])
def test_create_finds_round_robin_by_every_alias(world: Any, name: str) -> None:
    account = InProcessAccount("one", "two")
    config = {"providers": {"here": {"instance": account}}, "pools": {"chat-completion": {"strategy": name}}}
    with modelmesh.create(config=config) as client:
        asked = [client.chat.completions.create(model="chat-completion", messages=[]).model for _ in range(3)]
    assert asked == ["one", "two", "one"]


def test_round_robin_follows_pool_order(world: Any) -> None:
    assert world(strategy="round-robin").send_many(7) == [A, B, C, A, B, C, A]


def test_round_robin_order_is_the_configured_order(world: Any) -> None:
    assert world(strategy="round-robin", models=["model-c", "model-a"]).send_many(3) == [C, A, C]


def test_explain_and_pool_status_do_not_advance_the_turn(world: Any) -> None:
    here = world(strategy="round-robin")
    assert here.send() == A
    for _ in range(3):
        assert here.client.explain("chat-completion").selected_model == "model-b"
        assert here.client.pool_status()["chat-completion"].current_model == "model-b"
    assert here.send() == B


def test_standby_model_is_skipped_and_resumes_its_place(world: Any) -> None:
    here = world(strategy="round-robin")
    pool = here.mesh.get_router().get_pool("chat-completion")
    second = pool.models[1]
    pool.deactivate(second)
    assert here.send_many(4) == [A, C, A, C]
    pool.recover(second)
    assert here.send_many(4) == [A, B, C, A]


def test_failed_model_gives_its_turn_to_the_next(world: Any) -> None:
    here = world(strategy="round-robin")
    here.accounts["b"].down.add("model-b")
    assert here.send_many(4) == [A, C, A, C]


def test_recovered_model_resumes_its_place(world: Any) -> None:
    here = world(strategy="round-robin", deactivation={"retry_limit": 1}, recovery={"cooldown": "60s"})
    here.accounts["b"].down.add("model-b")
    assert here.send_many(2) == [A, C]
    here.accounts["b"].down.clear()
    assert here.send_many(4) == [A, C, A, C]
    here.now += 61
    assert here.send_many(4) == [A, B, C, A]


def test_preferred_provider_goes_first_and_round_continues(world: Any) -> None:
    here = world(strategy="round-robin")
    assert [here.send(preferred_provider="b"), here.send(), here.send()] == [B, C, A]


def test_pools_take_turns_independently(world: Any) -> None:
    account = InProcessAccount("one", "two")
    config = {
        "providers": {"here": {"instance": account}},
        "pools": {name: {"capability": "chat-completion", "strategy": "round-robin"} for name in ("first", "second")},
    }
    with modelmesh.create(config=config) as client:
        asked = [client.chat.completions.create(model=pool, messages=[]).model for pool in ("first", "second", "first")]
    assert asked == ["one", "one", "two"]


def test_explain_contains_the_reason(world: Any) -> None:
    assert world(strategy="round-robin").client.explain("chat-completion").reason == "its turn"


# -- laws ---------------------------------------------------------------------------------------------------------------


def pool_of(size: int) -> Pool:
    health, account = HealthRegistry(draw=lambda: 0.5), ProviderHealth(provider_id="p", connector_id="test.p.v1", names=("p",))
    members = [Candidate(f"m{n}", f"m{n}", ModelInfo(f"m{n}"), None, account) for n in range(size)]  # type: ignore[arg-type]
    return Pool("pool", "", members, RoundRobin(), health)


REQUEST = SelectionRequest(Call(CHAT, "pool", {}), "pool", 0.0, None)


@given(size=st.integers(1, 12), start=st.integers(0, 11), mask=st.integers(1, 2**12 - 1))
def test_each_candidate_is_selected_once_a_round(size: int, start: int, mask: int) -> None:
    pool = pool_of(size)
    pool.strategy.picked(pool.members[start % size], REQUEST)
    offered = Candidates(pool, mask & (1 << size) - 1 or 1)
    asked = []
    for _ in range(len(offered)):
        asked.append(pool.strategy.select(offered, REQUEST).candidate)  # type: ignore[union-attr]
        pool.strategy.picked(asked[-1], REQUEST)
    assert sorted(map(str, asked)) == sorted(map(str, offered))
