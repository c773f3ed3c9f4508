"""Sets of candidates: selection by number and by an order of preference."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelmesh._engine.health.health_registry import HealthRegistry
from modelmesh._engine.health.provider_health import ProviderHealth
from modelmesh._engine.routing.candidate_set import Candidates
from modelmesh._engine.routing.candidates import Candidate
from modelmesh._engine.routing.pool import Pool
from modelmesh.contracts.models import ModelInfo


def pool(size: int) -> Pool:
    account = ProviderHealth(provider_id="p", connector_id="test.v1", names=("p",))
    members = [Candidate(str(n), str(n), ModelInfo(str(n)), None, account) for n in range(size)]  # type: ignore[arg-type]
    return Pool("chat", "", members, None, HealthRegistry(draw=lambda: 0.5))  # type: ignore[arg-type]


@given(st.integers(1, 2**130 - 1), st.data())
def test_candidates_pick_returns_nth(mask: int, data: st.DataObject) -> None:
    candidates = Candidates(POOL, mask)
    number = data.draw(st.integers(0, len(candidates) - 1))
    assert candidates.pick(number) is list(candidates)[number]


POOL = pool(130)


def test_candidates_pick_beyond_size_raises() -> None:
    with pytest.raises(IndexError, match="2 of 2"):
        Candidates(POOL, 0b101).pick(2)


class Highest:
    """Prefers the highest position."""

    def first(self, mask: int) -> int | None:
        return mask.bit_length() - 1 if mask else None


def test_candidates_first_of_order_uses_only_the_set() -> None:
    candidates = POOL.subset(0b1011)
    assert candidates.first_of(Highest()) is POOL.members[3]
    assert candidates.pool is POOL
    assert POOL.subset(0).first_of(Highest()) is None


@given(st.sets(st.integers(0, 199)), st.none() | st.integers(0, 199))
def test_candidates_first_and_after_equal_a_search(positions: set[int], before: int | None) -> None:
    members = pool(200)
    found = Candidates(members, sum(1 << position for position in positions))
    first = members.members[min(positions)] if positions else None
    assert found.first() is first
    later = [position for position in positions if before is not None and position > before]
    after = found.after(None if before is None else members.members[before])
    assert after is (members.members[min(later)] if later else first)
