"""Properties of every strategy: it gives a reason and all scores, and ``explain()`` changes nothing."""

from __future__ import annotations

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import entry_points
from typing import Any

import pytest

from modelmesh import ModelMesh
from modelmesh.contracts.discovery import ProbeResult, SyncResult
from modelmesh.errors import ModelMeshError
from modelmesh.testing import MockProvider, VirtualClock

STRATEGIES = sorted(point.name for point in entry_points(group="modelmesh.strategies") if point.name.startswith("modelmesh."))
NAMES = "abcd"
ASKED = [{"role": "user", "content": "Hello!"}]
NOON = 1_795_262_400.0


class World:
    """Four models with limits, three of them with a price, and a manual clock."""

    def __init__(self, strategy: str, discovery: Any = None, **pool: Any) -> None:
        self.clock = VirtualClock()
        self.mesh = ModelMesh(clock=self.clock, sleep=self.clock.sleep, wall=lambda: NOON, rng=random.Random(20261121))
        quota = {"requests_per_minute": 9, "tokens_per_day": 3000}
        self.mesh.initialize(
            {
                "providers": {
                    name: {"instance": MockProvider(["Hi."], model=name), "quota": quota}
                    for name in (NAMES if discovery is None else f"{NAMES}e")
                },
                "discovery": discovery,
                "models": {
                    name: {
                        "provider": name,
                        "capabilities": ["chat-completion"],
                        "pricing": {"input_per_1k_tokens": 0.01 * at, "output_per_1k_tokens": 0.01},
                    }
                    for at, name in enumerate(NAMES[:3])
                },
                "budget": {"daily_limit": 3, "unknown_price": "allow"},
                "pools": {"chat": {"capability": "chat-completion", "strategy": strategy, **pool}},
            }
        )
        self.client = self.mesh.client

    def ask(self, session: str) -> str:
        try:
            return str(self.client.chat.completions.create(model="chat", messages=ASKED, session_id=session).model)
        except ModelMeshError as error:
            return type(error).__name__

    def look(self, session: str) -> Any:
        """Call every read-only view and return the explanation."""
        self.mesh.pool_status()
        self.mesh.limits()
        self.mesh.describe()
        assert self.mesh.usage.budget_status is not None
        return self.client.explain("chat", messages=ASKED, session_id=session)

    def counts(self) -> dict[str, tuple[int, int]]:
        counters = [
            counter for member in self.mesh.list_models() for counter in self.mesh._core.reservations.counters_of(member.account)
        ]
        return {
            counter.limit.name: (counter.used, counter.reserved)
            for counter in (*counters, *self.mesh._core.reservations.global_counters)
        }


def test_strategies_are_eight() -> None:
    assert len(STRATEGIES) == 8


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_strategy_explain_changes_nothing(strategy: str) -> None:
    looked, plain = World(strategy), World(strategy)
    for turn in range(48):  # more requests than the limits of one minute permit
        session = f"conversation {turn % 5}"
        for _ in range(100 if turn in (0, 20) else 1):
            said = looked.look(session)
        answer = looked.ask(session)
        assert answer == plain.ask(session)
        assert answer == (said.selected_model or "NoActiveModelError")
        for world in (looked, plain):
            world.clock.advance(1.7)
    assert looked.counts() == plain.counts()
    assert looked.mesh.usage.total_cost == plain.mesh.usage.total_cost
    assert {reserved for _, reserved in looked.counts().values()} == {0}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_strategy_gives_one_reason_line_and_all_scores(strategy: str) -> None:
    world = World(strategy)
    for turn in range(12):
        said = world.look(f"conversation {turn % 3}")
        assert said.reason
        assert len(said.reason.splitlines()) == 1
        assert [row.model for row in said.candidates] == list(NAMES)
        assert all(isinstance(row.score, float) and abs(row.score) < float("inf") for row in said.candidates)
        assert [row.model for row in said.candidates if row.selected] == [said.selected_model]
        world.ask(f"conversation {turn % 3}")


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_strategy_handles_changing_candidates(strategy: str) -> None:
    world = World(strategy)
    pool = world.mesh.list_pools()[0]
    seen = Counter[str]()
    for turn in range(40):
        there = [pool.members[turn % 4]] if turn % 3 else list(pool.members[: 1 + turn % 4])
        for member in pool.members:
            (pool.manual_standby.remove if member in there else pool.manual_standby.add)(member)
        answer = world.ask(f"conversation {turn % 4}")
        seen[answer] += 1
        assert answer in {member.model_id for member in there}
        world.clock.advance(30)
    assert sum(seen.values()) == 40


class Finder:
    """Finds a new model at each call."""

    id = "test.finder.v1"

    def __init__(self) -> None:
        self.names = iter(f"late-{number}" for number in range(40))

    def sync(self, providers: Any = None) -> SyncResult:
        return SyncResult(new_models=(f"e/{next(self.names)}",)) if providers == ["e"] else SyncResult()

    def probe(self, provider_id: str) -> ProbeResult:
        return ProbeResult(provider_id, success=True)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_strategy_selects_models_that_join_later(strategy: str) -> None:
    sync = {"sync": {"providers": ["e"]}, "health": {"enabled": False}}
    world = World(strategy, discovery={"instance": Finder(), **sync})
    world.mesh.discovery.scheduler.run_due()  # the discovery at the start has ended after this call
    pool, seen = world.mesh.list_pools()[0], Counter[str]()
    for turn in range(48):
        if turn % 4 == 0:
            world.mesh.discovery.sync()
        assert len(world.look(f"conversation {turn % 4}").candidates) == len(pool.members)
        seen[world.ask(f"conversation {turn % 4}")] += 1
        world.clock.advance(1.3)
    assert len(pool.members) > len(NAMES) + 9
    for member in pool.members[:-1]:
        pool.manual_standby.add(member)
    world.clock.advance(61)  # the quota of the minute is exhausted
    assert world.ask("another conversation") == pool.members[-1].model_id
    if strategy not in ("modelmesh.stick-until-failure.v1", "modelmesh.priority-selection.v1", "modelmesh.cost-first.v1"):
        assert any(name.startswith("late-") for name in seen), "those three have no reason to ask what came last"


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_strategy_threads_leave_no_reservation(strategy: str) -> None:
    world = World(strategy)
    with ThreadPoolExecutor(64) as threads:
        came = Counter(threads.map(lambda turn: world.ask(f"conversation {turn % 40}"), range(128)))
    counts = world.counts()
    assert {reserved for _, reserved in counts.values()} == {0}
    assert {name: came[name] for name in NAMES} == dict.fromkeys(NAMES, 9), "as many as a minute lets through, and no more"
    assert {counts[f"provider:{name}:requests:minute"][0] for name in NAMES} == {9}
