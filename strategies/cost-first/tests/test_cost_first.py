"""Cost-first strategy."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from importlib.metadata import entry_points
from random import Random
from typing import Any

import pytest
from attrs import evolve, frozen
from hypothesis import given, settings
from hypothesis import strategies as st
from modelmesh_strategy_cost_first import CostFirst, envelope, prices, spent, strategy
from modelmesh_strategy_cost_first.spent import Spent

import modelmesh
from modelmesh._engine.foundation.clock import Clock
from modelmesh._engine.health.health_registry import HealthRegistry
from modelmesh._engine.health.provider_health import ProviderHealth
from modelmesh._engine.limits.cost import cost_nano_usd, pricing_at
from modelmesh._engine.routing.candidate_set import Candidates
from modelmesh._engine.routing.candidates import Candidate
from modelmesh._engine.routing.pool import Pool
from modelmesh.contracts import CHAT, EMBEDDINGS, UnitPrices
from modelmesh.contracts.call import Call
from modelmesh.contracts.models import ModelInfo, ModelPricing, PriceBand
from modelmesh.contracts.operations import IMAGES
from modelmesh.contracts.strategy import SelectionRequest

LONG, SHORT = "word " * 4000, "Tell me a story."


def test_cost_first_id_is_the_entry_point_name() -> None:
    [point] = [p for p in entry_points(group="modelmesh.strategies") if p.value.startswith("modelmesh_strategy_cost_first:")]
    assert point.load() is CostFirst
    assert (point.name, CostFirst.id) == ("modelmesh.cost-first.v1", "modelmesh.cost-first.v1")


@pytest.mark.parametrize("name", ["cost-first", "cost_first", "modelmesh.cost-first.v1", "rotation.modelmesh.cost-first.v1"])
def test_create_finds_cost_first_by_every_alias(world: Any, name: str) -> None:
    assert world({"strategy": name}, dear=(2, 8), cheap=(1, 4)).send() == "cheap"


def test_request_goes_to_cheapest_then_to_next_cheapest(world: Any) -> None:
    here = world({"deactivation": {"retry_limit": 1}, "recovery": {"cooldown": "60s"}}, dear=(2, 8), cheap=(1, 4), mid=(1.5, 6))
    assert here.send_many(2) == ["cheap", "cheap"]
    here.accounts["at-cheap"].down.add("cheap")
    assert here.send_many(2) == ["mid", "mid"]
    here.accounts["at-cheap"].down.clear()
    here.now += 61
    assert here.send() == "cheap"


def test_select_cheapest_depends_on_prompt_and_output_size(world: Any) -> None:
    here = world(reader=(0.1, 10), writer=(2, 1))
    assert here.send(LONG, max_tokens=10) == "reader"
    assert here.send(SHORT, max_tokens=1000) == "writer"
    assert here.send(LONG, max_completion_tokens=10) == "reader"


def test_select_prefers_free_and_puts_unknown_prices_last(world: Any) -> None:
    here = world(unknown=None, half=(0.1, None), cheap=(0.1, 0.1), free=(0, 0))
    assert here.send() == "free"
    here.accounts["at-free"].down.add("free")
    assert here.send() == "cheap"
    here.accounts["at-cheap"].down.add("cheap")
    assert here.send() == "unknown"  # the first of both without a price
    rows = {row.model: row.score for row in here.client.explain("chat-completion").candidates}
    assert rows["unknown"] == rows["half"] == -1e9 < rows["cheap"] < rows["free"] == 0


def test_select_among_equal_costs_prefers_least_spent(world: Any) -> None:
    """The total cost only breaks ties. It never selects a model with a higher cost of the request."""
    assert world(dear=(2, 8), one=(1, 4), two=(1, 4)).send_many(6) == ["one", "two"] * 3
    assert world(one=(0, 0), two=(0, 0)).send_many(4) == ["one"] * 4
    here = world(one=(1, 4), two=(1, 4))
    here.accounts["at-two"].down.add("two")
    here.send_many(3)
    here.accounts["at-two"].down.clear()
    here.now += 3600
    assert here.send_many(4) == ["two"] * 3 + ["one"], "it has three answers to make up for"
    assert here.client.explain("chat-completion").selected_model == "two"


def test_select_reason_contains_the_estimated_cost(world: Any) -> None:
    assert world(a=(1, 4)).client.explain("chat-completion").reason == "cheapest for this request: about $0.0010"
    assert world(a=(0.0001, 0.0001)).client.explain("chat-completion").reason == "cheapest for this request: about $0.000000026"
    assert world(a=(1000, 5000)).client.explain("chat-completion").reason == "cheapest for this request: about $1.28"
    assert world(a=(0, 0)).client.explain("chat-completion").reason == "cheapest for this request: free"
    assert world(a=None).client.explain("chat-completion").reason == "no price is known; first in pool order"


def test_succeeded_updates_the_typical_output(world: Any) -> None:
    wordy, terse = (world(tokens=tokens, reader=(0.1, 10), writer=(6, 1)) for tokens in (2000, 1))
    text = "word " * 400  # 500 tokens
    assert wordy.send(text) == terse.send(text) == "reader"  # 256 output tokens are expected before the first answer
    assert wordy.send(text) == "writer"
    assert terse.send(text) == "reader"


def test_explain_leaves_the_typical_output(world: Any) -> None:
    here = world(tokens=2000, reader=(0.1, 10), writer=(6, 1))
    before = here.client.explain("chat-completion")
    assert [here.client.explain("chat-completion") for _ in range(3)] == [before] * 3


def test_select_uses_configured_prices(world: Any) -> None:
    accounts = {"providers": {"a": {"instance": world(dear=(2, 8)).accounts["at-dear"]}, "b": {"instance": world(cheap=(1, 4)).accounts["at-cheap"]}}}  # fmt: skip
    config = {
        **accounts,
        "models": {"dear": {"provider": "a", "pricing": {"input_per_1k_tokens": 0, "output_per_1k_tokens": 0}}},
        "pools": {"chat-completion": {"strategy": "cost-first", "models": ["dear", "cheap"]}},
    }
    with modelmesh.create(config=config) as client:
        assert client.chat.completions.create(model="chat-completion", messages=[]).model == "dear"


# -- strategy without a mesh -------------------------------------------------------------------------------------------------


def pool_of(*pricings: ModelPricing | None) -> Pool:
    account = ProviderHealth(provider_id="p", connector_id="test.p.v1", names=("p",))
    infos = [ModelInfo(f"m{n}", pricing=pricing) for n, pricing in enumerate(pricings)]
    members = [Candidate(info.id, info.id, info, None, account) for info in infos]  # type: ignore[arg-type]
    return Pool("pool", "", members, CostFirst(), HealthRegistry(draw=lambda: 0.5))


def knowing_of_long_answers(pool: Pool) -> Pool:
    """Make the strategy expect outputs as long as the caller allows, without costs in this pool."""
    elsewhere = evolve(asked(), pool="another")
    pool.strategy.succeeded(pool.members[0], elsewhere, {"usage": {"completion_tokens": 10**6}})  # type: ignore[attr-defined]
    return pool


def asked(prompt: int = 0, answer: int = 256, operation: Any = CHAT, now: float = 0.0) -> SelectionRequest:
    messages = [{"role": "user", "content": "x" * (4 * prompt)}]
    return SelectionRequest(Call(operation, "pool", {"messages": messages, "max_tokens": answer}), "pool", now, None)


def place(pool: Pool, request: SelectionRequest, mask: int | None = None) -> int:
    chosen = pool.strategy.select(Candidates(pool, pool.available if mask is None else mask), request)
    found = pool.position(chosen.candidate)  # type: ignore[union-attr]
    assert found is not None
    return found


def test_select_includes_the_price_of_a_request() -> None:
    pool = pool_of(ModelPricing(0.001, 0.001), ModelPricing(0.0, 0.0, per_request=0.01), ModelPricing(per_request=0.02))
    assert [place(pool, asked(prompt)) for prompt in (10, 100_000)] == [0, 1]
    assert place(pool, asked(100_000), mask=0b101) == 2


def test_select_without_a_prompt_compares_prices_of_prompts() -> None:
    """A view of the pool names the model that requests go to, although another one has cost less so far."""
    pool = pool_of(ModelPricing(0.001, 0.5), ModelPricing(0.0123, 0.5))
    pool.strategy.succeeded(pool.members[0], asked(1), {"usage": {"prompt_tokens": 1, "completion_tokens": 2}})  # type: ignore[attr-defined]
    assert place(pool, SelectionRequest(Call(CHAT, "pool", {}), "pool", 0.0, None)) == place(pool, asked(1)) == 0


def test_select_embeddings_cost_nothing_for_output() -> None:
    pool = pool_of(ModelPricing(0.002, 0.0), ModelPricing(0.001, None), ModelPricing(0.001, 9.0), None)
    assert place(pool, asked(operation=EMBEDDINGS)) == 1
    assert place(pool, asked()) == 0


def test_select_embeddings_input_counts_as_prompt() -> None:
    pool = pool_of(ModelPricing(0.001, None, per_request=0.01), ModelPricing(0.002, None))
    call = Call(EMBEDDINGS, "pool", {"input": ["x" * 40_000] * 3})
    assert [place(pool, asked(operation=EMBEDDINGS)), place(pool, evolve(asked(), call=call))] == [1, 0]


def test_select_compares_images_by_their_price_of_an_image_or_of_its_tokens() -> None:
    by_image, by_token = (
        ModelPricing(units=UnitPrices(per_image=0.05)),
        ModelPricing(0.005, units=UnitPrices(image_output_per_1k_tokens=0.04)),
    )
    pool = pool_of(None, by_image, by_token, by_image)

    def chosen(**payload: Any) -> int:
        return place(pool, SelectionRequest(Call(IMAGES, "pool", {"prompt": "a cat", **payload}), "pool", 0.0, None))

    assert [chosen(quality=quality) for quality in ("low", "high")] == [2, 1]
    request = SelectionRequest(Call(IMAGES, "pool", {"prompt": "a cat", "quality": "high"}), "pool", 0.0, None)
    pool.strategy.succeeded(pool.members[1], request, {"usage": {"images": 1}})  # type: ignore[attr-defined]
    assert chosen(quality="high") == 3  # of equal costs the one with the least total
    assert pool.strategy.score(pool.members[1], request) == -0.05  # type: ignore[attr-defined]


def test_select_uses_a_changed_price_within_a_minute() -> None:
    pool = pool_of(ModelPricing(0.001, 0.001), ModelPricing(0.002, 0.002))
    assert place(pool, asked(now=0.0)) == 0
    first = pool.members[0]
    first.info = evolve(first.info, pricing=ModelPricing(0.003, 0.003))
    assert place(pool, asked(now=60.0)) == 1
    assert place(pool, asked(now=61.0)) == 1


def test_one_instance_serves_two_pools() -> None:
    one, two = pool_of(ModelPricing(1, 1), ModelPricing(2, 2)), pool_of(ModelPricing(2, 2), ModelPricing(1, 1))
    one.strategy = two.strategy
    assert [place(pool, asked()) for pool in (one, two, one)] == [0, 1, 0]


@frozen
class Ruled(ModelPricing):
    """A price ten times as high for prompts of 1,000 tokens and more, and at night."""

    bands: tuple[str, ...] = ("long", "night")


def test_select_evaluates_price_bands_for_each_request(monkeypatch: pytest.MonkeyPatch) -> None:
    def cost(pricing: ModelPricing | None, usage: Any, when: float | None = None) -> int | None:
        rates = pricing and ModelPricing(pricing.input_per_1k_tokens, pricing.output_per_1k_tokens)
        plain = cost_nano_usd(rates, usage)
        is_dear = isinstance(pricing, Ruled) and (usage["prompt_tokens"] >= 1000 or (when is not None and when >= 5_000))
        return plain if plain is None else plain * (10 if is_dear else 1)

    for module in (prices, strategy):
        monkeypatch.setattr(module, "cost_nano_usd", cost)
    pool = pool_of(ModelPricing(0.002, 0.002), Ruled(0.001, 0.001), None, Ruled(0.001, 0.001), Ruled(None, 0.001))
    assert [place(pool, asked(prompt)) for prompt in (10, 5000, 10)] == [1, 0, 1]
    assert [place(pool, asked(prompt), mask=0b11000) for prompt in (10, 5000)] == [3, 3]
    assert place(pool, asked(), mask=0b10100) == 2
    pool.reservations.clock = Clock(epoch=4_990.0)
    assert [place(pool, asked(now=now)) for now in (0.0, 20.0)] == [1, 0]
    score = pool.strategy.score  # type: ignore[attr-defined]
    assert score(pool.members[1], asked(now=20.0)) == pytest.approx(10 * score(pool.members[1], asked(now=0.0)))


@pytest.mark.parametrize("few", [0, 4, 32])
@settings(max_examples=100, deadline=None)
@given(
    costs=st.lists(st.tuples(st.integers(0, 40), st.sampled_from([0, 1, 2, 3, 10**6, 10**14])), max_size=80),
    masks=st.lists(st.integers(1, (1 << 41) - 1), min_size=1, max_size=8),
)
def test_spent_least_equals_brute_force(few: int, costs: list[tuple[int, int]], masks: list[int]) -> None:
    spent_totals, totals = Spent(), Counter[int]()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(spent, "MAX_LINEAR", few)
        for turn, (at, cost) in enumerate(costs):
            spent_totals.add(at, cost)
            totals[at] = min(totals[at] + cost, spent.MAX_NANO_USD)
            mask = masks[turn % len(masks)]
            assert spent_totals.least(mask) == min((totals[one], one) for one in range(41) if mask >> one & 1)[1]


# -- laws ---------------------------------------------------------------------------------------------------------------

few = st.sampled_from([0.0, 0.0001, 0.0002, 0.0003, 0.0005, 0.001])  # many equal prices, and many on one line
any_price = few | st.floats(0, 0.1)
pricings = st.none() | st.builds(
    ModelPricing, st.none() | any_price, st.none() | any_price, st.none() | st.sampled_from([0.0, 0.0, 0.0001, 0.01])
)


def exact(pricing: ModelPricing | None, prompt: int, answer: int) -> Fraction | None:
    """Exact cost of a request, with femto-dollars for each token."""
    if cost_nano_usd(pricing, {"prompt_tokens": prompt, "completion_tokens": answer}) is None:
        return None
    assert pricing is not None
    a_token = [round((price or 0) * 10**12) for price in (pricing.input_per_1k_tokens, pricing.output_per_1k_tokens)]
    return Fraction(prompt * a_token[0] + answer * a_token[1] + round((pricing.per_request or 0) * 10**15), 10**15)


def cheapest(pool: Pool, mask: int, prompt: int, answer: int) -> int:
    """Position of the cheapest candidate by brute force."""
    costs = [(exact(c.info.pricing, prompt, answer), at) for at, c in enumerate(pool.members) if mask >> at & 1]
    known = [(cost, at) for cost, at in costs if cost is not None]
    return min(known)[1] if known else costs[0][1]


@settings(max_examples=400, deadline=None)
@given(
    members=st.lists(pricings, min_size=1, max_size=24),
    questions=st.lists(st.tuples(st.integers(1), st.integers(0, 20_000), st.integers(0, 20_000)), min_size=1, max_size=6),
    eager=st.booleans(),
)
def test_cheapest_equals_brute_force(
    members: list[ModelPricing | None], questions: list[tuple[int, int, int]], *, eager: bool
) -> None:
    pool = knowing_of_long_answers(pool_of(*members))
    with pytest.MonkeyPatch.context() as patched:
        if eager:  # trees for every requested set
            patched.setattr(envelope, "FREE_STEPS", 0)
            patched.setattr(envelope, "STEPS_PER_PRICE", 0)
        for drawn, prompt, answer in questions:
            mask = drawn % (1 << len(members)) or 1
            assert place(pool, asked(prompt, answer), mask) == cheapest(pool, mask, prompt + 7, answer)


sizes = st.none() | st.sampled_from([0, 100, 107, 5000])
banded = st.builds(
    ModelPricing,
    st.none() | any_price,
    st.none() | any_price,
    st.none() | st.sampled_from([0.0, 0.01]),
    bands=st.lists(
        st.builds(PriceBand, sizes, input_per_1k_tokens=st.none() | any_price, output_per_1k_tokens=st.none() | any_price),
        max_size=3,
    ).map(tuple),
)


@settings(max_examples=300, deadline=None)
@given(
    members=st.lists(pricings | banded, min_size=1, max_size=16),
    questions=st.lists(
        st.tuples(st.integers(1), st.sampled_from([0, 92, 93, 94, 100, 101]) | st.integers(0, 20_000), st.integers(0, 9_000)),
        min_size=1,
        max_size=6,
    ),
)
def test_cheapest_by_size_of_prompt_equals_brute_force(
    members: list[ModelPricing | None], questions: list[tuple[int, int, int]]
) -> None:
    pool = knowing_of_long_answers(pool_of(*members))
    for drawn, prompt, answer in questions:
        mask = drawn % (1 << len(members)) or 1
        in_force = pool_of(*(pricing and pricing_at(pricing, prompt + 7, 0.0) for pricing in members))
        assert place(pool, asked(prompt, answer), mask) == cheapest(in_force, mask, prompt + 7, answer)


def test_prices_by_size_of_prompt_are_read_once_for_each_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test counts prices that are read instead of time."""
    read: list[int] = []
    constant = prices._constant_price
    monkeypatch.setattr(prices, "_constant_price", lambda pricing, prompt: read.append(prompt) or constant(pricing, prompt))
    bands = (PriceBand(1000, input_per_1k_tokens=0.01),)
    pool = pool_of(*(ModelPricing(0.001 + n / 10**6, 0.002, bands=bands) for n in range(50)), ModelPricing(0.005, 0.002))
    chosen = [place(pool, asked(prompt, 100)) for prompt in (10, 500, 2000, 20, 3000)]
    assert chosen == [0, 0, 50, 0, 50]
    assert len(read) == 2 * 50


