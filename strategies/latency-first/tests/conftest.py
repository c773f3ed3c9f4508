"""A pool whose models answer after configured times, on a virtual clock."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from random import Random
from typing import Any

import pytest
from modelmesh_strategy_latency_first import LatencyFirst

from modelmesh._engine.health.health_registry import HealthRegistry
from modelmesh._engine.health.provider_health import ProviderHealth
from modelmesh._engine.routing.candidates import Candidate
from modelmesh._engine.routing.flow import serve
from modelmesh._engine.routing.pool import Pool
from modelmesh.contracts import CHAT, FailureClass
from modelmesh.contracts.call import Call
from modelmesh.contracts.models import ModelInfo
from modelmesh.contracts.provider import Answer
from modelmesh.contracts.strategy import SelectionRequest
from modelmesh.errors import ProviderTimeoutError

ANSWER = Answer({"choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello!"}, "finish_reason": "stop"}]})


class Town:
    """A pool, the time, and the requests in flight.

    Attributes:
        takes: Seconds until a model answers, by name. A negative value is the time until a timeout.
        reasons: Reason of each selection.
    """

    def __init__(self, takes: Mapping[str, float], seed: int = 1, **settings: Any) -> None:
        self.takes = dict(takes)
        self.now = 0.0
        self.rng = Random(seed)
        accounts = [
            ProviderHealth(provider_id=f"at-{name}", connector_id="test.at.v1", names=(), concurrency_limit=10_000)
            for name in takes
        ]
        members = [Candidate(n, n, ModelInfo(n), None, account) for n, account in zip(takes, accounts, strict=True)]  # type: ignore[arg-type]
        self.strategy = LatencyFirst(settings)
        self.pool = Pool("pool", "", members, self.strategy, HealthRegistry(draw=lambda: 0.5))
        self.call = Call(CHAT, "pool", {"messages": []})
        self.reasons: list[str] = []
        self._under_way: list[tuple[float, int, Any, Any]] = []
        self._number = 0

    def __getitem__(self, name: str) -> Candidate:
        return next(member for member in self.pool.members if member.model_id == name)

    def request(self, *, stream: bool = False) -> SelectionRequest:
        """Return a request at the current time."""
        return SelectionRequest(Call(CHAT, "pool", {}, stream=stream), "pool", self.now, self.rng)

    def ask(self, times: int, every: float | None = None) -> Counter[str]:
        """Send requests, one after another or at an interval, and return how many each model received."""
        asked: Counter[str] = Counter()
        for _ in range(times):
            flow = serve(self.call, self.pool, clock=lambda: self.now, rng=self.rng)
            self._begun(flow, next(flow), asked)
            self._let_pass(None if every is None else self.now + every)
        return asked

    def _begun(self, flow: Any, step: Any, asked: Counter[str]) -> None:
        name = step.candidate.model_id
        asked[name] += 1
        self.reasons.append(step.attempt.reason)
        self._number += 1
        outcome: Any = ANSWER
        if self.takes[name] < 0:
            outcome = ProviderTimeoutError("too late", failure=FailureClass.TIMEOUT)
            outcome.timeout_seconds = -self.takes[name]
        heapq.heappush(self._under_way, (self.now + abs(self.takes[name]), self._number, (flow, asked), outcome))

    def _let_pass(self, until: float | None) -> None:
        while self._under_way and (until is None or self._under_way[0][0] <= until):
            self.now, _, (flow, asked), outcome = heapq.heappop(self._under_way)
            with suppress(StopIteration):
                self._begun(flow, flow.send(outcome), asked)
        self.now = self.now if until is None else until


@pytest.fixture
def town() -> Callable[..., Town]:
    """Factory of pools."""
    return Town
