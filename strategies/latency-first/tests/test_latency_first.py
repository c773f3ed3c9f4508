"""Latency-first strategy."""

from __future__ import annotations

import statistics
from collections import Counter
from importlib.metadata import entry_points
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from modelmesh_strategy_latency_first import LatencyFirst
from modelmesh_strategy_latency_first.latencies import Latencies
from modelmesh_strategy_latency_first.strategy import _draw_two

import modelmesh
from modelmesh._engine.health.provider_health import ProviderHealth
from modelmesh._engine.routing.candidate_set import Candidates
from modelmesh._engine.routing.candidates import Candidate
from modelmesh.contracts.models import ModelInfo
from modelmesh.errors import ConfigurationError
from modelmesh_cdk.testing import InProcessAccount, pool_of

THREE = {"slow": 1.0, "fast": 0.1, "mid": 0.5}


def test_latency_first_id_is_the_entry_point_name() -> None:
    prefix = "modelmesh_strategy_latency_first:"
    [point] = [p for p in entry_points(group="modelmesh.strategies") if p.value.startswith(prefix)]
    assert point.load() is LatencyFirst
    assert (point.name, LatencyFirst.id) == ("modelmesh.latency-first.v1", "modelmesh.latency-first.v1")


@pytest.mark.parametrize("name", ["latency-first", "latency_first", "modelmesh.latency-first.v1"])
def test_create_finds_latency_first_by_every_alias(name: str) -> None:
    here = {"instance": InProcessAccount("one", "two")}
    pool = {"strategy": name, "selection": {"max_latency_ms": 500}}
    with modelmesh.create(config={"providers": {"here": here}, "pools": {"chat-completion": pool}}) as client:
        assert client.chat.completions.create(model="chat-completion", messages=[]).model in {"one", "two"}


@pytest.mark.parametrize("most", [0, -1, "fast", True, float("nan")])
def test_invalid_max_latency_raises(most: object) -> None:
    pool = {"strategy": "latency-first", "selection": {"max_latency_ms": most}}
    config = {"providers": {"here": {"instance": InProcessAccount("one")}}, "pools": {"chat-completion": pool}}
    with pytest.raises(ConfigurationError, match="max_latency_ms") as caught:
        modelmesh.create(config=config)
    assert "modelmesh check" in str(caught.value)


# -- distribution of requests --------------------------------------------------------------------------------------------------


def test_fastest_model_gets_most_requests(town: Any) -> None:
    here = town(THREE)
    asked = here.ask(10_000)
    assert asked["fast"] > 9_200
    assert min(asked.values()) > 10


def test_fastest_model_gets_most_requests_under_load(town: Any) -> None:
    here = town(THREE)
    asked = here.ask(10_000, every=0.01)  # about ten in flight
    assert asked["fast"] > 8_000
    assert asked["mid"] > asked["slow"] > 10
    hundred = town({f"m{n:02}": 0.2 + n / 50 for n in range(100)})
    asked = hundred.ask(10_000)
    assert asked["m00"] > 8_000


def test_slowed_model_is_avoided_until_it_is_fast_again(town: Any) -> None:
    here = town(THREE)
    assert here.ask(1000)["fast"] > 900
    here.takes["fast"] = 5.0
    assert here.ask(3)["fast"] <= 2
    assert here.ask(1000)["fast"] < 50
    here.takes["fast"] = 0.1
    here.ask(200)
    assert here.ask(1000)["fast"] > 850


def test_hanging_model_is_avoided_while_requests_hang(town: Any) -> None:
    here = town(THREE)
    here.ask(1000)
    here.takes["fast"] = 60.0
    asked = here.ask(400, every=0.05)  # 20 s without an answer
    assert asked["fast"] < 100


def test_timeout_counts_as_an_observation_of_its_length(town: Any) -> None:
    here = town({"fast": -120.0, "other": 0.5})
    here.ask(20)
    assert here.strategy.score(here["fast"], here.request()) == -120.0
    assert here.ask(10)["other"] >= 9


def test_every_model_gets_requests(town: Any) -> None:
    here = town({f"m{n}": 1.0 for n in range(1, 20)} | {"m0": 0.1})
    assert len(here.ask(4000)) == 20
    rare = town({"first": 0.1, "second": 1.0, "third": 1.0})
    for _ in range(300):
        rare.ask(1)
        rare.now += 3600  # every average decays before the next request
    assert rare.strategy._latencies[False].of(rare["third"]) is not None


