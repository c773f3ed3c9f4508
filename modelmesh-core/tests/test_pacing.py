"""``rate_limit`` of a pool: it acts under every strategy, by a switch to another model or by a delay."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("modelmesh_connector_openai")
from modelmesh import ModelMesh, RoutingError
from modelmesh._engine.routing.pacing import Pacer
from modelmesh_cdk.testing import Upstream

STRATEGIES = ["stick-until-failure", "round-robin", "cost-first", "latency-first", "load-balanced", "rate-limit-aware"]
MESSAGES = [{"role": "user", "content": "x"}]


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float, *_: Any) -> None:
        self.slept.append(seconds)
        self.now += seconds


def ask(limit: dict[str, Any], models: list[str], requests: int, strategy: str = "stick-until-failure", **options: Any) -> Any:
    clock, models_used = Clock(), []
    with Upstream() as upstream, ModelMesh(clock=clock, sleep=clock.sleep) as mesh:
        provider = {"connector": "openai.llm.v1", "base_url": upstream.url, "api_key": "test", "models": models}
        pool = {"strategy": strategy, "rate_limit": limit}
        mesh.initialize({"providers": {"a": provider}, "pools": {"chat-completion": pool}})
        for _ in range(requests):
            models_used.append(mesh.client.chat.completions.create(model="chat-completion", messages=MESSAGES, **options).model)
    return models_used, clock.slept


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_pacer_max_rpm_switches_to_another_model(strategy: str) -> None:
    models_used, slept = ask({"max_rpm": 1}, ["m1", "m2"], 2, strategy)
    assert (sorted(models_used), slept) == (["m1", "m2"], [])


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_pacer_max_rpm_delays_a_single_model(strategy: str) -> None:
    models_used, slept = ask({"max_rpm": 2}, ["m1"], 3, strategy)
    assert models_used == ["m1"] * 3
    assert sum(slept) == pytest.approx(60.0)


def test_pacer_min_delta_delays_a_single_model() -> None:
    _, slept = ask({"min_delta": "5s"}, ["m1"], 3)
    assert slept == pytest.approx([5.0, 5.0])


def test_pacer_delay_beyond_deadline_ends_the_request() -> None:
    with pytest.raises(RoutingError, match=r"rate_limit of the pool lets the next request through in 60\.0 s"):
        ask({"max_rpm": 1}, ["m1"], 2, timeout=10)


def test_pacer_without_limits_never_delays() -> None:
    pacer, candidate = Pacer(), object()
    pacer.sent(candidate, 1.0)  # type: ignore[arg-type]
    assert pacer.delay(candidate, 1.0) == 0.0  # type: ignore[arg-type]
