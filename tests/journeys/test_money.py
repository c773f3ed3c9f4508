"""Budgets and free tiers with streams, against vendors that bill by their own count."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fakevendors import Account, Street
from opening import Opening, ask

import modelmesh
from modelmesh.errors import ModelMeshError

PRICED = ("openai", "anthropic", "google", "mistral", "cohere")
LIMIT = 0.01
LONG = 300


def opened(*accounts: Account, **more: Any) -> modelmesh.MeshClient:
    return Opening.of(*accounts, **more).sync()


def cost(account: Account) -> float:
    """The vendor's bill: its own counts at the catalogue's price of the model."""
    rows = {row.get("upstream", row["id"]): row["pricing"] for row in account.vendor.catalogue if "pricing" in row}
    return sum(
        (bill.prompt * rows[bill.model]["input_per_1k_tokens"] + bill.completion * rows[bill.model]["output_per_1k_tokens"])
        / 1000
        for bill in account.bills
    )


def until_it_ends(client: Any, **call: Any) -> ModelMeshError:
    """Send requests until the mesh refuses one, and return the error."""
    for _ in range(5000):
        try:
            ask(client, **call)
        except ModelMeshError as error:
            return error
    pytest.fail("nothing ended the requests")


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("vendor", PRICED)
def test_daily_limit_bounds_the_vendor_bill(vendor: str, stream: bool, street: Street) -> None:
    account = street.account(vendor, words=LONG)
    with opened(account, budget={"daily_limit": LIMIT}) as client:
        error = until_it_ends(client, stream=stream)
        assert isinstance(error, modelmesh.BudgetExceededError)
        assert 0 < cost(account) <= LIMIT
        assert client.usage.total_cost == pytest.approx(cost(account), rel=1e-6)
        assert client.usage.total_requests == len(account.bills)


@pytest.mark.parametrize("vendor", PRICED)
def test_streams_closed_early_are_counted(vendor: str, street: Street) -> None:
    account = street.account(vendor, words=40, pace=0.002)
    with opened(account, budget={"daily_limit": 1}) as client:
        for _ in range(5):
            with client.chat.completions.create(
                model="chat-completion", messages=[{"role": "user", "content": "Say pong."}], stream=True
            ) as stream:
                next(iter(stream))
        assert client.usage.total_requests == 5
        assert client.usage.total_tokens > 0


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_per_request_limit_bounds_each_answer(stream: bool, street: Street) -> None:
    account = street.account("openai", words=5000)
    with opened(account, budget={"per_request_limit": 0.001}) as client:
        ask(client, stream=stream)
        assert 0 < cost(account) <= 0.001


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_reserve_maximum_in_64_threads_keeps_the_limit(stream: bool, street: Street) -> None:
    account = street.account("openai", words=LONG, delay=0.001)
    with opened(account, budget={"daily_limit": LIMIT, "reserve": "maximum"}) as client, ThreadPoolExecutor(64) as pool:
        for _ in range(4):
            for future in [pool.submit(ask, client, stream=stream, max_tokens=400) for _ in range(64)]:
                error = future.exception()
                assert error is None or isinstance(error, ModelMeshError)
    assert 0 < cost(account) <= LIMIT


def test_budget_that_rotates_uses_the_free_account(street: Street) -> None:
    """The budget of one account is exhausted. The pool uses the other account without a wasted call."""
    paid, free = street.account("openai", words=LONG), street.account("groq")
    config = {
        "providers": {
            "openai": {"connector": "openai.llm.v1", **paid.settings, "budget": {"daily_limit": LIMIT}},
            "groq": {"connector": "groq.api.v1", **free.settings, "quota": {"free_tier": True}},
        },
        "pools": {"chat-completion": {"on_budget_exceeded": "rotate"}},
    }
    with modelmesh.create(config=config) as client:
        texts = [ask(client, stream=bool(number % 2)) for number in range(40)]
    assert {text.split()[0] for text in texts} == {"openai", "groq"}
    assert 0 < cost(paid) <= LIMIT
    assert free.bills


def test_free_tiers_end_before_the_vendor_refuses(street: Street) -> None:
    """The shipped limits of Groq's free tier: no model gets more requests per minute than its row permits."""
    groq, mistral = street.account("groq"), street.account("mistral")
    config = {
        "providers": {
            "groq": {"connector": "groq.api.v1", **groq.settings, "quota": {"free_tier": True}},
            "mistral": {"connector": "mistral.api.v1", **mistral.settings},
        },
        "pools": {"chat-completion": {}},
    }
    began = time.time()
    with modelmesh.create(config=config) as client:
        texts = [ask(client, stream=bool(number % 2)) for number in range(260)]
    minutes = int(time.time() // 60) - int(began // 60) + 1  # a slow machine may send into the next minute
    assert all(texts)
    limits = {row["id"]: row["free_tier"]["requests_per_minute"] for row in groq.vendor.catalogue if "free_tier" in row}
    sent = {model: sum(bill.model == model for bill in groq.bills) for model in limits}
    assert all(sent[model] <= limit * minutes for model, limit in limits.items()), sent
    assert sum(sent.values()) >= min(limits.values()), "the free minute was used"
    assert len(groq.bills) + len(mistral.bills) == len(texts)
