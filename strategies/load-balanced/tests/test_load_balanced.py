"""Load-balanced strategy."""

from __future__ import annotations

from collections import Counter
from importlib.metadata import entry_points
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from modelmesh_strategy_load_balanced import LoadBalanced
from modelmesh_strategy_load_balanced.weights import Weights

import modelmesh
from modelmesh._engine.foundation.suspension_reasons import SuspensionReason
from modelmesh._engine.health.circuit_policy import SLOW_START_S
from modelmesh._engine.health.health_registry import HealthRegistry
from modelmesh._engine.health.provider_health import ProviderHealth
from modelmesh._engine.limits.counter import Limit, LimitCounter, Metric
from modelmesh._engine.limits.window import Period, Window
from modelmesh._engine.routing.candidate_set import Candidates
from modelmesh._engine.routing.candidates import Candidate
from modelmesh._engine.routing.pool import Pool
from modelmesh.contracts import CHAT
from modelmesh.contracts.call import Call
from modelmesh.contracts.models import ModelInfo
from modelmesh.contracts.rate_limits import RateLimit
from modelmesh.contracts.strategy import SelectionRequest
from modelmesh.errors import ConfigurationError
from modelmesh_cdk.testing import InProcessAccount

PICKS = 10_000
TOLERANCE = 0.02
"""Of all picks: every share is met within two percentage points."""


def pool_of(size: int, **config: Any) -> Pool:
    health = HealthRegistry(draw=lambda: 0.5)
    accounts = [ProviderHealth(provider_id=key, connector_id=f"test.{key}.v1", names=(key,)) for key in ("one", "two")]
    members = [Candidate(f"m{n}", f"m{n}", ModelInfo(f"m{n}"), None, accounts[n % 2]) for n in range(size)]  # type: ignore[arg-type]
    return Pool("pool", "", members, LoadBalanced(config), health)


def in_groups(weights: list[float | None]) -> list[tuple[list[int], float | None]]:
    """Return the positions of each weight."""
    return [([at for at, other in enumerate(weights) if other == weight], weight) for weight in set(weights)]


def told(candidate: Candidate, left: int, limit: int, reset: float = 60.0, now: float = 0.0, kind: str = "requests") -> None:
    candidate.update_statistics(None, [RateLimit(kind, limit, left, reset)], now)


def asked(now: float = 1.0, rng: Random | None = None) -> SelectionRequest:
    return SelectionRequest(Call(CHAT, "pool", {}), "pool", now, rng or Random(1))


def shares(pool: Pool, mask: int = 0, now: float = 1.0) -> list[float]:
    request, offered = asked(now, Random(20261121)), Candidates(pool, mask or (1 << len(pool.members)) - 1)
    drawn = Counter(str(pool.strategy.select(offered, request).candidate) for _ in range(PICKS))  # type: ignore[union-attr]
    return [drawn[str(member)] / PICKS for member in pool.members]


def near(*expected: float) -> Any:
    return pytest.approx(expected, abs=TOLERANCE)


def test_load_balanced_id_is_the_entry_point_name() -> None:
    [point] = [p for p in entry_points(group="modelmesh.strategies") if p.value.startswith("modelmesh_strategy_load_balanced:")]
    assert point.load() is LoadBalanced
    assert (point.name, LoadBalanced.id) == ("modelmesh.load-balanced.v1", "modelmesh.load-balanced.v1")


# -- how often -----------------------------------------------------------------------------------------------------------


def test_weight_relative_is_the_share_left() -> None:
    pool = pool_of(3)
    for member, left in zip(pool.members, (80, 70, 40), strict=True):
        told(member, left, 100)
    assert shares(pool) == near(8 / 19, 7 / 19, 4 / 19)  # 42, 37 and 21 %


def test_weight_absolute_is_the_requests_left() -> None:
    pool = pool_of(3, balance_mode="absolute")
    for member, left, limit in zip(pool.members, (700, 400, 120), (1000, 400, 10_000), strict=True):
        told(member, left, limit)
    assert shares(pool) == near(700 / 1220, 400 / 1220, 120 / 1220)  # 57, 33 and 10 %