def test_first_requests_follow_pool_order(town: Any) -> None:
    here = town(THREE, seed=3)
    assert here.ask(1) == {"slow": 1}
    assert here.reasons == ["fastest of 2 compared; not tried before"]


def test_same_seed_gives_same_choices(town: Any) -> None:
    one, two, other = (town(THREE, seed=seed) for seed in (5, 5, 6))
    for here in (one, two, other):
        here.ask(500)
    assert one.reasons == two.reasons != other.reasons


def test_recovered_model_gets_its_load_gradually(town: Any) -> None:
    here = town({"fast": 0.1, "mid": 0.5})
    here.ask(200)
    request = here.request()
    assert here.strategy.score(here["fast"], request) == pytest.approx(-0.1)
    here["fast"].health.recovered_at = here.now
    assert here.strategy.score(here["fast"], request) == pytest.approx(-1.0)
    assert here.ask(10)["mid"] >= 9
    here["fast"].health.recovered_at = here.now - 15  # slow start weight 0.5
    assert here.ask(10)["fast"] >= 9


# -- expected latency of one model --------------------------------------------------------------------------------------


def told(here: Any, name: str, seconds: float, *, stream: bool = False) -> None:
    here.strategy.succeeded(here[name], here.request(stream=stream), {"first_content_seconds": seconds})


def score(here: Any, name: str, **request: Any) -> float:
    return round(here.strategy.score(here[name], here.request(**request)), 6)


def test_observe_follows_peaks_at_once_and_drops_slowly(town: Any) -> None:
    here = town(THREE)
    told(here, "fast", 0.2)
    told(here, "fast", 3.0)
    assert score(here, "fast") == -3.0
    here.now += 10  # with the 0.2 s of the answer: a weight of exp(-0.72), as the latest observation was at 3 s
    told(here, "fast", 0.2)
    assert score(here, "fast") == pytest.approx(-(3.0 * 0.4868 + 0.2 * 0.5132), abs=1e-3)


def test_unobserved_model_has_the_median_latency(town: Any) -> None:
    here = town({"a": 1, "b": 1, "c": 1, "new": 1})
    assert score(here, "new") == -1.0
    for name, seconds in (("a", 0.2), ("b", 4.0), ("c", 0.5)):
        told(here, name, seconds)
    assert score(here, "new") == -0.5
    told(here, "c", 2.0)
    assert score(here, "new") == -2.0


def test_streams_and_plain_answers_have_separate_averages(town: Any) -> None:
    here = town(THREE)
    told(here, "fast", 0.2, stream=True)
    told(here, "fast", 8.0)
    assert (score(here, "fast", stream=True), score(here, "fast")) == (-0.2, -8.0)


def test_succeeded_without_time_changes_nothing(town: Any) -> None:
    here = town(THREE)
    here.strategy.succeeded(here["fast"], here.request(), {"first_content_seconds": None})
    here.strategy.failed(here["fast"], here.request(), RuntimeError())
    assert len(here.strategy._latencies[False]) == 0


def test_score_decreases_with_requests_in_flight(town: Any) -> None:
    here = town(THREE)
    told(here, "fast", 0.2)
    here["fast"].account.leases = set(range(4))
    assert score(here, "fast") == -0.6
    here["fast"].health.leases = set(range(4))
    assert score(here, "fast") == -1.0


def test_model_above_max_latency_is_last_but_active(town: Any) -> None:
    here = town({"fast": 0.1, "slow": 2.0}, max_latency_ms=1000)
    told(here, "fast", 0.1)
    told(here, "slow", 2.0)
    here["fast"].health.leases = set(range(1000))  # without the limit the slow model would be the faster one
    everybody = Candidates(here.pool, 0b11)
    request = here.request()
    chosen = {here.strategy.select(everybody, request).candidate.model_id for _ in range(10)}
    assert chosen == {"fast"}
    assert here["slow"].status == "active"
    assert here.strategy.select(Candidates(here.pool, 0b10), request).candidate is here["slow"]


