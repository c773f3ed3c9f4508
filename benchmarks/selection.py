"""CPU cost of a selection by each installed strategy, among few models and among very many."""

from __future__ import annotations

import random
from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from measure import Effort, Result, Subject, measured, result

from modelmesh._engine.health.health_registry import HealthRegistry
from modelmesh._engine.health.provider_health import ProviderHealth
from modelmesh._engine.routing.candidate_set import Candidates
from modelmesh._engine.routing.candidates import Candidate
from modelmesh._engine.routing.pool import Pool
from modelmesh.contracts import CHAT
from modelmesh.contracts.call import Call
from modelmesh.contracts.models import ModelInfo, ModelPricing
from modelmesh.contracts.rate_limits import RateLimit
from modelmesh.contracts.strategy import SelectionRequest

SIZES = (10, 1000, 10_000)
FLAT = 2.0
"""Upper bound for the cost of a selection among 10,000 models, relative to one among 10."""


def installed() -> list[EntryPoint]:
    """Return the strategies of this repository."""
    return sorted(point for point in entry_points(group="modelmesh.strategies") if point.name.startswith("modelmesh."))


def selection_cases(_url: str, effort: Effort) -> Iterator[Result]:
    """The strategy alone: it receives candidates, selects one, and is notified of the selection."""
    requests = list(_requests())
    for point in installed():
        short = point.name.split(".")[1]
        pools = {size: _pool(size, point.load()()) for size in SIZES}
        subjects = {str(size): _chooser(pool, pool.available, requests) for size, pool in pools.items()}
        subjects |= {f"half of {size}": _chooser(pools[size], _half(size), requests) for size in (SIZES[0], SIZES[-1])}
        rounds = measured(subjects, effort.steps, effort.rounds)
        for size in SIZES:
            values = [one[str(size)] * 1e6 for one in rounds]
            yield result(f"select_{short}_{size}", f"{short}: choosing among {size:,} models", values, unit="us")
        ratios = [one[str(SIZES[-1])] / one[str(SIZES[0])] for one in rounds]
        yield result(f"select_{short}_flat", f"{short}: 10,000 models / 10 models", ratios, target=FLAT)
        halves = [one[f"half of {SIZES[-1]}"] / one[f"half of {SIZES[0]}"] for one in rounds]
        yield result(f"select_{short}_half", f"{short}: the same, half of them in standby", halves)


def _requests() -> Iterator[SelectionRequest]:
    """Requests of many sizes, of a hundred conversations."""
    rng = random.Random(0)
    for number in range(500):
        text = "word " * rng.randint(1, 800)
        call = Call(CHAT, "pool", {"messages": [{"role": "user", "content": text}], "max_tokens": rng.randint(1, 1000)})
        yield SelectionRequest(call, "pool", 1.0, rng, f"conversation {number % 100}")


def _half(size: int) -> int:
    """Half of so many models, drawn at random."""
    return sum(1 << place for place in random.Random(size).sample(range(size), size // 2))


def _chooser(pool: Pool, ready: int, requests: list[SelectionRequest]) -> Subject:
    strategy: Any = pool.strategy
    picked = getattr(strategy, "picked", None)

    def choose(times: int) -> None:
        for turn in range(times):
            request = requests[turn % len(requests)]
            chosen = strategy.select(Candidates(pool, ready), request)
            if picked is not None:
                picked(getattr(chosen, "candidate", chosen), request)

    return choose


def _pool(size: int, strategy: Any) -> Pool:
    """A pool of models with different costs, each with one answer."""
    rng = random.Random(size)
    accounts = [
        ProviderHealth(provider_id=f"account{n}", connector_id="benchmark.vendor.v1", names=(f"account{n}",)) for n in range(10)
    ]
    members = []
    for number in range(size):
        price = 10 ** rng.uniform(-5, -2)
        info = ModelInfo(f"model{number}", pricing=ModelPricing(price, price * rng.uniform(2, 6)))
        members.append(Candidate(info.id, info.id, info, None, accounts[number % 10]))  # type: ignore[arg-type]
    pool = Pool("pool", "", members, strategy, HealthRegistry(draw=lambda: 0.5))
    request = next(_requests())
    for member in members:
        limits = [RateLimit("requests", 500, rng.randint(100, 500))]
        usage = {"prompt_tokens": 100, "completion_tokens": 100, "total_tokens": 200}
        member.update_statistics(usage, limits, 0.5)
        outcome = {"seconds": 1.0, "first_content_seconds": rng.uniform(0.1, 2.0), "usage": usage, "headers": {}}
        if hasattr(strategy, "succeeded"):
            strategy.succeeded(member, request, outcome)
    return pool