def test_configured_weights_replace_remaining_capacity() -> None:
    pool = pool_of(4, weights={"m0": 6, "two": 1.5})  # m2 is named nowhere: 1
    told(pool.members[0], 1, 100)
    assert shares(pool) == near(0.6, 0.15, 0.1, 0.15)


@pytest.mark.parametrize("name", ["m0", "one.m0", "one/m0"])
def test_weight_of_model_overrides_weight_of_provider(name: str) -> None:
    assert shares(pool_of(3, model_weights={name: 3, "one": 0})) == near(0.75, 0.25, 0)


def test_weight_of_unknown_capacity_is_the_median() -> None:
    pool = pool_of(4)
    for member, left in zip(pool.members, (90, 50, 10), strict=False):
        told(member, left, 100)
    assert shares(pool) == near(0.45, 0.25, 0.05, 0.25)
    assert "unknown" in pool.strategy.select(Candidates(pool, 0b1000), asked()).reason  # type: ignore[union-attr]


def test_weight_of_unknown_is_positive_when_most_are_zero() -> None:
    pool = pool_of(4)
    for member, left in zip(pool.members, (0, 0, 40), strict=False):
        told(member, left, 100)
    assert shares(pool) == near(0, 0, 0.5, 0.5)


def test_weights_are_equal_when_all_are_unknown() -> None:
    assert shares(pool_of(4)) == near(0.25, 0.25, 0.25, 0.25)


def test_draw_is_uniform_when_nothing_is_left() -> None:
    pool = pool_of(2)
    for member in pool.members:
        told(member, 0, 100)
    assert shares(pool) == near(0.5, 0.5)
    assert "evenly" in pool.strategy.select(Candidates(pool, 3), asked()).reason  # type: ignore[union-attr]


def test_weight_uses_the_scarcer_of_requests_and_tokens() -> None:
    pool = pool_of(2)
    told(pool.members[0], 90, 100)
    pool.members[1].update_statistics(None, [RateLimit("tokens", 1000, 300, 9.0), RateLimit("requests", 10, 9)], 0.0)
    assert shares(pool) == near(0.75, 0.25)


def test_weight_uses_own_count_without_a_report() -> None:
    pool = pool_of(2)
    for member, used in zip(pool.members, (20, 80), strict=True):
        quota = Limit(f"model:{member}", Metric.REQUESTS, 100, Window(Period.DAY), SuspensionReason.QUOTA_EXHAUSTED)
        counter = LimitCounter(quota)
        counter.advance_window(1.0)
        counter.used = used
        pool.reservations.attach(member.health, [counter])
    assert shares(pool) == near(0.8, 0.2)
    pool.reservations.counters_of(pool.members[0].health)[0].reserved += 60
    pool.strategy.picked(pool.members[0], asked())  # type: ignore[attr-defined]
    assert shares(pool) == near(0.5, 0.5)


def test_weight_after_reset_is_full() -> None:
    pool = pool_of(2)
    for member, reset in zip(pool.members, (30.0, 90.0), strict=True):
        told(member, 25, 100, reset)
    assert shares(pool, now=29.0) == near(0.5, 0.5)
    assert shares(pool, now=30.0) == near(0.8, 0.2)
    assert shares(pool, now=90.0) == near(0.5, 0.5)


def test_weight_uses_the_latest_report() -> None:
    pool = pool_of(2)
    for left, expected in ((100, near(0.5, 0.5)), (0, near(0, 1))):
        for member, rest in zip(pool.members, (left, 100), strict=True):
            told(member, rest, 100)
            pool.strategy.succeeded(member, asked(), {})  # type: ignore[attr-defined]
        assert shares(pool) == expected


def test_recovered_model_has_part_of_its_weight() -> None:
    pool = pool_of(2, weights={"m0": 1})
    pool.members[0].health.recovered_at = 0.0
    half = SLOW_START_S / 2
    assert shares(pool, now=half) == near(1 / 3, 2 / 3)
    assert pool.strategy.score(pool.members[0], asked(half)) == pytest.approx(0.5)  # type: ignore[attr-defined]
    assert shares(pool, now=SLOW_START_S) == near(0.5, 0.5)


