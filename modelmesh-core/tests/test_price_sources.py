"""Prices: configuration first, then the connector's data, then price plugins."""

from __future__ import annotations

import copy
import json
import logging
import pickle
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from attrs import asdict, evolve

from modelmesh import ModelMesh
from modelmesh._engine.assembly.prices import PriceSources
from modelmesh._engine.plugins.resolver import Resolver
from modelmesh.contracts.models import ModelInfo, ModelPricing, PriceBand
from modelmesh.errors import BudgetExceededError, ConfigurationError
from modelmesh.hooks import hookimpl
from modelmesh.testing import MockProvider, VirtualClock

CHAT = "generation.text-generation.chat-completion"
MIDNIGHT = datetime(2026, 11, 23, tzinfo=UTC)
OWN = ModelPricing(0.001, 0.002, source="the connector", as_of="2026-11-21")
FOUND = ModelPricing(0.003, 0.004, source="a source", as_of="2026-11-20")


class Vendor(MockProvider):
    id = "test.priced.v1"

    def __init__(self, *rows: ModelInfo) -> None:
        super().__init__(["hello"])
        self.rows = rows

    def models(self) -> list[ModelInfo]:
        return list(self.rows)


class Source:
    """A price plugin that returns a price, raises, or returns an invalid value."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.lookups: list[tuple[str, str]] = []

    @hookimpl
    def modelmesh_price(self, connector_id: str, model_id: str) -> Any:
        self.lookups.append((connector_id, model_id))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def row(name: str, pricing: ModelPricing | None = None, **more: Any) -> ModelInfo:
    return ModelInfo(name, capabilities=(CHAT,), pricing=pricing, **more)


@pytest.fixture
def resolver() -> Resolver:
    return Resolver()


@pytest.fixture
def made(resolver: Resolver) -> Iterator[Any]:
    meshes = []

    def make(*rows: ModelInfo, when: datetime = datetime(2026, 11, 23, 12, tzinfo=UTC), **config: Any) -> ModelMesh:
        clock = VirtualClock()
        mesh = ModelMesh(clock=clock, sleep=clock.sleep, wall=when.timestamp, resolver=resolver)
        provider = {"instance": Vendor(*rows), **config.pop("provider", {})}
        mesh.initialize({"providers": {"a": provider}, "pools": {"chat": {"capability": "chat-completion"}}, **config})
        meshes.append(mesh)
        return mesh

    yield make
    for mesh in meshes:
        mesh.shutdown()


def prices(mesh: ModelMesh) -> list[Any]:
    return [one.info.pricing for one in mesh.list_models()]


def test_price_plugin_called_for_unknown_price(resolver: Resolver, made: Any) -> None:
    source = Source(FOUND)
    resolver.plugins.register(source, name="source")
    mesh = made(row("known", OWN), row("unknown", upstream="vendors-name"), row("empty", ModelPricing(source="nowhere")))
    assert prices(mesh) == [OWN, FOUND, FOUND]
    assert source.lookups == [("test.priced.v1", "vendors-name"), ("test.priced.v1", "empty")]
    assert mesh.price_failures == {}


def test_price_plugin_called_when_price_is_needed(resolver: Resolver, made: Any) -> None:
    source = Source(FOUND)
    resolver.plugins.register(source, name="source")
    mesh = made(row("m"), row("n"))
    assert source.lookups == []
    for _ in range(2):
        reply = mesh.client.chat.completions.create(model="chat", messages=[{"role": "user", "content": "hi"}])
    assert source.lookups == [("test.priced.v1", "m")]
    assert mesh.usage.total_cost == pytest.approx(
        2 * (reply.usage.prompt_tokens * 0.003 + reply.usage.completion_tokens * 0.004) / 1000
    )


def test_price_plugin_called_once_by_several_threads(resolver: Resolver, made: Any) -> None:
    source = Source(FOUND)
    resolver.plugins.register(source, name="source")
    (model,) = made(row("m")).list_models()
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(lambda _: model.info.pricing, range(32))) == [FOUND] * 32
    assert len(source.lookups) == 1


def test_model_priced_by_plugin_equals_its_row(resolver: Resolver, made: Any) -> None:
    resolver.plugins.register(Source(FOUND), name="source")
    (model,) = made(row("m", context_window=9)).list_models()
    assert model.info == row("m", FOUND, context_window=9)
    assert row("m", FOUND, context_window=9) == model.info
    assert model.info != row("m", OWN, context_window=9)
    assert evolve(model.info, id="n") == row("n", FOUND, context_window=9)
    assert repr(FOUND) in repr(model.info)
    assert not hasattr(model.info, "price")
    assert pickle.loads(pickle.dumps(copy.copy(model.info))).pricing == FOUND


def test_price_zero_is_known(resolver: Resolver, made: Any) -> None:
    source = Source(FOUND)
    resolver.plugins.register(source, name="source")
    assert prices(made(row("free", ModelPricing(0.0, 0.0)))) == [ModelPricing(0.0, 0.0)]
    assert source.lookups == []


def test_price_first_known_plugin_wins(resolver: Resolver, made: Any) -> None:
    sources = [Source(FOUND), Source(None), Source(ModelPricing())]
    for number, source in enumerate(sources):
        resolver.plugins.register(source, name=f"source {number}")
    assert prices(made(row("m"))) == [FOUND]
    assert [len(source.lookups) for source in sources] == [1, 1, 1]


def test_price_configured_has_priority(resolver: Resolver, made: Any) -> None:
    resolver.plugins.register(Source(FOUND), name="source")
    models = {"m": {"provider": "a", "pricing": {"input_per_1k_tokens": 0.5, "output_per_1k_tokens": 1}}}
    assert prices(made(row("m", OWN), models=models)) == [ModelPricing(0.5, 1.0, source="configuration")]


@pytest.mark.parametrize("answer", [RuntimeError("no network"), {"input": 1}, -1], ids=repr)
def test_price_plugin_failure_is_logged_once_and_counted(
    answer: Any, resolver: Resolver, made: Any, caplog: pytest.LogCaptureFixture
) -> None:
    resolver.plugins.register(Source(FOUND), name="good")
    resolver.plugins.register(Source(answer), name="broken")
    with caplog.at_level(logging.WARNING, "modelmesh.plugins"):
        mesh = made(row("m"), row("n"))
    assert prices(mesh) == [FOUND, FOUND]
    assert mesh.price_failures == {"broken": 2}
    assert [record.getMessage().partition(" for ")[0] for record in caplog.records if "broken" in record.getMessage()] == [
        "price plugin broken raised RuntimeError: no network"
        if isinstance(answer, Exception)
        else f"price plugin broken returned {type(answer).__name__}, not a ModelPricing"
    ]


def test_price_source_is_visible(resolver: Resolver, made: Any) -> None:
    resolver.plugins.register(Source(None), name="source")
    mesh = made(row("m", OWN), row("n", OWN), row("o"))
    assert mesh.describe().splitlines()[-1] == "  prices: 2 models by the connector (2026-11-21); 1 model unknown"
    explained = mesh.explain("chat").candidates
    price = {"input_per_1k_tokens": 0.001, "output_per_1k_tokens": 0.002, "source": "the connector", "as_of": "2026-11-21"}
    assert [one.price for one in explained] == [price, price, None]
    assert json.loads(json.dumps(asdict(explained[0])))["price"] == price
    assert "prices" not in made(row("m")).describe()


NIGHT = PriceBand(hours="01:00-04:00", input_per_1k_tokens=0.002, output_per_1k_tokens=0.002)


@pytest.mark.parametrize(("hour", "usd"), [(0, 0.001), (1, 0.002)])
def test_price_band_of_current_hour_is_counted(hour: int, usd: float, made: Any) -> None:
    budget = {"budget": {"daily_limit": 1}}
    mesh = made(row("m", ModelPricing(0.001, 0.001, bands=[NIGHT])), when=MIDNIGHT.replace(hour=hour), provider=budget)
    assert mesh.explain("chat").candidates[0].price["input_per_1k_tokens"] == usd
    reply = mesh.client.chat.completions.create(model="chat", messages=[{"role": "user", "content": "hi"}])
    assert reply.usage.total_tokens > 0
    assert mesh.usage.total_cost == pytest.approx(reply.usage.total_tokens * usd / 1000)
    assert mesh.usage.budget_status.used == pytest.approx(mesh.usage.total_cost)


@pytest.mark.parametrize(("hour", "fits"), [(0, True), (1, False)])
def test_price_band_of_current_hour_is_reserved(hour: int, fits: bool, made: Any) -> None:
    """The shortest useful answer has 64 tokens, which cost 0.000064 USD by day and twice that at night."""
    budget = {"budget": {"daily_limit": 0.0001}}
    mesh = made(row("m", ModelPricing(0.001, 0.001, bands=[NIGHT])), when=MIDNIGHT.replace(hour=hour), provider=budget)
    if fits:
        mesh.client.chat.completions.create(model="chat", messages=[])
    else:
        with pytest.raises(BudgetExceededError):
            mesh.client.chat.completions.create(model="chat", messages=[])


def test_price_bands_are_configurable(made: Any) -> None:
    band = {
        "above_prompt_tokens": 10,
        "hours": "01:00-04:00",
        "days": ["mon"],
        "since": date(2027, 1, 1),
        "per_request": 1,
    }
    models = {"m": {"provider": "a", "pricing": {"input_per_1k_tokens": 0.5, "bands": [band]}}}
    (pricing,) = prices(made(row("m"), models=models))
    assert pricing.bands == (PriceBand(10, ("01:00-04:00",), ("mon",), "2027-01-01", per_request=1.0),)


@pytest.mark.parametrize(
    ("pricing", "words"),
    [
        ({"input_per_1k_tokens": -1}, r"models\.m\.pricing\.input_per_1k_tokens: must be a number, 0 or more, not -1"),
        ({"output_per_1k_tokens": float("inf")}, r"models\.m\.pricing\.output_per_1k_tokens: must be a number"),
        ({"input_per_1k_tokens": 2500}, r"from 0 to 100, not 2500. Prices are per 1,000 tokens"),
        (
            {"bands": [{"input_per_1k_tokens": float("nan")}]},
            r"models\.m\.pricing\.bands\[0\]\.input_per_1k_tokens: must be a number",
        ),
        ({"bands": [{"from": "2027-01-01"}]}, "unknown key 'from'"),
        ({"bands": [{"hours": "1-2"}]}, r"models\.m\.pricing: pricing: hours must be written like"),
        ({"bands": [{"since": "soon"}]}, "since must be a day"),
    ],
    ids=repr,
)
def test_price_invalid_states_position(pricing: dict[str, Any], words: str, made: Any) -> None:
    with pytest.raises(ConfigurationError, match=words):
        made(row("m"), models={"m": {"provider": "a", "pricing": pricing}})


def test_free_tier_own_and_shared_limits(made: Any) -> None:
    month = {"requests_per_month": 1000, "shared": "account", "source": "the vendor's page", "as_of": "2026-11-21"}
    tier = [{"requests_per_minute": 20}, month]
    mesh = made(
        row("m", extra={"free_tier": tier}), row("n", extra={"free_tier": month}), provider={"quota": {"free_tier": True}}
    )
    own, other = (one.left for one in mesh.explain("chat").candidates)
    assert [(limit["of"], limit["window"], limit["limit"]) for limit in own] == [
        ("model:a/m", "minute", 20),
        ("shared:a/account", "month", 1000),
    ]
    assert list(other) == [limit for limit in own if limit["of"] == "shared:a/account"]
    assert other[0]["source"] == "the vendor's page 2026-11-21"


def test_free_tier_price_is_zero_unless_configured(made: Any) -> None:
    tier = {"requests_per_day": 10, "source": "the vendor's page", "as_of": "2026-11-21"}
    listed = ModelPricing(input_per_1k_tokens=1.0, output_per_1k_tokens=1.0, source="list")
    rows = (row("m", extra={"free_tier": tier}, pricing=listed), row("n", pricing=listed))
    free = {"quota": {"free_tier": True}}

    def prices(mesh: Any) -> list[tuple[str, float, str]]:
        price_by_model = {one.model: one.price for one in mesh.explain("chat").candidates}
        return [
            (name, price_by_model[name]["input_per_1k_tokens"], price_by_model[name]["source"]) for name in sorted(price_by_model)
        ]

    assert prices(made(*rows)) == [("m", 1.0, "list"), ("n", 1.0, "list")]
    assert prices(made(*rows, provider=free)) == [("m", 0.0, "the vendor's page"), ("n", 1.0, "list")]
    own = {"m": {"provider": "a", "pricing": {"input_per_1k_tokens": 2.0}}}
    assert prices(made(*rows, provider=free, models=own))[0] == ("m", 2.0, "configuration")


def test_model_with_a_price_of_a_plugin_shows_itself_as_any_model() -> None:
    class Hook:
        get_hookimpls = staticmethod(lambda: [SimpleNamespace(plugin_name="p", function=lambda: FOUND, argnames=())])

    resolver: Any = SimpleNamespace(plugins=SimpleNamespace(hook=SimpleNamespace(modelmesh_price=Hook)))
    info = PriceSources(resolver).priced("test.priced.v1", row("one"))
    assert repr(info) == repr(row("one", FOUND))
    with pytest.raises(AttributeError, match="'ModelInfo' object has no attribute 'prices'"):
        _ = info.prices  # type: ignore[attr-defined]
