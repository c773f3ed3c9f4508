"""Each of the eight strategies over three vendors with failures, and four dead accounts before a healthy fifth."""

from __future__ import annotations

import random
from itertools import combinations

import pytest
from cells import SHORT
from fakevendors import CHAT, WAYS, Account, Street
from opening import Opening, ask

from modelmesh._engine.plugins.aliases import STRATEGIES

DEAD = [
    ("refused", "dns", "tls", "refused"),
    ("key", "key", "key", "key"),
    ("gone", "gone", "gone", "gone"),
    ("error", "overloaded", "error", "html"),
    ("throttled", "throttled-long", "funds", "forbidden"),
    ("empty", "cut", "hang", "hang"),
]


def three(strategy: str, turn: int) -> list[str]:
    """Three vendors, the same in every run."""
    return random.Random(f"{strategy} {turn}").sample(CHAT, 3)


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_strategy_with_two_failing_vendors_answers_all(strategy: str, way: str, stream: bool, street: Street) -> None:
    names = three(strategy, list(WAYS).index(way))
    for healthy in range(3):
        accounts = [street.account(name, "" if place == healthy else way) for place, name in enumerate(names)]
        opening = Opening.of(*accounts, strategy=strategy, **(SHORT if way == "hang" else {}))
        with opening.sync() as client:
            texts = [ask(client, stream=stream) for _ in range(5)]
        assert all(text.startswith(f"{names[healthy]} answers.") for text in texts)
        assert not accounts[healthy].refused


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_strategy_with_healthy_vendors_makes_one_call_each(strategy: str, street: Street) -> None:
    accounts = [street.account(name) for name in three(strategy, 100)]
    with Opening.of(*accounts, strategy=strategy).sync() as client:
        for number in range(12):
            ask(client, stream=bool(number % 2))
    assert sum(len(account.calls) for account in accounts) == 12


@pytest.mark.parametrize("ways", DEAD, ids=["-".join(ways) for ways in DEAD])
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_pool_with_four_dead_accounts_answers(ways: tuple[str, ...], stream: bool, street: Street) -> None:
    names = list(next(iter(combinations(CHAT, 5))))
    accounts = [street.account(name, way) for name, way in zip(names, (*ways, ""), strict=True)]
    with Opening.of(*accounts, **SHORT).sync() as client:
        for number in range(5):
            assert ask(client, stream=stream).startswith(f"{names[4]} answers.")
            assert all(calls_of(account) <= 2 for account in accounts[:4]) or number


def calls_of(account: Account) -> int:
    return len(account.calls)


def test_pool_with_eleven_dead_vendors_answers(street: Street) -> None:
    ways = [way for way in WAYS if way != "hang"]
    for healthy in range(len(CHAT)):
        order = [*CHAT[:healthy], *CHAT[healthy + 1 :], CHAT[healthy]]
        accounts = [street.account(name, ways[place % len(ways)] if place < 11 else "") for place, name in enumerate(order)]
        with Opening.of(*accounts).sync() as client:
            assert ask(client).startswith(f"{order[-1]} answers.")
            assert ask(client, stream=True).startswith(f"{order[-1]} answers.")
