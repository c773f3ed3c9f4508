"""Rate-limit-aware strategy."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import entry_points
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from modelmesh_strategy_rate_limit_aware import RateLimitAware
from modelmesh_strategy_rate_limit_aware.pace import Pace
from modelmesh_strategy_rate_limit_aware.standings import Standings, to_steps

import modelmesh
from modelmesh._engine.health.health_registry import HealthRegistry
from modelmesh._engine.health.provider_health import ProviderHealth
from modelmesh._engine.routing.candidate_set import Candidates
from modelmesh._engine.routing.candidates import Candidate
from modelmesh._engine.routing.pool import Pool
from modelmesh.contracts import CHAT
from modelmesh.contracts.call import Call
from modelmesh.contracts.models import ModelInfo
from modelmesh.contracts.provider import Answer
from modelmesh.contracts.rate_limits import RateLimit
from modelmesh.contracts.strategy import SelectionRequest, SelectionResult
from modelmesh.errors import ConfigurationError
from modelmesh_cdk.testing import InProcessAccount


def pool_of(size: int, **rate_limit: Any) -> Pool:
    health, account = HealthRegistry(draw=lambda: 0.5), ProviderHealth(provider_id="p", connector_id="test.p.v1", names=("p",))
    members = [Candidate(f"m{n}", f"m{n}", ModelInfo(f"m{n}"), None, account) for n in range(size)]  # type: ignore[arg-type]
    return Pool("pool", "", members, RateLimitAware({"rate_limit": rate_limit}), health)


def asked(now: float = 1.0) -> SelectionRequest:
    return SelectionRequest(Call(CHAT, "pool", {}), "pool", now, Random(1))


def tell(
    pool: Pool,
    place: int,
    left: int,
    limit: int = 100,
    reset: float | None = 60.0,
    now: float = 1.0,
    also: Sequence[RateLimit] = (),
) -> None:
    """Record an answer of a member with these limits."""
    pool.members[place].update_statistics(None, [RateLimit("requests", limit, left, reset), *also], now)
    pool.strategy.succeeded(pool.members[place], asked(now), {})  # type: ignore[attr-defined]


def ask(pool: Pool, now: float = 1.0, mask: int = 0) -> int:
    """Return the position of the selected model after its attempt begins."""
    chosen = look(pool, now, mask).candidate
    pool.strategy.picked(chosen, asked(now))  # type: ignore[attr-defined]
    return pool.position(chosen) or 0


def look(pool: Pool, now: float = 1.0, mask: int = 0) -> SelectionResult:
    result = pool.strategy.select(Candidates(pool, mask or (1 << len(pool.members)) - 1), asked(now))
    assert isinstance(result, SelectionResult)
    return result


def test_rate_limit_aware_id_is_the_entry_point_name() -> None:
    [point] = [
        p for p in entry_points(group="modelmesh.strategies") if p.value.startswith("modelmesh_strategy_rate_limit_aware:")
    ]
    assert point.load() is RateLimitAware
    assert (point.name, RateLimitAware.id) == ("modelmesh.rate-limit-aware.v1", "modelmesh.rate-limit-aware.v1")


# -- when it switches ----------------------------------------------------------------------------------------------------


def test_select_below_threshold_keeps_the_current_model() -> None:
    pool = pool_of(2)
    assert ask(pool) == 0
    tell(pool, 0, 101, 500)  # 79.8 % used
    tell(pool, 1, 500, 500)
    assert ask(pool) == 0
    assert look(pool).reason == "current model: 20.2% of its limit left"


@pytest.mark.parametrize("left", [100, 80, 0])
def test_select_at_threshold_switches_to_most_remaining(left: int) -> None:
    pool = pool_of(3)
    assert ask(pool) == 0
    tell(pool, 0, left, 500)  # 80 of 500 left are 84 % used
    tell(pool, 1, 60)
    tell(pool, 2, 70)
    assert ask(pool) == 2
    tell(pool, 1, 100)
    assert ask(pool) == 2  # it has room: there is no need to switch


def test_select_reason_of_a_switch_names_both_models() -> None:
    pool = pool_of(2)
    ask(pool)
    tell(pool, 0, 16)
    tell(pool, 1, 95)
    assert look(pool).reason == "most room: 95.0% of its limit left (before: 16.0% of its limit left)"


def test_threshold_is_read_from_the_configuration() -> None:
    pool = pool_of(2, threshold=0.5)
    ask(pool)
    tell(pool, 1, 100)
    tell(pool, 0, 51)
    assert ask(pool) == 0
    tell(pool, 0, 50)
    assert ask(pool) == 1


def test_select_uses_the_scarcer_of_requests_and_tokens() -> None:
    pool = pool_of(2)
    ask(pool)
    tell(pool, 0, 99, also=[RateLimit("tokens", 1000, 100, 9.0)])
    assert ask(pool) == 1


def test_unknown_capacity_ranks_between_room_and_no_room() -> None:
    pool = pool_of(3)
    ask(pool)
    tell(pool, 0, 10)
    tell(pool, 2, 30)
    assert look(pool).candidate is pool.members[2]
    tell(pool, 2, 20)
    assert look(pool).candidate is pool.members[1]
    assert "limit is unknown" in look(pool).reason


def test_select_without_room_prefers_most_remaining() -> None:
    pool = pool_of(3)
    ask(pool)
    for place, left in enumerate((5, 0, 15)):
        tell(pool, place, left)
    assert look(pool).candidate is pool.members[2]
    assert look(pool).reason.startswith("no model has room: 15.0% of its limit left")
    assert look(pool, mask=0b010).candidate is pool.members[1]  # a model is selected nevertheless


def test_capacity_after_reset_is_full() -> None:
    pool = pool_of(2)
    ask(pool)
    tell(pool, 0, 5, reset=30.0)
    tell(pool, 1, 15, reset=90.0)
    assert look(pool, 30.9).candidate is pool.members[1]
    assert look(pool, 31.0).candidate is pool.members[0]
    assert look(pool, 31.0).reason == "current model: 100.0% of its limit left"


def test_capacity_without_reset_time_becomes_unknown() -> None:
    pool = pool_of(2)
    ask(pool)
    tell(pool, 0, 0, reset=None)
    tell(pool, 1, 10, reset=3600.0)
    assert look(pool, 60.0).candidate is pool.members[1]
    assert look(pool, 61.0).reason == "current model: its limit is unknown"


def test_failure_does_not_restore_the_previous_model() -> None:
    pool = pool_of(3)
    assert [ask(pool), ask(pool, mask=0b110), ask(pool)] == [0, 1, 1]


# -- its own pace --------------------------------------------------------------------------------------------------------


def test_max_rpm_reached_switches_model() -> None:
    pool = pool_of(2, max_rpm=2)
    assert [ask(pool, now) for now in (0.0, 10.0, 20.0, 30.0)] == [0, 0, 1, 1]
    assert "at its configured request rate" in look(pool, 40.0).reason
    assert ask(pool, 60.0) == 0  # the one of second 0 is a minute old
    assert ask(pool, 65.0, mask=0b01) == 0  # no other is offered
    assert look(pool, 80.0).candidate is pool.members[1]


def test_min_delta_separates_requests_of_one_model() -> None:
    pool = pool_of(3, min_delta=2.0)
    assert [ask(pool, now) for now in (0.0, 0.5, 1.0, 2.0, 2.5, 10.0)] == [0, 1, 2, 0, 1, 1]


def test_select_when_all_are_paced_prefers_most_remaining() -> None:
    pool = pool_of(3, min_delta="2s")
    for place, left in enumerate((40, 90, 0)):
        tell(pool, place, left)
        pool.strategy.picked(pool.members[place], asked(1.0))  # type: ignore[attr-defined]
    assert look(pool, 1.5).candidate is pool.members[1]


def test_paced_unknown_ranks_before_exhausted() -> None:
    pool = pool_of(2, min_delta="2s")
    tell(pool, 0, 0)
    pool.strategy.picked(pool.members[1], asked())  # type: ignore[attr-defined]
    assert look(pool).candidate is pool.members[1]
    assert look(pool).score == pool.strategy.score(pool.members[1], asked()) == -1  # type: ignore[attr-defined]


@given(
    steps=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 40)), max_size=60),
    most=st.integers(0, 4),
    delta=st.sampled_from([0.0, 3.0]),
)
def test_pace_equals_brute_force(steps: list[tuple[int, int]], most: int, delta: float) -> None:
    pace, now, times = Pace(delta, most), 0.0, {0: [], 1: [], 2: []}
    for place, later in steps:
        now += later
        pace.advance(now)
        for one, at in times.items():
            full = bool(most) and sum(when > now - 60 for when in at) >= most
            fresh = bool(delta) and any(when > now - delta for when in at)
            assert bool(pace.paced >> one & 1) == (full or fresh)
        pace.record_request(place, now)
        times[place].append(now)


# -- laws ----------------------------------------------------------------------------------------------------------------

shares = st.none() | st.sampled_from([0.0, 0.2, 0.5, 1.0]) | st.floats(0, 1)


@given(changes=st.lists(st.tuples(st.integers(0, 7), shares), max_size=40), mask=st.integers(1, 255))
def test_standings_best_equals_brute_force(changes: list[tuple[int, float | None]], mask: int) -> None:
    standings, now = Standings(8, 0.8), [None] * 8
    for place, share in changes:
        standings.set(place, share)
        now[place] = share
    known = [place for place in range(8) if mask >> place & 1 and now[place] is not None]
    assert standings.best(mask) == max(known, key=lambda place: (to_steps(now[place]), -place), default=None)
    assert standings.over == sum(1 << at for at in range(8) if now[at] is not None and 1 - now[at] >= 0.8 - 1e-9)
    assert len(standings._nodes) <= 11 * 8


history = st.lists(
    st.tuples(
        st.sampled_from(["ask", "told"]), st.integers(0, 5), st.integers(0, 20), st.sampled_from([1, 40, None]), st.integers(0, 9)
    ),
    max_size=25,
)


@given(history=history, mask=st.integers(1, 63), delta=st.sampled_from([0, 5]), most=st.sampled_from([0, 2]))
def test_select_returns_the_highest_score_and_changes_nothing(
    history: list[tuple[str, int, int, int | None, int]], mask: int, delta: int, most: int
) -> None:
    looked_at, left_alone = (pool_of(6, min_delta=delta, max_rpm=most) for _ in range(2))
    now = 1.0
    for what, place, left, reset, later in history:
        now += later
        for pool in (looked_at, left_alone):
            if what == "ask":
                pool.strategy.picked(pool.members[place], asked(now))  # type: ignore[attr-defined]
            else:
                tell(pool, place, left, 20, None if reset is None else float(reset), now)
        look(looked_at, now, mask)
    results = [look(pool, now, mask) for pool in (looked_at, left_alone)]
    assert str(results[0].candidate) == str(results[1].candidate)
    scores = [looked_at.strategy.score(one, asked(now)) for one in Candidates(looked_at, mask)]  # type: ignore[attr-defined]
    assert max(scores) == results[0].score == looked_at.strategy.score(results[0].candidate, asked(now))  # type: ignore[attr-defined]
    assert all(one.candidate in Candidates(pool, mask) for one, pool in zip(results, (looked_at, left_alone), strict=True))


# -- in a mesh -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["rate-limit-aware", "rate_limit_aware", "modelmesh.rate-limit-aware.v1"])
def test_create_finds_rate_limit_aware_by_every_alias(world: Any, name: str) -> None:
    account = InProcessAccount("one", "two")
    pool = {"strategy": name, "rate_limit": {"max_rpm": 1}}
    config = {"providers": {"here": {"instance": account}}, "pools": {"chat-completion": pool}}
    with modelmesh.create(config=config) as client:
        assert [client.chat.completions.create(model="chat-completion", messages=[]).model for _ in range(2)] == ["one", "two"]


def test_mesh_switches_model_by_reported_limits(world: Any) -> None:
    class Limited(InProcessAccount):
        left = 10

        def send(self, call: Any, model: str, limits: Any) -> Answer:
            self.left -= 1
            reported = [RateLimit("requests", 10, self.left, 60.0)]
            return Answer(super().send(call, model, limits).body, rate_limits=reported)

    here = world({key: Limited(f"model-{key}") for key in "ab"}, strategy="rate-limit-aware")
    assert here.send_many(16) == ["a/model-a"] * 8 + ["b/model-b"] * 8
    explained = here.client.explain("chat-completion")
    assert explained.reason.startswith("no model has room: 20.0% of its limit left")
    assert all(row.score is not None for row in explained.candidates)
    here.now += 61
    assert here.send() == "b/model-b"


@pytest.mark.parametrize(
    ("rate_limit", "key"),
    [
        ({"threshold": 2}, "threshold"),
        ({"max_rpm": -1}, "max_rpm"),
        ({"max_rpm": True}, "max_rpm"),
        ({"min_delta": "soon"}, "min_delta"),
    ],
)
def test_invalid_setting_raises_with_its_key(rate_limit: dict[str, Any], key: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"rate_limit\.{key}"):
        RateLimitAware({"rate_limit": rate_limit})


@given(shares=st.lists(st.none() | st.sampled_from([0.0, 0.1, 0.2, 0.5, 1.0]), min_size=1, max_size=20), mask=st.integers(1))
def test_standings_set_together_equal_those_set_one_by_one(shares: list[float | None], mask: int) -> None:
    together, alone = Standings(len(shares), 0.8), Standings(len(shares), 0.8)
    for share in {share for share in shares if share is not None}:
        together.set_all([at for at, one in enumerate(shares) if one == share], share)
    for at, share in enumerate(shares):
        alone.set(at, share)
    assert vars(together) == vars(alone)
    assert together.best(mask) == alone.best(mask)


def test_first_choice_reads_no_member_without_used_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test counts the members that are read one by one instead of time."""
    pool = pool_of(500)
    read: list[Any] = []
    measured = Pool.counted_limits
    monkeypatch.setattr(Pool, "counted_limits", lambda self, one, now: read.append(one) or measured(self, one, now))
    pool.members[7].update_statistics(None, [RateLimit("requests", 100, 10, 60.0)], 1.0)
    pool.strategy.select(Candidates(pool, pool.available), asked())
    assert read == [pool.members[7]]