def test_select_reason_contains_the_expected_latency(town: Any) -> None:
    here = town(THREE)
    told(here, "fast", 0.21)
    here["fast"].health.leases = set(range(2))
    alone = Candidates(here.pool, 0b010)
    assert here.strategy.select(alone, here.request()).reason == "sole candidate; 210 ms to first content, 2 in flight"
    here.ask(300)
    assert {reason.partition(";")[0] for reason in here.reasons} >= {"exploration", "fastest of 3 compared"}


# -- laws ---------------------------------------------------------------------------------------------------------------

steps = st.lists(st.tuples(st.integers(0, 5), st.floats(0, 1000), st.floats(0, 100)), max_size=40)


@given(steps=steps)
def test_latencies_order_and_median_equal_brute_force(steps: list[tuple[int, float, float]]) -> None:
    members = pool_of([ModelInfo(f"m{n}") for n in range(6)], LatencyFirst()).members
    latencies, now = Latencies(), 0.0
    for place, seconds, later in steps:
        now += later
        before = latencies.of(members[place])
        most = max(seconds, before.seconds) if before else seconds
        latencies.observe(members[place], seconds, now)
        after = latencies.of(members[place])
        assert after is not None
        assert seconds <= after.seconds <= most  # between the latest observation and the largest one
    known = [wait for member in members if (wait := latencies.of(member))]
    assert [str(one) for one in latencies.shortest()] == [str(one.candidate) for one in sorted(known, key=lambda w: w.rank)]
    if known:
        assert latencies.median == pytest.approx(statistics.median(wait.seconds for wait in known))


@given(steps=steps, mask=st.integers(1, 63), seed=st.integers(0, 1000), stream=st.booleans())
def test_select_returns_a_candidate_and_changes_nothing(
    steps: list[tuple[int, float, float]], mask: int, seed: int, *, stream: bool
) -> None:
    from modelmesh.contracts import CHAT
    from modelmesh.contracts.call import Call
    from modelmesh.contracts.strategy import SelectionRequest

    pool = pool_of([ModelInfo(f"m{n}") for n in range(6)], LatencyFirst({"max_latency_ms": 50_000}))
    now = 0.0
    for place, seconds, later in steps:
        now += later
        request = SelectionRequest(Call(CHAT, "pool", {}, stream=stream), "pool", now, Random(seed))
        pool.strategy.succeeded(pool.members[place], request, {"first_content_seconds": seconds})  # type: ignore[attr-defined]
    offered = Candidates(pool, mask)

    def chosen() -> Any:
        request = SelectionRequest(Call(CHAT, "pool", {}, stream=stream), "pool", now, Random(seed))
        return pool.strategy.select(offered, request)

    first = chosen()
    assert first.candidate in offered
    assert all(chosen() == first for _ in range(3))


@given(mask=st.integers(1, 63), seed=st.integers(0, 1000))
def test_draw_two_returns_two_candidates(mask: int, seed: int) -> None:
    pool = pool_of([ModelInfo(f"m{n}") for n in range(6)], LatencyFirst())
    offered = Candidates(pool, mask)
    if len(offered) > 1:
        one, other = _draw_two(offered, len(offered), Random(seed))
        assert one in offered
        assert other in offered
        assert one is not other


def test_draw_two_is_uniform() -> None:
    pool, rng = pool_of([ModelInfo(f"m{n}") for n in range(100)], LatencyFirst()), Random(1)
    few = Candidates(pool, 0b10101)  # so few of a hundred that random draws hardly ever find them
    many = Candidates(pool, 0b111 << 50 | 1)
    for offered in (few, many):
        seen = Counter(frozenset(map(str, _draw_two(offered, len(offered), rng))) for _ in range(6000))
        pairs = len(offered) * (len(offered) - 1) // 2
        assert len(seen) == pairs
        assert all(abs(count - 6000 / pairs) < 200 for count in seen.values())


def test_models_without_a_pool_are_forgotten() -> None:
    account = ProviderHealth(provider_id="p", connector_id="test.p.v1")
    pool = pool_of([ModelInfo("stays")], LatencyFirst())
    latencies = Latencies()
    latencies.observe(pool.members[0], 1.0, 0.0)
    for n in range(1000):
        gone = Candidate(f"m{n}", f"m{n}", ModelInfo(f"m{n}"), None, account)  # type: ignore[arg-type]
        latencies.observe(gone, 0.5, float(n))
    assert len(latencies) <= 64
    assert latencies.of(pool.members[0]) is not None
    assert len(list(latencies.shortest())) == len(latencies)