@pytest.mark.parametrize("offered", [8, 1000, 4000])
def test_draw_among_ten_thousand_stays_in_the_set(offered: int) -> None:
    pool, chance = pool_of(10_000), Random(5)
    for member in pool.members:
        told(member, chance.randint(0, 1000), 1000)
    places = chance.sample(range(10_000), offered)
    candidates, request = Candidates(pool, sum(1 << place for place in places)), asked(1.0, chance)
    weights = [pool.strategy.score(pool.members[place], request) for place in places]  # type: ignore[attr-defined]
    drawn = [pool.strategy.select(candidates, request).candidate for _ in range(3000)]  # type: ignore[union-attr]
    assert all(candidate in candidates for candidate in drawn)
    mean = sum(pool.strategy.score(candidate, request) for candidate in drawn) / len(drawn)  # type: ignore[attr-defined]
    assert mean == pytest.approx(sum(weight**2 for weight in weights) / sum(weights), abs=TOLERANCE)


@pytest.mark.parametrize("weight", [1.0, 0.25, None])
def test_draw_among_equals_uses_one_random_number(weight: float | None, monkeypatch: pytest.MonkeyPatch) -> None:
    def look_at_all(*_: object) -> int:
        raise AssertionError

    monkeypatch.setattr(Weights, "_draw_exactly", look_at_all)
    numbers = iter([0.75])
    assert Weights(pool_of(10), [(range(10), weight)]).draw(2**10 - 1, lambda: next(numbers), lambda _: 1.0) == 7


# -- laws ----------------------------------------------------------------------------------------------------------------

some_weights = st.lists(
    st.none() | st.just(0.0) | st.floats(1e-6, 1e6) | st.sampled_from([0.25, 0.5, 1.0, 4.0]), min_size=1, max_size=9
)


@settings(max_examples=40, deadline=None)
@given(
    weights=some_weights, bits=st.integers(1, 2**9 - 1), parts=st.lists(st.sampled_from([0.1, 0.5, 1.0]), min_size=9, max_size=9)
)
def test_draw_distribution_equals_brute_force(weights: list[float | None], bits: int, parts: list[float]) -> None:
    size = len(weights)
    mask = bits & (1 << size) - 1 or 1
    pool = pool_of(size)
    known = sorted(weight for weight in weights if weight is not None)
    positive = [weight for weight in known if weight > 0]
    typical = middle(known) or middle(positive) or 1.0
    plain = [typical if weight is None else weight for weight in weights]
    part_of = {id(member): part for member, part in zip(pool.members, parts, strict=False)}
    exact = [weight * part * (mask >> at & 1) for at, (weight, part) in enumerate(zip(plain, parts, strict=False))]
    if not sum(exact):
        exact = [float(mask >> at & 1) for at in range(size)]
    board, chance, times = Weights(pool, in_groups(weights)), Random(20261121), 3000
    drawn = Counter(board.draw(mask, chance.random, lambda candidate: part_of[id(candidate)]) for _ in range(times))
    for place in range(size):
        assert drawn[place] / times == pytest.approx(exact[place] / sum(exact), abs=0.06)
        assert exact[place] or not drawn[place]


