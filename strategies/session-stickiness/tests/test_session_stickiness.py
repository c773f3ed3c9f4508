"""Session-stickiness strategy."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import entry_points
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from modelmesh_strategy_session_stickiness import SessionStickiness
from modelmesh_strategy_session_stickiness.sessions import Sessions

import modelmesh
from modelmesh._engine.health.provider_health import ProviderHealth
from modelmesh._engine.routing.candidates import Candidate
from modelmesh.contracts import CHAT
from modelmesh.contracts.call import Call, CallOptions
from modelmesh.contracts.models import ModelInfo
from modelmesh.errors import ConfigurationError, ProviderServerError, RoutingError, SessionModelUnavailableError
from modelmesh_cdk.testing import InProcessAccount

A, B, C = "a/model-a", "b/model-b", "c/model-c"


def test_session_stickiness_id_is_the_entry_point_name() -> None:
    prefix = "modelmesh_strategy_session_stickiness:"
    [point] = [p for p in entry_points(group="modelmesh.strategies") if p.value.startswith(prefix)]
    assert point.load() is SessionStickiness
    assert (point.name, SessionStickiness.id) == ("modelmesh.session-stickiness.v1", "modelmesh.session-stickiness.v1")


# -- new conversations ---------------------------------------------------------------------------------------------------


def test_new_sessions_rotate_and_each_stays(world: Any) -> None:
    here = world(strategy="session-stickiness")
    assert [here.send(session_id=name) for name in "uvw"] == [A, B, C]
    assert [here.send(session_id=name) for name in "wuvvwu"] == [C, A, B, B, C, A]
    assert here.send(session_id="x") == A  # those that stay do not move the round on


def test_new_sessions_follow_priorities(world: Any) -> None:
    here = world(strategy="session-stickiness", model_priority=["model-c"])
    assert [here.send(session_id=name) for name in "uv"] == [C, C]
    assert here.client.explain("chat-completion").reason == "no session; number 1 of model_priority"


@pytest.mark.filterwarnings("ignore:.*has no effect. no:modelmesh._engine.foundation.notices.NotEnforcedWarning")
def test_configured_fallback_applies_to_the_priorities(world: Any) -> None:
    here = world(strategy="session-stickiness", model_priority=["model-x"], fallback_strategy="stick-until-failure")
    assert [here.send(session_id=name) for name in "uvw"] == [A, A, A]
    strict = world(strategy="session-stickiness", model_priority=["model-x"], fallback_strategy="error")
    with pytest.raises(RoutingError, match="fallback_strategy is 'error'"):
        strict.send(session_id="u")


def test_request_without_session_uses_priority_selection(world: Any) -> None:
    here = world(strategy="session-stickiness")
    assert here.send_many(4) == [A, B, C, A]


@pytest.mark.parametrize(
    "named",
    [
        {"session_id": "u"},
        {"routing_metadata": {"session_id": "u"}},
        {"extra_headers": {"X-Session-ID": "u"}},
        {"metadata": {"session_id": "u"}},
        {"extra_body": {"metadata": {"session_id": "u"}}},
    ],
)
def test_session_is_read_from_every_source(world: Any, named: dict[str, Any]) -> None:
    here = world(strategy="session-stickiness")
    assert [here.send(**named), here.send(), here.send(), here.send(**named), here.send(session_id="u")] == [A, B, C, A, A]


def test_session_header_can_be_renamed_or_disabled(world: Any) -> None:
    here = world(strategy="session-stickiness", selection={"session_header": "X-Thread"})
    assert [here.send(extra_headers={"x-thread": "u"}) for _ in range(2)] == [A, A]
    assert [here.send(extra_headers={"x-session-id": "v"}) for _ in range(2)] == [B, C]
    none = world(strategy="session-stickiness", selection={"session_header": ""})
    assert [none.send(extra_headers={"x-session-id": "u"}) for _ in range(2)] == [A, B]


# -- unavailable model of a session --------------------------------------------------------------------------------------


def test_session_moves_after_failure_and_stays(world: Any) -> None:
    here = world(strategy="session-stickiness", deactivation={"retry_limit": 1}, recovery={"cooldown": "60s"})
    assert here.send(session_id="u") == A
    here.accounts["a"].down.add("model-a")
    assert here.send(session_id="u") == B  # within the same request
    here.accounts["a"].down.clear()
    here.now += 61
    assert [here.send(session_id="u") for _ in range(3)] == [B, B, B]


def test_session_moves_from_standby_with_a_reason(world: Any) -> None:
    here = world(strategy="session-stickiness")
    assert here.send(session_id="u") == A
    pool = here.mesh.get_router().get_pool("chat-completion")
    pool.deactivate(pool.models[0])
    assert here.send(session_id="u") == B
    pool.recover(pool.models[0])
    assert here.send(session_id="u") == B


def test_strict_session_raises_while_its_model_is_in_standby(world: Any) -> None:
    here = world(
        strategy="session-stickiness",
        selection={"affinity_mode": "strict"},
        deactivation={"retry_limit": 1},
        recovery={"cooldown": "60s"},
    )
    assert here.send(session_id="u") == A
    here.accounts["a"].down.add("model-a")
    with pytest.raises(ProviderServerError):
        here.send(session_id="u")  # it failed, and no other model is tried
    with pytest.raises(
        SessionModelUnavailableError, match="a/model-a of the session is unavailable in pool 'chat-completion'"
    ) as refused:
        here.send(session_id="u")
    error = refused.value
    assert isinstance(error, RoutingError)
    assert (error.pool_name, error.provider_id, error.model_id, error.retryable) == ("chat-completion", "a", "model-a", True)
    assert 0 < error.retry_after <= 60  # type: ignore[attr-defined]
    assert "'u'" not in str(error)
    assert here.send(session_id="v") == B  # others are served
    here.accounts["a"].down.clear()
    here.now += 61
    assert here.send(session_id="u") == A


def test_strict_session_returns_after_a_panic_answer(world: Any) -> None:
    here = world(
        {key: InProcessAccount(f"model-{key}") for key in "ab"},
        strategy="session-stickiness",
        selection={"affinity_mode": "strict"},
        deactivation={"retry_limit": 1},
        recovery={"cooldown": "60s"},
    )
    assert here.send(session_id="u") == A
    for key in "ba":  # b is due first
        here.accounts[key].down.add(f"model-{key}")
        with pytest.raises(ProviderServerError):
            here.send(session_id="u" if key == "a" else "v")
        here.now += 10
    here.accounts["b"].down.clear()
    assert here.send(session_id="u") == B  # every model is off: the one due soonest finds out
    here.accounts["a"].down.clear()
    here.now += 61
    assert here.send(session_id="u") == A


def test_strict_session_by_hand_has_no_retry_after(world: Any) -> None:
    here = world(strategy="session-stickiness", selection={"affinity_mode": "strict"})
    here.send(session_id="u")
    pool = here.mesh.get_router().get_pool("chat-completion")
    pool.deactivate(pool.models[0])
    with pytest.raises(SessionModelUnavailableError, match="by hand") as refused:
        here.send(session_id="u")
    assert not hasattr(refused.value, "retry_after")


# -- how long ------------------------------------------------------------------------------------------------------------


def test_session_expires_after_timeout(world: Any) -> None:
    here = world(strategy="session-stickiness", selection={"session_timeout": "10m"})
    assert here.send(session_id="u") == A
    here.now += 599
    assert here.send(session_id="u") == A
    here.now += 599
    assert here.send(session_id="u") == A
    here.now += 600
    assert here.send(session_id="u") == B


def test_session_timeout_defaults_to_half_an_hour(world: Any) -> None:
    here = world(strategy="session-stickiness")
    here.send(session_id="u")
    here.now += 1799
    assert here.send(session_id="u") == A
    here.now += 1800
    assert here.send(session_id="u") == B


def test_session_timeout_starts_at_the_end_of_the_answer(world: Any) -> None:
    class Slow(InProcessAccount):
        def send(self, call: Any, model: str, limits: Any) -> Any:
            here.now += 500
            return super().send(call, model, limits)

    here = world({key: Slow(f"model-{key}") for key in "ab"}, strategy="session-stickiness", selection={"session_timeout": "60s"})
    assert [here.send(session_id="u"), here.send(session_id="u")] == [A, A]


def test_explain_scores_the_session_model_and_changes_nothing(world: Any) -> None:
    here = world(strategy="session-stickiness")
    here.send(session_id="u")
    strategy = here.mesh.get_router().get_pool("chat-completion").strategy
    old, new = (
        here.mesh.explain("chat-completion", Call(CHAT, "chat-completion", {}, options=CallOptions(session_id=name)))
        for name in "uv"
    )
    assert (old.selected_model, old.reason) == ("model-a", "the model of this session")
    assert max(old.candidates, key=lambda row: row.score).model == "model-a"
    assert (new.selected_model, new.reason.split(";")[0]) == ("model-b", "new session")
    assert len(strategy._sessions) == 1
    assert here.send(session_id="v") == B


def test_threads_of_one_session_use_one_model(world: Any) -> None:
    here = world(strategy="session-stickiness")
    with ThreadPoolExecutor(8) as threads:
        for name in "uvwxyz":
            answered = set(threads.map(lambda _, name=name: here.send(session_id=name), range(40)))
            assert len(answered) == 1


def test_pools_keep_sessions_independently(world: Any) -> None:
    account = InProcessAccount("one", "two")
    pools = {name: {"capability": "chat-completion", "strategy": "session-stickiness"} for name in ("first", "second")}
    pools["second"]["model_priority"] = ["two"]  # type: ignore[assignment]
    with modelmesh.create(config={"providers": {"here": {"instance": account}}, "pools": pools}) as client:
        asked = [client.chat.completions.create(model=p, messages=[], session_id="u").model for p in ("first", "second", "first")]
    assert asked == ["one", "two", "one"]


@pytest.mark.parametrize("name", ["session-stickiness", "session_stickiness", "rotation.modelmesh.session-stickiness.v1"])
def test_create_finds_session_stickiness_by_every_alias(world: Any, name: str) -> None:
    assert world(strategy=name).send(session_id="u") == A


@pytest.mark.parametrize(
    ("selection", "key"),
    [
        ({"affinity_mode": "loose"}, "affinity_mode"),
        ({"session_timeout": "a while"}, "session_timeout"),
        ({"max_sessions": 0}, "max_sessions"),
    ],
)
def test_invalid_setting_raises_with_its_key(world: Any, selection: dict[str, Any], key: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"selection\.{key}"):
        world(strategy="session-stickiness", selection=selection)


# -- laws ----------------------------------------------------------------------------------------------------------------

ACCOUNT = ProviderHealth(provider_id="p", connector_id="test.p.v1", names=("p",))
MODELS = [Candidate(f"m{n}", f"m{n}", ModelInfo(f"m{n}"), None, ACCOUNT) for n in range(3)]  # type: ignore[arg-type]
NAMES = ["u", "v", "w", "x", "long " * 40, "long " * 41]


@given(
    steps=st.lists(st.tuples(st.sampled_from(NAMES), st.integers(0, 2), st.integers(0, 7)), max_size=60),
    most=st.integers(1, 4),
    timeout=st.integers(1, 20),
)
def test_sessions_equal_brute_force(steps: list[tuple[str, int, int]], most: int, timeout: int) -> None:
    sessions, now, every = Sessions(most, timeout), 0.0, []
    for name, model, later in steps:
        now += later
        sessions.assign(name, MODELS[model], now)
        every = [row for row in every if row[0] != name] + [(name, model, now)]
        assert len(sessions) <= most
        kept = {row[0]: row[1] for row in every[-most:] if now - row[2] < timeout}
        for one in NAMES:
            found = sessions.model_of(one, now)
            assert found is (MODELS[kept[one]] if one in kept else None)


def test_sessions_store_a_digest_of_long_names() -> None:
    sessions = Sessions(10, 60)
    sessions.assign("u" * 1_000_000, MODELS[0], 0.0)
    assert sessions.model_of("u" * 1_000_000, 1.0) is MODELS[0]
    assert max(map(len, sessions._models)) <= 64
