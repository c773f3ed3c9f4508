"""Selection and routing: the decision alone, without any provider."""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import entry_points
from typing import Any

from modelmesh._engine.health.health_registry import HealthRegistry
from modelmesh._engine.health.provider_health import ProviderHealth
from modelmesh._engine.routing.candidate_set import Candidates
from modelmesh._engine.routing.candidates import Candidate
from modelmesh._engine.routing.flow import serve
from modelmesh._engine.routing.pool import Pool
from modelmesh.contracts import CHAT
from modelmesh.contracts.call import Call
from modelmesh.contracts.models import ModelInfo, ModelPricing
from modelmesh.contracts.provider import Answer
from modelmesh.contracts.rate_limits import RateLimit
from modelmesh.contracts.strategy import SelectionRequest
from subjects.requests import MESSAGES
from subjects.setting import Runner, Setting


def select(_setting: Setting, strategy: str, size: str) -> Runner:
    """Select a model for each of 500 requests in turn."""
    pool = _pool(int(size), _strategy(strategy), answered=True)
    return _selection(pool, pool.available)


def select_half(_setting: Setting, strategy: str, size: str) -> Runner:
    """The same with half of the models in standby, drawn at random."""
    count = int(size)
    available = sum(1 << place for place in random.Random(count).sample(range(count), count // 2))
    return _selection(_pool(count, _strategy(strategy), answered=True), available)


def first_choice(_setting: Setting, strategy: str, size: str) -> Runner:
    """Route the first request of a new pool, up to its first attempt."""

    def measured(_times: int) -> dict[str, float]:
        pool = _pool(int(size), _strategy(strategy), answered=False)
        gc.collect()
        began = time.process_time()
        flow = serve(Call(CHAT, "pool", {"messages": MESSAGES}), pool, clock=time.monotonic, rng=random.Random(0))
        next(flow)
        took = time.process_time() - began
        flow.close()
        return {"cpu": took}

    return measured


def route(_setting: Setting, size: str) -> Runner:
    """Route a request of a pool with the default strategy, from the call to its settled answer."""
    pool = _pool(int(size), _strategy("stick-until-failure"), answered=False)
    call = Call(CHAT, "pool", {"messages": MESSAGES})
    message = {"role": "assistant", "content": "Hello."}
    choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
    answer, rng = Answer({"choices": choices, "usage": {"prompt_tokens": 1, "completion_tokens": 1}}), random.Random(0)

    def run(times: int) -> int:
        for _ in range(times):
            flow = serve(call, pool, clock=time.monotonic, rng=rng)
            next(flow)
            with suppress(StopIteration):
                step = flow.send(answer)
                message = f"the answer was rejected, and the flow goes on with {step}"
                raise AssertionError(message)
        return times

    return run


def _strategy(name: str) -> Any:
    found = entry_points(group="modelmesh.strategies", name=f"modelmesh.{name}.v1")
    if not found:
        message = f"the strategy {name} is not installed"
        raise ImportError(message)
    return next(iter(found)).load()()


def _requests() -> Iterator[SelectionRequest]:
    """Requests of many sizes, of a hundred conversations."""
    rng = random.Random(0)
    for number in range(500):
        text = "word " * rng.randint(1, 800)
        call = Call(CHAT, "pool", {"messages": [{"role": "user", "content": text}], "max_tokens": rng.randint(1, 1000)})
        yield SelectionRequest(call, "pool", 1.0, rng, f"conversation {number % 100}")


def _selection(pool: Pool, available: int) -> Runner:
    strategy, requests = pool.strategy, list(_requests())
    picked = getattr(strategy, "picked", None)

    def run(times: int) -> int:
        for turn in range(times):
            request = requests[turn % len(requests)]
            chosen: Any = strategy.select(Candidates(pool, available), request)
            if picked is not None:
                picked(getattr(chosen, "candidate", chosen), request)
        return times

    return run


def _pool(size: int, strategy: Any, *, answered: bool) -> Pool:
    """A pool of models with different prices. Each of them has answered once, or none has."""
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
    for member in members if answered else ():
        _answer(member, strategy, rng)
    return pool


def _answer(member: Candidate, strategy: Any, rng: random.Random) -> None:
    usage = {"prompt_tokens": 100, "completion_tokens": 100, "total_tokens": 200}
    member.update_statistics(usage, [RateLimit("requests", 500, rng.randint(100, 500))], 0.5)
    outcome = {"seconds": 1.0, "first_content_seconds": rng.uniform(0.1, 2.0), "usage": usage, "headers": {}}
    if hasattr(strategy, "succeeded"):
        strategy.succeeded(member, next(_requests()), outcome)
