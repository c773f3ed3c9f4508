"""Enforced budgets with the shipped catalogues: plain and streamed, closed early, without a limit of the caller."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from billing import CONNECTORS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelmesh.errors import BudgetExceededError

HELLO = [{"role": "user", "content": "Tell me about the sea."}]
World = Callable[..., Any]


def ask(client: Any, kind: str = "plain", **arguments: Any) -> bool:
    """Send one request and return whether the budget permitted it."""
    arguments = {"model": "chat-completion", "messages": HELLO, **arguments}
    try:
        if kind == "plain":
            client.chat.completions.create(**arguments)
        else:
            with client.chat.completions.create(stream=True, **arguments) as stream:
                for _ in stream:
                    if kind == "left":
                        break
    except BudgetExceededError:
        return False
    return True


@pytest.mark.parametrize("kind", ["plain", "stream", "left"])
@pytest.mark.parametrize("dialect", CONNECTORS)
def test_budget_with_one_thread_is_never_exceeded(dialect: str, kind: str, world: World) -> None:
    client, vendor = world(dialect, 400, {"daily_limit": 0.02})
    served = 0
    while served < 300 and ask(client, kind):
        served += 1
    assert served
    assert vendor.billed(client.mesh) <= 0.02
    assert client.usage.total_cost <= 0.02
    if kind != "left":
        assert client.usage.total_cost == pytest.approx(vendor.billed(client.mesh))
        assert client.usage.total.estimated_requests == 0
        assert served < 300, "the budget ended it"


@pytest.mark.parametrize("dialect", CONNECTORS)
def test_output_limit_is_the_rest_of_the_budget(dialect: str, world: World) -> None:
    client, vendor = world(dialect, 100_000, {"per_request_limit": 0.005})
    reply = client.chat.completions.create(model="chat-completion", messages=HELLO)
    assert reply.choices[0].finish_reason == "length"
    assert vendor.bills[0].limit is not None
    assert 0.004 < vendor.billed(client.mesh) <= 0.005
    note = reply.attempts[-1].adapted[0]
    assert note == f"max_tokens {vendor.bills[0].limit} added: $0.005 is left of $0.005 a request"


def test_large_answer_does_not_lock_the_pool(world: World) -> None:
    client, vendor = world("anthropic", lambda number: 100_000 if number == 0 else 20, {"per_request_limit": 0.01})
    assert all(ask(client) for _ in range(20))
    assert len(vendor.bills) == 20


@pytest.mark.parametrize("kind", ["plain", "stream"])
def test_vendor_ignoring_the_limit_stays_within_budget(kind: str, world: World) -> None:
    client, vendor = world("openai", 800, {"daily_limit": 0.02}, provider={"models": ["gpt-4o"]}, obeys=False)
    assert [ask(client, kind) for _ in range(4)] == [True, True, False, False]
    assert vendor.billed(client.mesh) <= 0.02


def test_budget_below_a_useful_answer_is_refused(world: World) -> None:
    client, vendor = world("openai", 50, {"per_request_limit": 0.00001}, provider={"models": ["gpt-4o"]})
    with pytest.raises(BudgetExceededError, match="a request are spent"):
        client.chat.completions.create(model="chat-completion", messages=HELLO)
    assert not vendor.bills


def test_caller_limit_is_lowered_and_recorded(world: World) -> None:
    client, vendor = world("openai", 5000, {"daily_limit": 0.01}, provider={"models": ["gpt-4o"]})
    reply = client.chat.completions.create(model="chat-completion", messages=HELLO, max_tokens=4000)
    assert vendor.last.json["max_tokens"] == vendor.bills[0].limit < 4000
    assert reply.attempts[-1].adapted[0].startswith(f"max_tokens lowered from 4000 to {vendor.bills[0].limit}")
    assert vendor.billed(client.mesh) <= 0.01


def test_several_answers_share_the_limit(world: World) -> None:
    client, vendor = world("openai", 10, {"per_request_limit": 0.01}, provider={"models": ["gpt-4o"]})
    ask(client)
    ask(client, n=4)
    one, four = vendor.bills
    assert one.limit is not None
    assert four.limit is not None
    assert four.limit == pytest.approx(one.limit / 4, abs=1)


@pytest.mark.parametrize("stated", [None, 500], ids=["no limit", "max_tokens=500"])
@pytest.mark.parametrize("reserve", ["estimate", "maximum"])
@pytest.mark.parametrize("kind", ["plain", "stream"])
def test_budget_with_64_threads_is_bounded(kind: str, reserve: str, stated: int | None, world: World) -> None:
    price = {"input_per_1k_tokens": 0.0, "output_per_1k_tokens": 0.01}
    rows = [{"id": "m", "capabilities": ["chat-completion"], "pricing": price}]
    budget = {"daily_limit": 0.10, "reserve": reserve}
    client, vendor = world("openai", 500, budget, provider={"models": rows}, delay=0.05)
    start = Barrier(64)
    limits = {} if stated is None else {"max_tokens": stated}

    def work(_: int) -> int:
        start.wait(30)
        return sum(ask(client, kind, **limits) for _ in range(3))

    with ThreadPoolExecutor(64) as threads:
        served = sum(threads.map(work, range(64)))
    spent = vendor.billed(client.mesh)
    assert spent <= (0.10 if reserve == "maximum" else 0.11), f"{served} served"
    assert spent >= 0.08, "and what is left is spent"
    assert client.usage.total_cost == pytest.approx(spent)


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    requests=st.lists(
        st.tuples(
            st.sampled_from(["plain", "stream", "left"]),
            st.sampled_from([None, None, 1, 40, 3000]),
            st.integers(1, 2500),
            st.integers(0, 400),
        ),
        min_size=1,
        max_size=25,
    ),
    reserve=st.sampled_from(["estimate", "maximum"]),
)
def test_budget_random_requests_never_exceed_it(requests: Any, reserve: str, world: World) -> None:
    client, vendor = world("openai", lambda number: requests[number][2], {"total_limit": 0.02, "reserve": reserve})
    sent = 0
    for kind, limit, _, words in requests:
        messages = [{"role": "user", "content": "sea " * words}]
        arguments = {} if limit is None else {"max_tokens": limit}
        sent += ask(client, kind, messages=messages, **arguments)
    assert len(vendor.bills) == sent
    left = reserve == "estimate" and any(kind == "left" for kind, *_ in requests)
    assert vendor.billed(client.mesh) <= 0.02 * (1.02 if left else 1), "what is written after a stream is left is an estimate"


@pytest.mark.parametrize("kind", ["plain", "stream"])
def test_reserve_maximum_without_usage_counts_all(kind: str, world: World) -> None:
    client, vendor = world(words=20, budget={"daily_limit": 1.0, "reserve": "maximum"}, reports=False)
    assert ask(client, kind, max_tokens=1000)
    vendor.bills[0].output = 1000  # hidden reasoning is billed, too
    assert client.usage.total.estimated_requests == 1
    assert client.usage.budget_status.used >= vendor.billed(client.mesh) > client.usage.total_cost