@pytest.mark.parametrize("kind", ["like real ones", "in no order", "all on one line"])
def test_cheapest_of_ten_thousand_equals_brute_force(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(envelope, "STEPS_PER_PRICE", 1)  # so that a subset gets trees of its own
    rng = Random(kind)
    made = []
    for _ in range(2000):
        prompt = rng.randint(1, 10_000)
        answer = {"like real ones": prompt * rng.randint(2, 6), "in no order": rng.randint(1, 10_000)}.get(kind, 20_000 - prompt)
        made.append(ModelPricing(prompt / 10**6, answer / 10**6))
    pool = knowing_of_long_answers(pool_of(*made))
    dear = sum(1 << at for at, pricing in enumerate(made) if pricing.input_per_1k_tokens > 0.005)  # type: ignore[operator]
    for mask in (pool.available, rng.getrandbits(2000) | 1, dear, dear & rng.getrandbits(2000) | 1):
        for _ in range(8):
            prompt, answer = int(10 ** rng.uniform(0, 5)), int(10 ** rng.uniform(0, 5))
            assert place(pool, asked(prompt, answer), mask) == cheapest(pool, mask, prompt + 7, answer)


def test_cheapest_search_visits_few_prices(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test counts visited prices instead of time."""
    looked = 0
    least = envelope.Node.least

    def counted(self: envelope.Node, prompt: int, answer: int) -> tuple[int, int]:
        nonlocal looked
        looked += 1
        return least(self, prompt, answer)

    monkeypatch.setattr(envelope.Node, "least", counted)
    rng = Random(5)
    pool = knowing_of_long_answers(pool_of(*(ModelPricing(rng.uniform(0, 0.01), rng.uniform(0, 0.01)) for _ in range(4000))))
    first = place(pool, asked(1000, 100))
    assert looked == 1
    place(pool, asked(1000, 100), pool.available & ~(1 << first))
    assert looked <= 2 + 2 * 12  # one path down a tree of 4,000
