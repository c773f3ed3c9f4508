"""The first of a set, by an order of one's own and by number: the same as looking at each of them."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelmesh._engine.health.circuit_breaker import ProviderHealth
from modelmesh._engine.health.registry import HealthRegistry
from modelmesh._engine.routing.candidates import Candidate, Candidates
from modelmesh._engine.routing.pool import Pool
from modelmesh._engine.routing.ranking import BLOCK, Ranking
from modelmesh.contracts.models import ModelInfo


@given(st.integers(0, 300), st.randoms(use_true_random=False), st.integers(0, 2**300 - 1))
def test_the_first_is_the_first(size: int, rng: random.Random, mask: int) -> None:
    places = list(range(size))
    rng.shuffle(places)
    expected = next((place for place in places if mask >> place & 1), None)
    assert Ranking(places).first(mask) == expected


@pytest.mark.parametrize("size", [0, 1, BLOCK, BLOCK + 1])
def test_at_the_edges_of_a_block(size: int) -> None:
    ranking = Ranking(list(reversed(range(size))))
    assert ranking.first(0) is None
    assert ranking.first((1 << size) - 1) == (size - 1 if size else None)


def test_what_is_not_ranked_is_never_first() -> None:
    assert Ranking([2]).first(0b011) is None


def pool(size: int) -> Pool:
    account = ProviderHealth(provider_id="p", connector_id="test.v1", names=("p",))
    members = [Candidate(str(n), str(n), ModelInfo(str(n)), None, account) for n in range(size)]  # type: ignore[arg-type]
    return Pool("chat", "", members, None, HealthRegistry(draw=lambda: 0.5))  # type: ignore[arg-type]


@given(st.integers(1, 2**130 - 1), st.data())
def test_one_is_picked_by_number(mask: int, data: st.DataObject) -> None:
    candidates = Candidates(POOL, mask)
    number = data.draw(st.integers(0, len(candidates) - 1))
    assert candidates.pick(number) is list(candidates)[number]


POOL = pool(130)


def test_a_number_too_large_is_no_one() -> None:
    with pytest.raises(IndexError, match="2 of 2"):
        Candidates(POOL, 0b101).pick(2)


def test_candidates_by_an_order() -> None:
    chosen = Candidates(POOL, 0b1011).first_of(Ranking([2, 3, 0]))
    assert chosen is POOL.members[3]
    assert Candidates(POOL, 0b1011).pool is POOL