def middle(values: list[float]) -> float:
    return (values[(len(values) - 1) // 2] + values[len(values) // 2]) / 2 if values else 0.0


@given(start=some_weights, changes=st.lists(st.tuples(st.integers(0, 8), st.none() | st.floats(0, 1e6)), max_size=30))
def test_weights_set_equals_a_rebuild(start: list[float | None], changes: list[tuple[int, float | None]]) -> None:
    pool, now = pool_of(len(start)), list(start)
    changed = Weights(pool, in_groups(start))
    for place, weight in changes:
        if place < len(now):
            now[place] = weight
            changed.set(place, weight)
    fresh = Weights(pool, in_groups(now))
    assert changed.typical == fresh.typical
    everything, chances = (1 << len(now)) - 1, (Random(9), Random(9))
    first, second = (
        [board.draw(everything, chance.random, lambda _: 1.0) for _ in range(20)]
        for board, chance in zip((changed, fresh), chances, strict=True)
    )
    assert first == second


@given(
    known=st.lists(st.none() | st.tuples(st.integers(0, 50), st.integers(1, 50), st.integers(1, 90)), min_size=1, max_size=8),
    times=st.lists(st.floats(0, 100), min_size=1, max_size=6),
)
def test_explain_changes_no_weight(known: list[tuple[int, int, int] | None], times: list[float]) -> None:
    looked_at, left_alone = pool_of(len(known)), pool_of(len(known))
    for pool in (looked_at, left_alone):
        for member, row in zip(pool.members, known, strict=True):
            if row is not None:
                told(member, min(row[0], row[1]), row[1], float(row[2]))
    everything, last = (1 << len(known)) - 1, max(times)
    for now in sorted(times):
        looked_at.strategy.select(Candidates(looked_at, everything), asked(now))
    for seed in range(5):
        first, second = (
            str(pool.strategy.select(Candidates(pool, everything), asked(last, Random(seed))).candidate)  # type: ignore[union-attr]
            for pool in (looked_at, left_alone)
        )
        assert first == second


# -- in a mesh -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["load-balanced", "load_balanced", "rotation.modelmesh.load-balanced.v1"])
def test_create_finds_load_balanced_by_every_alias(world: Any, name: str) -> None:
    account = InProcessAccount("one", "two")
    pool = {"strategy": name, "selection": {"weights": {"one": 0}}}
    config = {"providers": {"here": {"instance": account}}, "pools": {"chat-completion": pool}}
    with modelmesh.create(config=config) as client:
        assert {client.chat.completions.create(model="chat-completion", messages=[]).model for _ in range(20)} == {"two"}


def test_select_skips_standby_and_explains_the_weight(world: Any) -> None:
    here = world(strategy="load-balanced", selection={"weights": {"a": 3}}, deactivation={"retry_limit": 1})
    here.accounts["a"].down.add("model-a")
    here.send_many(30)
    explained = here.client.explain("chat-completion")
    assert explained.selected_model in ("model-b", "model-c")
    assert explained.reason == "drawn by its configured weight, 1"
    assert {row.model: row.score for row in explained.candidates} == {"model-a": 3.0, "model-b": 1.0, "model-c": 1.0}


@pytest.mark.parametrize(
    "selection", [{"weights": [1, 2]}, {"weights": {"a": -1}}, {"model_weights": {"a": "3"}}, {"weights": {"a": float("nan")}}]
)
def test_invalid_weight_raises_with_its_key(world: Any, selection: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=r"selection\.(model_)?weights"):
        world(strategy="load-balanced", selection=selection)


@given(
    weights=st.lists(st.none() | st.sampled_from([0.0, 0.01, 0.2, 0.25, 1.0, 7.0]), min_size=1, max_size=20),
    order=st.randoms(use_true_random=False),
    seed=st.integers(0, 2**32),
)
def test_weights_set_together_draw_like_those_set_in_groups(weights: list[float | None], order: Random, seed: int) -> None:
    pool = pool_of(len(weights))
    together, alone = Weights(pool, in_groups(weights)), Weights(pool, in_groups([None] * len(weights)))
    positions = list(range(len(weights)))
    order.shuffle(positions)
    for position in positions:
        alone.set(position, weights[position])
    one, other = Random(seed), Random(seed)
    for _ in range(5):
        assert together.draw(pool.available, one.random, lambda _: 1.0) == alone.draw(pool.available, other.random, lambda _: 1.0)


def test_first_choice_reads_no_member_without_used_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test counts the members that are read one by one instead of time."""
    pool = pool_of(500)
    read: list[Any] = []
    measured = Pool.counted_limits
    monkeypatch.setattr(Pool, "counted_limits", lambda self, one, now: read.append(one) or measured(self, one, now))
    told(pool.members[7], 10, 100)
    pool.strategy.select(Candidates(pool, pool.available), asked())
    assert read == [pool.members[7]]
