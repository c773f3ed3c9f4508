"""Limits and allowed pools of the callers of a mesh."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelmesh import ModelMesh
from modelmesh._engine.foundation.units import NANO
from modelmesh._engine.gateway.gateway import Gateway
from modelmesh._engine.gateway.messages import GatewayRequest, GatewayResponse
from modelmesh._engine.limits.caller_limits import CallerLimits
from modelmesh._engine.mesh.callers import caller_limits, limit_callers
from modelmesh.contracts import RULES, Caller, FailureClass
from modelmesh.contracts.models import ModelInfo, ModelPricing
from modelmesh.contracts.provider import Answer
from modelmesh.testing import VirtualClock

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp()
DOLLAR_A_REQUEST = ModelPricing(per_request=1.0)
CHAT = "generation.text-generation.chat-completion"


class Vendor:
    """Provider in process that answers, or fails with one class."""

    id = "test.vendor.v1"

    def __init__(self, *models: str, pricing: ModelPricing | None = DOLLAR_A_REQUEST, fails: FailureClass | None = None) -> None:
        self.rows = [ModelInfo(name, capabilities=(CHAT,), pricing=pricing) for name in models]
        self.fails, self.requested = fails, list[str]()

    def models(self) -> list[ModelInfo]:
        return self.rows

    def send(self, call: Any, model: str, limits: Any) -> Any:
        self.requested.append(model)
        if self.fails is not None:
            rule = RULES[self.fails]
            raise rule.error("down", failure=self.fails, billed=rule.billed)
        choice = {"index": 0, "message": {"role": "assistant", "content": model}, "finish_reason": "stop"}
        usage = {"prompt_tokens": 6, "completion_tokens": 4, "total_tokens": 10}
        return Answer({"id": "x", "object": "chat.completion", "created": 1, "choices": [choice], "usage": usage})

    async def asend(self, call: Any, model: str, limits: Any) -> Any:
        return self.send(call, model, limits)


class World:
    """A mesh under a virtual clock, with its gateway and one caller."""

    def __init__(self, providers: Mapping[str, Any], pools: Mapping[str, Any] | None = None) -> None:
        self.clock = VirtualClock()
        self.mesh = ModelMesh(clock=self.clock, sleep=self.clock.sleep, asleep=self.clock.asleep, wall=lambda: NOON)
        entries = {key: {"instance": one} for key, one in providers.items()}
        self.mesh.initialize({"providers": entries, "pools": pools or {"chat": {"capability": "chat-completion"}}})
        self.gateway = Gateway(self.mesh)

    def caller(self, team: Mapping[str, Any] | None = None, pools: frozenset[str] | None = None, **limits: Any) -> Caller:
        owners = [CallerLimits("token:1", "the token 'shop'", **limits)]
        owners += [] if team is None else [CallerLimits("team:t", "the team 't'", **team)]
        limit_callers(self.mesh, owners)
        return Caller("shop", pools=pools, team="t", limits=caller_limits(self.mesh, "token:1", "team:t"))

    def send(
        self, caller: Caller | None, model: str = "chat", path: str = "/v1/chat/completions", query: Any = (), **more: Any
    ) -> GatewayResponse:
        body = json.dumps({"model": model, "messages": [{"role": "user", "content": "hi"}], "input": "hi", **more}).encode()
        return self.gateway.handle(GatewayRequest("POST", path, query, body=body, caller=caller))

    def names(self, caller: Caller | None) -> list[str]:
        body: Any = self.gateway.handle(GatewayRequest("GET", "/v1/models", caller=caller)).content
        return [row["id"] for row in json.loads(body)["data"]]


@pytest.fixture
def world() -> Iterator[Callable[..., World]]:
    made: list[World] = []

    def make(*args: Any, **kwargs: Any) -> World:
        made.append(World(*args, **kwargs))
        return made[-1]

    yield make
    for one in made:
        one.mesh.shutdown()


def error_of(response: GatewayResponse) -> dict[str, Any]:
    assert isinstance(response.content, bytes)
    found: dict[str, Any] = json.loads(response.content)["error"]
    return found


@pytest.mark.parametrize(
    ("limits", "served", "code", "kind", "retry_after"),
    [
        ({"requests_per_minute": 3}, 3, "rate_limit_exceeded", "rate_limit_error", 60),
        ({"tokens_per_minute": 40}, 3, "rate_limit_exceeded", "rate_limit_error", 60),
        ({"budget_daily": 2.0}, 2, "budget_exceeded", "insufficient_quota", 12 * 3600),
        ({"budget_monthly": 2.0}, 2, "budget_exceeded", "insufficient_quota", 9.5 * 86400),
        ({"budget_total": 2.0}, 2, "budget_exceeded", "insufficient_quota", None),
    ],
)
def test_exhausted_limit_ends_request_and_affects_nothing_else(
    world: Callable[..., World], limits: dict[str, Any], served: int, code: str, kind: str, retry_after: float | None
) -> None:
    vendors = {"a": Vendor("one"), "b": Vendor("two")}
    here = world(vendors)
    caller = here.caller(**limits)
    assert [here.send(caller).status for _ in range(served)] == [200] * served
    sent = sum(len(vendor.requested) for vendor in vendors.values())
    refused = here.send(caller)
    error, headers = error_of(refused), dict(refused.headers)
    assert (refused.status, error["code"], error["type"]) == (429, code, kind)
    assert error["message"].startswith(("the token 'shop' has reached", "the budget of the token 'shop'"))
    assert headers.get("retry-after") == (None if retry_after is None else str(int(retry_after)))
    assert sum(len(vendor.requested) for vendor in vendors.values()) == sent, "no other candidate is tried"
    assert all(model.health.ready and model.account.ready for model in here.mesh.list_models())
    assert here.send(None).status == 200, "another caller is not affected"
    if retry_after is not None:
        here.clock.advance(retry_after + 2)
        assert here.send(caller).status == 200


def test_team_limit_covers_its_tokens_and_survives_changes(world: Callable[..., World]) -> None:
    here = world({"a": Vendor("one")})
    caller = here.caller({"budget_total": 2.0}, budget_total=9.0)
    assert [here.send(caller).status for _ in range(2)] == [200, 200]
    assert "the team 't'" in error_of(here.send(caller))["message"]
    caller = here.caller({"budget_total": 3.0}, budget_total=9.0)
    assert [here.send(caller).status for _ in range(2)] == [200, 429], "a raised limit keeps its count"
    caller = here.caller(None, budget_total=9.0)
    assert here.send(caller).status == 200


def test_request_counts_once_though_it_fails_over(world: Callable[..., World]) -> None:
    down, up = Vendor("one", fails=FailureClass.SERVER), Vendor("two")
    here = world({"a": down, "b": up})
    caller = here.caller(requests_per_minute=1)
    assert here.send(caller).status == 200
    assert down.requested
    assert up.requested
    assert here.send(caller).status == 429


def test_model_without_price_is_skipped_while_a_budget_applies(world: Callable[..., World]) -> None:
    free, priced = Vendor("one", pricing=None), Vendor("two")
    here = world({"a": free, "b": priced})
    assert here.send(here.caller(budget_total=5.0)).status == 200
    assert (free.requested, priced.requested) == ([], ["two"])


def test_caller_uses_and_sees_only_its_pools(world: Callable[..., World]) -> None:
    vendor = Vendor("cheap", "dear", "both")
    pools = {
        "large": {"capability": "chat-completion", "models": ["a/dear", "a/both"]},
        "small": {"capability": "chat-completion", "models": ["a/cheap", "a/both"]},
    }
    here = world({"a": vendor}, pools)
    caller = here.caller(pools=frozenset({"small"}))
    for model in ("large", "dear", "a/dear"):
        refused = here.send(caller, model)
        assert (refused.status, error_of(refused)["code"]) == (403, "model_not_allowed"), model
    for path in ("/v1/chat/completions", "/v1/responses"):
        refused = here.send(caller, "small", path, models=["dear"])
        assert (refused.status, error_of(refused)["code"]) == (403, "model_not_allowed"), "a vendor could select another model"
    named: list[dict[str, Any]] = [
        {"fallback_models": ["dear"]},
        {"tools": [{"type": "image_generation", "model": "dear"}]},
        {"plugins": {"model": "dear"}},
    ]
    for more in named:
        assert here.send(caller, "small", **more).status == 403, more
    assert here.send(caller, "small", path="/v1/chat/completions", query=[("model", "dear")]).status == 403
    assert here.send(caller, "small", tools=[{"type": "function", "function": {"name": "model"}}]).status == 200
    unknown = here.send(caller, "unknown")
    assert unknown.status == 404
    assert "large" not in error_of(unknown)["message"], "no error names a pool of others"
    vendor.requested.clear()
    assert [here.send(caller, model).status for model in ("small", "cheap", "both", "a/both", "chat-completion")] == [200] * 5
    assert set(vendor.requested) <= {"cheap", "both"}, "no candidate of another pool serves the request"
    assert here.names(caller) == ["small", "cheap", "both"]
    assert set(here.names(None)) == {"large", "small", "dear", "cheap", "both"}
    hidden = here.gateway.handle(GatewayRequest("GET", "/v1/models/dear", caller=caller))
    assert hidden.status == 404


@settings(max_examples=20, deadline=None)
@given(
    budget=st.integers(1, 8),
    sizes=st.lists(st.integers(1, 6), min_size=1, max_size=12),
)
def test_spend_exceeds_budget_by_no_request_of_fixed_price(budget: int, sizes: list[int]) -> None:
    """Concurrent requests reserve before they are sent, so a budget of fixed prices is never exceeded."""
    vendor = Vendor("one")
    here = World({"a": vendor})
    try:
        caller = here.caller(budget_total=float(budget))
        with ThreadPoolExecutor(4) as threads:
            statuses = [one.status for size in sizes for one in threads.map(lambda _: here.send(caller), range(size))]
        assert statuses.count(200) == min(budget, sum(sizes))
        (counter,) = caller.limits
        assert (counter.used, counter.reserved) == (statuses.count(200) * NANO, 0)
    finally:
        here.mesh.shutdown()
