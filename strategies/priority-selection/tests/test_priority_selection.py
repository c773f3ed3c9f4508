"""Priority selection strategy."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from modelmesh_strategy_priority_selection import PrioritySelection

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
from modelmesh.errors import ModelMeshError, NoActiveModelError
from modelmesh_cdk.testing import InProcessAccount

A, B, C = "a/model-a", "b/model-b", "c/model-c"


@pytest.mark.parametrize("name", ["priority", "priority-selection", "priority_selection", "modelmesh.priority-selection.v1"])
def test_create_finds_priority_selection_by_every_alias(world: Any, name: str) -> None:
    account = InProcessAccount("one", "two")
    pool = {"strategy": name, "model_priority": ["two"]}
    config = {"providers": {"here": {"instance": account}}, "pools": {"chat-completion": pool}}
    with modelmesh.create(config=config) as client:
        assert client.chat.completions.create(model="chat-completion", messages=[]).model == "two"


@pytest.mark.parametrize(
    "pool",
    [
        {"strategy": "priority", "model_priority": ["model-c", "model-a"]},
        {"strategy": "priority", "selection": {"model_priority": ["model-c", "model-a"]}},
        {"rotation": {"policy": "modelmesh.priority-selection.v1", "selection": {"model_priority": ["model-c", "model-a"]}}},
    ],
)
def test_model_priority_is_read_from_every_section(world: Any, pool: dict[str, Any]) -> None:
    here = world(**pool)
    assert here.send_many(3) == [C, C, C]
    here.accounts["c"].down.add("model-c")
    assert here.send() == A


@pytest.mark.parametrize("name", ["model-b", "b.model-b", "b/model-b", "test.account.v1/model-b"])
def test_model_priority_accepts_names_with_provider(world: Any, name: str) -> None:
    here = world(strategy="priority", model_priority=[name])
    assert here.send_many(2) == [B, B]
    explained = here.client.explain("chat-completion")
    assert {row.model: row.score for row in explained.candidates} == {"model-a": 0.0, "model-b": 1001.0, "model-c": 0.0}


def test_provider_priority_comes_after_model_priority(world: Any) -> None:
    here = world(strategy="priority", model_priority=["model-b"], provider_priority=["c", "a"])
    assert here.send() == B
    here.accounts["b"].down.add("model-b")
    assert here.send() == C
    here.accounts["c"].down.add("model-c")
    assert here.send() == A


@pytest.mark.filterwarnings("ignore:.*has no effect. no:modelmesh._engine.foundation.notices.NotEnforcedWarning")
def test_shared_model_goes_to_the_preferred_provider(world: Any) -> None:
    accounts = {key: InProcessAccount("same") for key in "abc"}
    here = world(accounts, strategy="priority", model_priority=["same"], provider_priority=["nobody", "c", "b"])
    assert here.send() == "c/same"
    accounts["c"].down.add("same")
    assert here.send() == "b/same"


def test_recovered_model_is_first_again(world: Any) -> None:
    here = world(
        strategy="priority", model_priority=["model-b", "model-a"], deactivation={"retry_limit": 1}, recovery={"cooldown": "60s"}
    )
    here.accounts["b"].down.add("model-b")
    assert here.send() == A
    here.accounts["b"].down.clear()
    assert here.send_many(2) == [A, A]
    here.now += 61
    assert here.send() == B


@pytest.mark.filterwarnings("ignore:.*has no effect. no:modelmesh._engine.foundation.notices.NotEnforcedWarning")
def test_unknown_names_in_priorities_are_ignored(world: Any) -> None:
    here = world(strategy="priority", model_priority=["gpt-99", "", "x/y"], provider_priority=["nobody", "b"])
    assert here.send_many(2) == [B, B]


def test_unlisted_models_fall_back_to_round_robin(world: Any) -> None:
    here = world(strategy="priority", model_priority=["model-b"])
    here.accounts["b"].down.add("model-b")
    assert here.send_many(4) == [A, C, A, C]


def test_listed_models_do_not_advance_the_fallback(world: Any) -> None:
    accounts = {key: InProcessAccount(f"model-{key}") for key in "abcd"}
    here = world(accounts, strategy="priority", model_priority=["b/model-b"])
    pool = here.mesh.get_router().get_pool("chat-completion")
    pool.deactivate(pool.models[1])
    assert here.send_many(2) == ["a/model-a", "c/model-c"]
    pool.recover(pool.models[1])
    assert here.send_many(3) == [B, B, B]
    pool.deactivate(pool.models[1])
    assert here.send_many(2) == ["d/model-d", "a/model-a"]


def test_fallback_without_notifications_works(world: Any) -> None:
    here = world(strategy="priority", model_priority=["model-b"], fallback_strategy="stick-until-failure")
    here.accounts["b"].down.add("model-b")
    assert here.send_many(3) == [A, A, A]
    here.accounts["a"].down.add("model-a")
    assert here.send_many(2) == [C, C]
    here.accounts["a"].down.clear()
    assert here.send() == C, "the fallback learns who answered, and stays with it"


def test_explain_does_not_advance_the_fallback(world: Any) -> None:
    here = world(strategy="priority")
    for _ in range(3):
        explained = here.client.explain("chat-completion")
        assert explained.selected_model == "model-a"
        assert explained.reason == "no listed model is available; modelmesh.round-robin.v1: its turn"
    assert here.send_many(2) == [A, B]


def test_empty_priorities_use_the_fallback(world: Any) -> None:
    assert world(strategy="priority").send_many(4) == [A, B, C, A]


def test_fallback_error_raises_without_a_listed_model(world: Any) -> None:
    here = world(strategy="priority", model_priority=["model-b"], fallback_strategy="error")
    assert here.send() == B
    here.accounts["b"].down.add("model-b")
    with pytest.raises(ModelMeshError) as caught:  # tried once without alternatives: every attempt is listed
        here.send()
    assert [attempt.model_id for attempt in caught.value.attempts] == ["model-b"]  # type: ignore[attr-defined]
    candidate = next(c for c in here.client.mesh.list_models() if c.model_id == "model-b")
    here.client.mesh.list_pools()[0].deactivate(candidate)
    with pytest.raises(NoActiveModelError, match="fallback_strategy is 'error'") as refused:
        here.send()
    assert refused.value.pool_name == "chat-completion"


def test_instance_without_mesh_uses_pool_order(world: Any) -> None:
    here = world(strategy_instance=PrioritySelection({"model_priority": ["model-c"]}))
    assert here.send() == C
    here.accounts["c"].down.add("model-c")
    assert here.send() == A


# -- laws ---------------------------------------------------------------------------------------------------------------

NAMES = [f"m{n}" for n in range(8)]
REQUEST = SelectionRequest(Call(CHAT, "pool", {}), "pool", 0.0, None)


def pool_of(models: list[str], providers: list[str]) -> Pool:
    health = HealthRegistry(draw=lambda: 0.5)
    accounts = [ProviderHealth(provider_id=f"p{n}", connector_id=f"test.p{n}.v1", names=(f"p{n}",)) for n in range(3)]
    members = [Candidate(name, name, ModelInfo(name), None, accounts[n % 3]) for n, name in enumerate(NAMES)]  # type: ignore[arg-type]
    return Pool("pool", "", members, PrioritySelection({"model_priority": models, "provider_priority": providers}), health)


priorities = st.lists(st.sampled_from([*NAMES, "p1/m1", "p1.m4", "p0/m1", "unknown"]), max_size=6)
preferred = st.lists(st.sampled_from(["p0", "p1", "p2", "unknown"]), max_size=3)


@given(models=priorities, providers=preferred, mask=st.integers(1, 2**8 - 1))
def test_select_returns_the_highest_score(models: list[str], providers: list[str], mask: int) -> None:
    pool = pool_of(models, providers)
    offered = Candidates(pool, mask)
    result = pool.strategy.select(offered, REQUEST)
    assert result.candidate in offered  # type: ignore[union-attr]
    scores = {str(one): pool.strategy.score(one, REQUEST) for one in offered}
    assert scores[str(result.candidate)] == max(scores.values()) == result.score  # type: ignore[union-attr]
