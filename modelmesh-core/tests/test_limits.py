"""Quotas, caps and budgets: suspension until the reset, and exact counts."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier
from typing import Any

import pytest
from attrs import evolve

from modelmesh import ModelMesh
from modelmesh._engine.foundation.units import NANO
from modelmesh._engine.limits import reservations
from modelmesh._engine.limits.counter import LimitCounter
from modelmesh._engine.limits.spending import plan_spending
from modelmesh._engine.routing.vector_check import count_inputs
from modelmesh.contracts import RULES, FailureClass
from modelmesh.contracts.models import ModelInfo, ModelPricing
from modelmesh.contracts.observability import RoutingEvent
from modelmesh.contracts.provider import Answer
from modelmesh.contracts.rate_limits import RateLimit
from modelmesh.errors import (
    AllProvidersExhaustedError,
    BudgetExceededError,
    ConfigurationError,
    NoActiveModelError,
    ProviderError,
    RoutingError,
)
from modelmesh.testing import VirtualClock

CHAT = "generation.text-generation.chat-completion"
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp()
CENT_A_TOKEN = ModelPricing(input_per_1k_tokens=0.0, output_per_1k_tokens=10.0)


class Vendor:
    """Provider in process with a configurable usage or failure."""

    id = "test.vendor.v1"

    def __init__(self, *models: str, pricing: ModelPricing | None = CENT_A_TOKEN, tokens: int = 10, **row: Any) -> None:
        self.rows = [ModelInfo(name, capabilities=(CHAT,), pricing=pricing, **row) for name in models]
        self.tokens: int | None = tokens
        self.requested: list[str] = []
        self.fails: FailureClass | None = None
        self.gate: Barrier | None = None

    def models(self) -> list[ModelInfo]:
        return self.rows

    def send(self, call: Any, model: str, limits: Any) -> Answer:
        self.requested.append(model)
        if self.gate is not None:
            self.gate.wait(10)
        if self.fails is not None:
            rule = RULES[self.fails]
            raise rule.error("down", failure=self.fails, billed=rule.billed)
        choice = {"index": 0, "message": {"role": "assistant", "content": model}, "finish_reason": "stop"}
        body: dict[str, Any] = {"id": "test", "object": "chat.completion", "created": 1, "choices": [choice]}
        if self.tokens is not None:
            body["usage"] = {"prompt_tokens": 0, "completion_tokens": self.tokens, "total_tokens": self.tokens}
        return Answer(body)

    async def asend(self, call: Any, model: str, limits: Any) -> Answer:
        return self.send(call, model, limits)


class Sink:
    id = "test.sink.v1"

    def __init__(self) -> None:
        self.events: list[RoutingEvent] = []

    def emit(self, event: RoutingEvent) -> None:
        self.events.append(event)

    def log(self, entry: Any) -> None: ...

    def flush(self, stats: Any) -> None: ...

    def trace(self, entry: Any) -> None: ...

    def named(self, event_type: str) -> list[RoutingEvent]:
        return [event for event in self.events if event.event_type == event_type]


def account_counters(mesh: ModelMesh) -> list[LimitCounter]:
    """Return the counters that limit the account of the first model."""
    return list(mesh._core.reservations.counters_of(mesh.list_models()[0].account))


class Bench:
    """A mesh under a virtual clock."""

    def __init__(self, providers: dict[str, Any], pool: dict[str, Any] | None = None, **sections: Any) -> None:
        self.clock, self.sink = VirtualClock(), Sink()
        self.mesh = ModelMesh(clock=self.clock, sleep=self.clock.sleep, asleep=self.clock.asleep, wall=lambda: NOON)
        entries = {key: entry if isinstance(entry, dict) else {"instance": entry} for key, entry in providers.items()}
        config = {"providers": entries, "pools": {"chat": {"capability": "chat-completion", **(pool or {})}}, **sections}
        self.mesh.initialize({**config, "observability": {"instance": self.sink}})

    def request(self, text: str = "", **payload: Any) -> str:
        answer = self.mesh.client.chat.completions.create(model="chat", messages=[{"role": "user", "content": text}], **payload)
        return str(answer.choices[0].message.content)


@pytest.fixture
def bench() -> Iterator[Callable[..., Bench]]:
    made: list[Bench] = []

    def make(*args: Any, **kwargs: Any) -> Bench:
        made.append(Bench(*args, **kwargs))
        return made[-1]

    yield make
    for one in made:
        one.mesh.shutdown()


# -- quotas -----------------------------------------------------------------------------------------------------------


def test_free_tiers_are_used_in_order_until_reset(bench: Callable[..., Bench]) -> None:
    """Free tiers of 20, 50 and 100 requests a day serve 170 requests, in order and without a rejection upstream."""
    limits = {"a": 20, "b": 50, "c": 100}
    vendors = {key: Vendor(key) for key in limits}
    world = bench({key: {"instance": vendors[key], "quota": {"requests_per_day": limits[key]}} for key in limits})
    for day in range(2):
        assert [world.request() for _ in range(170)] == ["a"] * 20 + ["b"] * 50 + ["c"] * 100, f"day {day}"
        with pytest.raises(NoActiveModelError, match=r"quota exhausted \(100 requests a day\)") as caught:
            world.request()
        assert caught.value.retry_after == pytest.approx(12 * 3600 if day == 0 else 24 * 3600)
        assert {key: len(vendor.requested) for key, vendor in vendors.items()} == {k: n * (day + 1) for k, n in limits.items()}
        world.clock.advance(12 * 3600 if day == 0 else 24 * 3600)
    gone = [(event.provider_id, event.metadata["reason"]) for event in world.sink.named("provider_deactivated")]
    assert gone == [(key, "quota_exhausted") for key in "abc"] * 2
    assert len(world.sink.named("provider_recovered")) >= 3


@pytest.mark.parametrize("limits", [{"requests_per_month": 2, "request_limit": 9}, {"requests_per_month": 9, "request_limit": 2}])
def test_quota_of_same_window_keeps_stricter_limit(limits: dict[str, int], bench: Callable[..., Bench]) -> None:
    """Stored state has one entry per window, so that two counters with one name would overwrite each other."""
    world = bench({"a": {"instance": Vendor("a"), "quota": limits}})
    assert [counter.limit.amount for counter in account_counters(world.mesh)] == [2]
    assert [row["left"] for row in world.mesh.pool_status()["chat"].left] == [2]


def test_forecast_contains_reported_rate_limits(bench: Callable[..., Bench]) -> None:
    class Telling(Vendor):
        def send(self, call: Any, model: str, limits: Any) -> Answer:
            return evolve(super().send(call, model, limits), rate_limits=[RateLimit("requests", 20, 7, 90.0)])

    world = bench({"a": {"instance": Telling("a"), "quota": {"requests_per_day": 50}}})
    world.request()
    for rows in (world.mesh.pool_status()["chat"].left, world.mesh.explain("chat").candidates[0].left):
        counted, reported = rows
        assert (counted["limit"], counted["left"], counted["resets_at"]) == (50, 49, NOON + 12 * 3600)
        assert (reported["metric"], reported["limit"], reported["used"], reported["left"], reported["resets_at"]) == (
            "requests",
            20,
            13,
            7,
            NOON + 90,
        )
    world.clock.advance(90)
    assert [row["limit"] for row in world.mesh.pool_status()["chat"].left] == [50], "the window was reset"


def test_quota_day_begins_at_midnight_of_zone(bench: Callable[..., Bench]) -> None:
    quota = {"requests_per_day": 1, "reset_zone": "America/Los_Angeles"}  # 12:00 UTC is 04:00 there
    world = bench({"a": {"instance": Vendor("a"), "quota": quota}})
    world.request()
    with pytest.raises(NoActiveModelError) as caught:
        world.request()
    assert caught.value.retry_after == pytest.approx(20 * 3600)


def test_quota_per_minute_slides(bench: Callable[..., Bench]) -> None:
    world = bench({"a": {"instance": Vendor("a"), "quota": {"requests_per_minute": 2}}})
    world.request()
    world.clock.advance(30)
    world.request()
    world.clock.advance(29)
    with pytest.raises(NoActiveModelError):
        world.request()
    world.clock.advance(1)
    world.request()  # the first is older than a minute, the second is not
    with pytest.raises(NoActiveModelError):
        world.request()


def test_quota_counts_reported_tokens(bench: Callable[..., Bench]) -> None:
    vendor = Vendor("a", tokens=400)
    world = bench({"a": {"instance": vendor, "quota": {"tokens_per_day": 1000}}})
    world.request(max_tokens=10)
    world.request(max_tokens=10)
    world.request(max_tokens=10)  # 800 are used, and this request is expected to use 10
    with pytest.raises(NoActiveModelError, match="1000 tokens a day"):
        world.request(max_tokens=10)


def test_free_tier_shared_by_models_is_counted_once(bench: Callable[..., Bench]) -> None:
    tier = {"requests_per_day": 3, "shared": "free models", "source": "the vendor's limits page", "as_of": "2026-11-21"}
    vendor = Vendor("x:free", "y:free", extra={"free_tier": tier})
    config = {"a": {"instance": vendor, "quota": {"free_tier": True}}}
    world = bench(config, {"strategy_instance": _Turns()})
    assert sorted(world.request() for _ in range(3)) == ["x:free", "x:free", "y:free"]
    with pytest.raises(NoActiveModelError):
        world.request()
    left = world.mesh.explain("chat").candidates[0].left
    assert [(row["of"], row["left"], row["source"]) for row in left] == [
        ("shared:a/free models", 0, "the vendor's limits page 2026-11-21")
    ]


def test_free_tier_applies_only_if_configured(bench: Callable[..., Bench]) -> None:
    world = bench({"a": Vendor("m", extra={"free_tier": {"requests_per_day": 1}})})
    assert [world.request() for _ in range(3)] == ["m"] * 3


class _Turns:
    id = "test.turns.v1"

    def __init__(self) -> None:
        self.last: Any = None

    def select(self, candidates: Any, request: Any) -> Any:
        return candidates.after(self.last)

    def picked(self, candidate: Any, request: Any) -> None:
        self.last = candidate


def test_pool_cap_counts_each_model_and_rotates(bench: Callable[..., Bench]) -> None:
    world = bench({"a": Vendor("x", "y")}, {"deactivation": {"request_limit": 2, "quota_window": "daily"}})
    assert [world.request() for _ in range(4)] == ["x", "x", "y", "y"]
    with pytest.raises(NoActiveModelError, match="request limit reached"):
        world.request()
    world.clock.advance(12 * 3600)
    assert world.request() == "x"


def test_pool_cap_without_reset_needs_manual_recovery(bench: Callable[..., Bench]) -> None:
    world = bench({"a": Vendor("x")}, {"deactivation": {"request_limit": 1}, "recovery": {"on_quota_reset": False}})
    world.request()
    world.clock.advance(100 * 86400)
    with pytest.raises(NoActiveModelError, match="until it is recovered by hand"):
        world.request()
    pool = world.mesh.list_pools()[0]
    pool.recover(pool.members[0])
    assert world.request() == "x"


# -- money ------------------------------------------------------------------------------------------------------------


def test_provider_budget_exhausted_raises(bench: Callable[..., Bench]) -> None:
    world = bench({"a": {"instance": Vendor("a"), "budget": {"daily_limit": 0.25}}, "b": Vendor("b")})
    world.request(max_tokens=10)
    world.request(max_tokens=5)
    with pytest.raises(
        BudgetExceededError, match=r"a/a was not tried: \$0\.20 of \$0\.25 a day are spent, and about \$0\.10 are needed"
    ) as caught:
        world.request(max_tokens=10)
    error = caught.value
    assert (error.limit_type, error.limit_value, error.actual_value) == ("daily", 0.25, pytest.approx(0.3))
    assert not isinstance(error, RoutingError)
    assert world.request(max_tokens=3) == "a", "a smaller request fits"
    world.clock.advance(12 * 3600)
    assert world.request() == "a"


def test_provider_budget_exhausted_rotates_if_configured(bench: Callable[..., Bench]) -> None:
    providers = {"a": {"instance": Vendor("a"), "budget": {"daily_limit": 0.25}}, "b": Vendor("b")}
    world = bench(providers, {"on_budget_exceeded": "rotate"})
    assert [world.request(max_tokens=10) for _ in range(4)] == ["a", "a", "b", "b"]


def test_all_budgets_exhausted_error_has_both_types(bench: Callable[..., Bench]) -> None:
    budget = {"daily_limit": 0.15, "on_budget_exceeded": "rotate"}
    world = bench({key: {"instance": Vendor(key), "budget": budget} for key in "ab"})
    assert [world.request(max_tokens=10) for _ in range(2)] == ["a", "b"]
    with pytest.raises(BudgetExceededError) as caught:
        world.request(max_tokens=10)
    assert isinstance(caught.value, AllProvidersExhaustedError)
    assert caught.value.limit_value == 0.15


@pytest.mark.parametrize("where", ["pool", "mesh"])
def test_pool_or_mesh_budget_exhausted_raises(where: str, bench: Callable[..., Bench]) -> None:
    budget = {"monthly_limit": 0.15}
    world = bench(
        {key: Vendor(key) for key in "ab"},
        {"budget": budget} if where == "pool" else None,
        **({"budget": budget} if where == "mesh" else {}),
    )
    world.request(max_tokens=10)
    with pytest.raises(BudgetExceededError, match="a month") as caught:
        world.request(max_tokens=10)
    assert caught.value.limit_type == "monthly"
    world.clock.advance(10 * 86400)
    assert world.request(max_tokens=10) == "a", "it is December"


@pytest.mark.parametrize("where", ["provider", "pool", "mesh"])
def test_budget_applies_to_requests_by_model_name(where: str, bench: Callable[..., Bench]) -> None:
    budget = {"monthly_limit": 0.25}
    world = bench(
        {"a": {"instance": Vendor("a-1"), "budget": budget if where == "provider" else None}},
        {"budget": budget} if where == "pool" else None,
        **({"budget": budget} if where == "mesh" else {}),
    )
    world.request(max_tokens=10)
    request = world.mesh.client.chat.completions.create
    assert request(model="a-1", messages=[], max_tokens=10).choices[0].message.content == "a-1"
    with pytest.raises(BudgetExceededError, match="a month"):
        request(model="a-1", messages=[], max_tokens=10)
    with pytest.raises(BudgetExceededError, match="a month"):
        world.request(max_tokens=10)
    world.clock.advance(10 * 86400)
    assert request(model="a.a-1", messages=[], max_tokens=10).choices[0].message.content == "a-1", "it is December"


@pytest.mark.parametrize("name", ["chat", "a-1"])
def test_quota_counts_requests_by_every_name(name: str, bench: Callable[..., Bench]) -> None:
    world = bench({"a": {"instance": Vendor("a-1"), "quota": {"requests_per_day": 2}}})
    request = world.mesh.client.chat.completions.create
    for _ in range(2):
        request(model=name, messages=[])
    with pytest.raises(NoActiveModelError, match="quota exhausted"):
        request(model=name, messages=[])
    world.clock.advance(12 * 3600 - 1)
    with pytest.raises(NoActiveModelError, match="quota exhausted"):
        request(model="chat", messages=[])
    world.clock.advance(2)
    assert request(model=name, messages=[]).choices[0].message.content == "a-1", "it is tomorrow"


def test_request_budget_sets_output_limit(bench: Callable[..., Bench]) -> None:
    world = bench({"a": {"instance": Vendor("a"), "budget": {"per_request_limit": 0.5}}})
    assert [world.request(max_tokens=20) for _ in range(9)] == ["a"] * 9
    answer = world.mesh.client.chat.completions.create(model="chat", messages=[], max_tokens=200)
    assert answer.attempts[-1].adapted == ("max_tokens lowered from 200 to 50: $0.50 is left of $0.50 a request",)


def test_request_budget_refuses_useless_output(bench: Callable[..., Bench]) -> None:
    world = bench({"a": {"instance": Vendor("a"), "budget": {"per_request_limit": 0.5}}})
    with pytest.raises(BudgetExceededError, match=r"about \$0\.64 are needed") as caught:
        world.request()
    assert caught.value.limit_type == "per_request"


def test_budget_of_zero_permits_free_requests(bench: Callable[..., Bench]) -> None:
    free = ModelPricing(0.0, 0.0)
    world = bench({"a": Vendor("a"), "b": Vendor("b", pricing=free)}, {"on_budget_exceeded": "rotate"}, budget={"daily_limit": 0})
    with pytest.raises(BudgetExceededError):
        world.request()
    world = bench({"b": Vendor("b", pricing=free)}, budget={"daily_limit": 0})
    assert world.request() == "b"


def test_budget_refuses_unknown_price_unless_allowed(bench: Callable[..., Bench]) -> None:
    unpriced = Vendor("a", pricing=None)
    world = bench({"a": unpriced}, budget={"daily_limit": 5})
    with pytest.raises(BudgetExceededError, match=r"its price is unknown.*unknown_price: allow") as caught:
        world.request()
    assert caught.value.actual_value is None
    assert bench({"a": unpriced}, budget={"daily_limit": 5, "unknown_price": "allow"}).request() == "a"


@pytest.mark.parametrize("where", ["provider", "pool", "mesh"])
def test_unknown_price_skips_the_model_only(where: str, bench: Callable[..., Bench]) -> None:
    budget: dict[str, Any] = {"budget": {"daily_limit": 5}}
    world = bench(
        {"a": {"instance": Vendor("a", pricing=None), **(budget if where == "provider" else {})}, "b": Vendor("b")},
        budget if where == "pool" else None,
        **(budget if where == "mesh" else {}),
    )
    rows = world.mesh.explain("chat").candidates
    assert [(row.model, row.selected) for row in rows] == [("a", False), ("b", True)]
    assert "its price is unknown" in rows[0].reason
    assert world.request() == "b"


def test_budget_not_enforced_counts_and_alerts_once(bench: Callable[..., Bench]) -> None:
    world = bench({"a": Vendor("a")}, budget={"daily_limit": 0.2, "enforce": False, "alert_threshold": 0.5})
    for _ in range(5):
        world.request()
    assert [event.metadata["used"] for event in world.sink.named("budget_alert")] == [0.1]
    status = world.mesh.usage.budget_status
    assert status is not None
    assert (status.exceeded, status.alert, status["used"], status.daily_remaining) == (True, True, 0.5, 0.0)


@pytest.mark.parametrize(("threshold", "used"), [(0, 0.1), (0.5, 0.3), (1, 0.5)])
def test_budget_alert_is_published_once_per_window(threshold: float, used: float, bench: Callable[..., Bench]) -> None:
    world = bench({"a": {"instance": Vendor("a"), "budget": {"daily_limit": 0.5, "alert_threshold": threshold}}})
    for day in range(1, 4):
        for _ in range(5):
            world.request(max_tokens=9)
        assert [event.metadata["used"] for event in world.sink.named("budget_alert")] == [used] * day
        world.clock.advance(24 * 3600)


def test_budget_alert_and_refusal_are_published(bench: Callable[..., Bench]) -> None:
    world = bench({"a": {"instance": Vendor("a"), "budget": {"daily_limit": 0.25}}})
    for _ in range(2):
        world.request(max_tokens=10)
    with pytest.raises(BudgetExceededError):
        world.request(max_tokens=10)
    reported = [(event.event_type, event.provider_id, event.metadata["limit"]) for event in world.sink.events]
    assert reported == [("budget_alert", "a", 0.25), ("budget_exceeded", "a", 0.25)]


@pytest.mark.parametrize(
    ("failure", "spent"),
    [(FailureClass.CONNECT, 0), (FailureClass.SERVER, 0), (FailureClass.TIMEOUT, 100_000_000)],
)
def test_failed_attempt_counts_expected_cost_if_billed(failure: FailureClass, spent: int, bench: Callable[..., Bench]) -> None:
    vendor = Vendor("a")
    vendor.fails = failure
    world = bench({"a": {"instance": vendor, "budget": {"daily_limit": 5}}}, {"retry": {"max_attempts": 0}})
    with pytest.raises(ProviderError):
        world.request(max_tokens=10)
    (counter,) = account_counters(world.mesh)
    assert (counter.used, counter.reserved) == (spent, 0)
    assert world.mesh.usage.total.unknown_cost_attempts == (1 if failure is FailureClass.TIMEOUT else 0)


def test_attempt_is_planned_once_and_reserves_what_was_checked(
    bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    planned: list[reservations.SpendingPlan] = []

    def plan(*args: Any, **settings: Any) -> reservations.SpendingPlan:
        planned.append(plan_spending(*args, **settings))
        return planned[-1]

    monkeypatch.setattr(reservations, "plan_spending", plan)
    reserved: list[int] = []

    class Watched(Vendor):
        def send(self, call: Any, model: str, limits: Any) -> Answer:
            reserved.append(account_counters(world.mesh)[0].reserved)
            return super().send(call, model, limits)

    world = bench({"a": {"instance": Watched("a"), "budget": {"daily_limit": 50.0}, "quota": {"requests_per_day": 9}}})
    world.request(max_tokens=7)
    assert [one.estimated_cost for one in planned] == reserved == [7 * NANO // 100]
    budget, quota = account_counters(world.mesh)
    assert (budget.reserved, budget.used, quota.reserved, quota.used) == (0, 10 * NANO // 100, 0, 1)
    world.request(max_tokens=7)
    assert len(planned) == 2


class Empty(Vendor):
    """Provider with an empty response that reports usage."""

    def send(self, call: Any, model: str, limits: Any) -> Any:
        self.requested.append(model)
        usage = {"prompt_tokens": 0, "completion_tokens": 7, "total_tokens": 7}
        return EmptyStream(usage) if call.stream else Answer({"choices": [], "usage": usage})


class EmptyStream:
    """Stream that ends before any content and reports usage."""

    headers: Mapping[str, str] = {}
    adapted = ()

    def __init__(self, usage: dict[str, int]) -> None:
        self._usage = usage

    def __iter__(self) -> Iterator[dict[str, Any]]:
        yield {"object": "chat.completion.chunk", "choices": [], "usage": self._usage}

    def commit(self) -> None: ...

    def close(self) -> None: ...


@pytest.mark.parametrize("stream", [False, True])
def test_failed_attempt_counts_reported_usage(bench: Callable[..., Bench], *, stream: bool) -> None:
    """The sums of the budget, of the usage and of the record are the same."""
    world = bench({"a": {"instance": Empty("a"), "budget": {"daily_limit": 5}}}, {"retry": {"max_attempts": 0}})
    with pytest.raises(AllProvidersExhaustedError) as caught:
        world.request(max_tokens=10, stream=stream)
    (attempt,) = caught.value.attempts
    assert (attempt.cost, attempt.usage["completion_tokens"], attempt.outcome) == (0.07, 7, "failed")
    usage = world.mesh.usage
    assert (usage.total_cost, usage.daily_cost, usage.by_model["a"].total_cost, usage.by_provider["a"].total_cost) == (0.07,) * 4
    assert (usage.total_requests, usage.total_tokens, usage.total.unknown_cost_attempts, usage.total.unpriced_requests) == (
        0,
        7,
        0,
        0,
    )
    (counter,) = account_counters(world.mesh)
    assert (counter.used, counter.reserved) == (70_000_000, 0)


def test_attempts_before_budget_error_are_counted(bench: Callable[..., Bench]) -> None:
    timing_out = Vendor("b")
    timing_out.fails = FailureClass.TIMEOUT
    spent = {"instance": Vendor("c"), "budget": {"daily_limit": 0.01}}
    world = bench({"a": Empty("a"), "b": timing_out, "c": spent}, {"retry": {"max_attempts": 0}})
    with pytest.raises(BudgetExceededError):
        world.request(max_tokens=10)
    usage = world.mesh.usage
    assert (usage.total_cost, usage.total.unknown_cost_attempts, usage.by_provider["b"].unknown_cost_attempts) == (0.07, 1, 1)
    assert world.mesh.stats().model("b").requests_failed == 1


def test_request_cost_is_sum_of_attempts(bench: Callable[..., Bench]) -> None:
    world = bench({"a": Empty("a"), "b": Vendor("b")}, {"retry": {"max_attempts": 0}}, budget={"daily_limit": 5})
    assert world.request(max_tokens=10) == "b"
    assert (world.mesh.usage.total_cost, world.mesh.usage.total_requests) == (0.17, 1)
    assert world.mesh.usage.budget_status["daily_used"] == 0.17  # type: ignore[index]


def test_response_without_usage_is_counted_by_text(bench: Callable[..., Bench]) -> None:
    vendor = Vendor("a")
    vendor.tokens = None
    world = bench({"a": {"instance": vendor, "budget": {"daily_limit": 5}}})
    world.request(max_tokens=10)
    (counter,) = account_counters(world.mesh)
    assert counter.used == 10_000_000, "one letter is one token"
    usage = world.mesh.usage
    assert (
        usage.total_cost,
        usage.total.estimated_requests,
        usage.total.unpriced_requests,
        usage.total.unknown_usage_requests,
    ) == (0.01, 1, 0, 0)


@pytest.mark.parametrize("texts", ["x" * 200, ["x" * 100, "x" * 100], [7] * 100, [[7] * 60, [7] * 40]])
@pytest.mark.parametrize("limit", [{"daily_limit": 2.5}, {"per_request_limit": 1.05, "total_limit": 2.5}])
def test_embeddings_cost_counts_input_only(texts: Any, limit: dict[str, float]) -> None:
    """Vendors state no output price of embeddings. The cost is known all the same."""

    class Embedder(Vendor):
        def send(self, call: Any, model: str, limits: Any) -> Answer:
            self.requested.append(model)
            count = count_inputs(call.payload) or 0
            rows = [{"object": "embedding", "index": n, "embedding": [0.5]} for n in range(count)]
            return Answer({"object": "list", "data": rows, "usage": {"prompt_tokens": 100, "total_tokens": 100}})

    vendor = Embedder("e")
    vendor.rows = [ModelInfo("e", capabilities=("text-embeddings",), pricing=ModelPricing(input_per_1k_tokens=10.0))]
    mesh = ModelMesh()
    budget = {"budget": limit, "quota": {"tokens_per_day": 1000}}
    mesh.initialize({"providers": {"a": {"instance": vendor, **budget}}, "pools": {"e": {"capability": "text-embeddings"}}})
    with mesh:
        for _ in range(2):
            mesh.client.embeddings.create(model="e", input=texts)
        with pytest.raises(BudgetExceededError, match=r"about \$1\.0[024] are needed"):
            mesh.client.embeddings.create(model="e", input=texts)
        assert len(vendor.requested) == 2
        assert mesh.usage.total_cost == 2.0
        assert {counter.used for counter in account_counters(mesh)} <= {0, 200, 2_000_000_000}


@pytest.mark.parametrize("tokens", [-10, 10**400], ids=["negative", "endless"])
def test_invalid_usage_is_ignored(tokens: int, bench: Callable[..., Bench]) -> None:
    world = bench({"a": {"instance": Vendor("a", tokens=tokens), "budget": {"daily_limit": 5}}})
    for _ in range(2):
        world.request(max_tokens=10)
    (counter,) = account_counters(world.mesh)
    assert (counter.used, counter.reserved) == (20_000_000, 0), "the estimate of its text"


@pytest.mark.parametrize("where", ["provider", "pool", "mesh", "provider and mesh"])
def test_budget_overshoot_of_threads_is_bounded(where: str, bench: Callable[..., Bench]) -> None:
    """64 requests arrive at once. Each is expected to use 11 tokens and 110 remain, so 10 requests are sent."""
    vendor = Vendor("a", tokens=12)
    tight, wide = {"budget": {"daily_limit": 1.10}}, {"budget": {"daily_limit": 2.20}}
    world = bench(
        {"a": {"instance": vendor, **(tight if "provider" in where else {})}},
        tight if where == "pool" else None,
        **{"mesh": tight, "provider and mesh": wide}.get(where, {}),
    )
    start = Barrier(64)

    def one(_: int) -> str:
        start.wait(10)
        try:
            return world.request(max_tokens=10)
        except BudgetExceededError:
            return "refused"

    with ThreadPoolExecutor(64) as threads:
        outcomes = Counter(threads.map(one, range(64)))
    (pool,) = world.mesh.list_pools()
    counters = [*account_counters(world.mesh), *pool.counters, *world.mesh._core.reservations.global_counters]
    assert outcomes["a"] == len(vendor.requested) <= 10
    assert outcomes["a"] + outcomes["refused"] == 64
    assert {counter.reserved for counter in counters} == {0}
    assert {counter.used for counter in counters} == {outcomes["a"] * 120_000_000}
    assert world.mesh.usage.total_cost == outcomes["a"] * 120_000_000 / NANO


def test_cancelled_request_releases_reservation(bench: Callable[..., Bench]) -> None:
    class Slow(Vendor):
        async def asend(self, call: Any, model: str, limits: Any) -> Answer:
            await asyncio.sleep(60)
            raise AssertionError

    world = bench({"a": {"instance": Slow("a"), "budget": {"daily_limit": 5}, "quota": {"requests_per_day": 5}}})

    async def main() -> None:
        client = world.mesh.get_client()
        task = asyncio.ensure_future(client.chat.completions.create(model="chat", messages=[], max_tokens=10))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    requests, money = sorted(account_counters(world.mesh), key=lambda counter: counter.limit.amount)
    assert (requests.used, requests.reserved, money.reserved) == (1, 0, 0)
    assert money.used == 100_000_000, "it was sent, and its cost is unknown"
    assert world.mesh.usage.total.unknown_cost_attempts == 1


@pytest.mark.parametrize("limit", [1e300, 1e16, pytest.param(10**400, id="endless"), float("inf"), float("nan"), -1, "5"])
@pytest.mark.parametrize("where", ["provider", "pool", "mesh", "cap"])
def test_limit_with_invalid_value_is_named(where: str, limit: Any) -> None:
    section, pool, sections = {"daily_limit": limit}, {"capability": "chat-completion"}, {}
    entry: dict[str, Any] = {"instance": Vendor("a")}
    if where == "cap":
        pool |= {"deactivation": {"budget_limit": limit}}  # type: ignore[dict-item]
    else:
        {"provider": entry, "pool": pool, "mesh": sections}[where]["budget"] = section  # type: ignore[index]
    with pytest.raises(ConfigurationError, match=r"(daily_limit|budget_limit): must be a number, 0 or more, not"):
        ModelMesh().initialize({"providers": {"a": entry}, "pools": {"chat": pool}, **sections})


def test_limit_status_is_read_under_the_lock(bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch) -> None:
    """A status read may start a new window. A request that is counted at that moment must not be lost."""
    world = bench({"a": {"instance": Vendor("a"), "budget": {"daily_limit": 5}, "quota": {"requests_per_minute": 5}}})
    lock_states, advance = [], LimitCounter.advance_window

    def watched(self: LimitCounter, when: float) -> None:
        lock_states.append(world.mesh._core.lock._is_owned())  # type: ignore[attr-defined]
        advance(self, when)

    monkeypatch.setattr(LimitCounter, "advance_window", watched)
    for look in (
        world.mesh.pool_status,
        world.mesh.limits,
        lambda: world.mesh.explain("chat"),
        lambda: world.mesh.usage.budget_status,
    ):
        lock_states.clear()
        look()
        assert lock_states
        assert all(lock_states)


def test_dry_run_reserves_nothing_and_explains(bench: Callable[..., Bench]) -> None:
    world = bench({"a": {"instance": Vendor("a"), "budget": {"daily_limit": 0.01}}, "b": Vendor("b")})
    for _ in range(3):
        explanation = world.mesh.explain("chat")
        assert explanation.selected_model is None
        assert "a/a was not tried" in explanation.reason
    assert not world.sink.events


def test_response_after_midnight_counts_in_new_day(bench: Callable[..., Bench]) -> None:
    class AtMidnight(Vendor):
        def send(self, call: Any, model: str, limits: Any) -> Answer:
            world.clock.advance(12 * 3600)
            return super().send(call, model, limits)

    world = bench({"a": {"instance": AtMidnight("a"), "budget": {"daily_limit": 0.15, "monthly_limit": 5}}})
    world.request(max_tokens=10)
    day, month = account_counters(world.mesh)
    assert [(counter.used, counter.reserved) for counter in (day, month)] == [(100_000_000, 0)] * 2
    with pytest.raises(BudgetExceededError):
        world.request(max_tokens=10)
    world.clock.advance(24 * 3600)
    assert world.request(max_tokens=10) == "a"
    assert (day.reserved, month.used, month.reserved) == (0, 200_000_000, 0)


# -- clocks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("jump", [-86400.0, 86400.0])
def test_wall_clock_change_moves_no_limit_window(jump: float) -> None:
    clock, shift = VirtualClock(), [0.0]
    mesh = ModelMesh(clock=clock, sleep=clock.sleep, wall=lambda: NOON + shift[0])
    mesh.initialize(
        {
            "providers": {"a": {"instance": Vendor("a"), "quota": {"requests_per_day": 1}}},
            "pools": {"chat": {"capability": "chat-completion"}},
        }
    )
    with mesh:
        request = mesh.client.chat.completions.create
        request(model="chat", messages=[])
        shift[0] = jump
        with pytest.raises(NoActiveModelError) as caught:
            request(model="chat", messages=[])
        assert caught.value.retry_after == pytest.approx(12 * 3600)
