"""Base class of strategies."""

from __future__ import annotations

from typing import Any

import pytest

import modelmesh
from modelmesh.contracts import FailureClass, SelectionResult
from modelmesh.contracts.models import ModelInfo
from modelmesh.errors import ConnectorError, ProviderServerError
from modelmesh.testing import MockProvider, MockResponse
from modelmesh_cdk import BaseStrategy

SIZES = {"small": 1, "big": 3, "also-big": 3}


class Biggest(BaseStrategy):
    id = "acme.biggest.v1"

    def score(self, candidate: Any, request: Any) -> float:
        return float(SIZES[candidate.model_id])


class Mock(MockProvider):
    def models(self) -> list[ModelInfo]:
        return [ModelInfo(name) for name in SIZES]


def client_of(strategy: Any, provider: Any = None, **pool: Any) -> Any:
    raw = {
        "providers": {"p": {"instance": provider or Mock()}},
        "pools": {"chat-completion": {"strategy_instance": strategy, **pool}},
    }
    return modelmesh.create(config=raw)


def ask(client: Any, **more: Any) -> Any:
    return client.chat.completions.create(model="chat-completion", messages=[], **more)


def test_select_returns_highest_score_and_earlier_on_tie() -> None:
    with client_of(Biggest()) as client:
        assert ask(client).model == "big"
        rows = {row.model: (row.score, row.selected) for row in client.explain("chat-completion").candidates}
        assert rows == {"small": (1.0, False), "big": (3.0, True), "also-big": (3.0, False)}
        assert client.explain("chat-completion").reason == "highest score, 3"


def test_select_without_score_follows_pool_order() -> None:
    with client_of(BaseStrategy(), models=["also-big", "small"]) as client:
        assert ask(client).model == "also-big"


@pytest.mark.parametrize("wrapped", [False, True])
def test_select_can_be_overridden(wrapped: bool) -> None:
    class Last(BaseStrategy):
        id = "acme.last.v1"

        def select(self, candidates: Any, request: Any) -> Any:
            assert len(candidates) == 3
            last = list(candidates)[-1]
            return SelectionResult(last, 9.0, "the last") if wrapped else last

    with client_of(Last()) as client:
        assert ask(client).model == "also-big"
        assert ask(client).explain().reason == ("the last" if wrapped else "chosen by acme.last.v1")


def test_strategy_receives_notifications() -> None:
    class Ear(Biggest):
        def __init__(self) -> None:
            super().__init__()
            self.heard: list[Any] = []

        def picked(self, candidate: Any, request: Any) -> None:
            self.heard.append(("picked", candidate.model_id, request.pool, request.session_id))

        def succeeded(self, candidate: Any, request: Any, outcome: Any) -> None:
            self.heard.append(("succeeded", candidate.model_id, outcome["usage"]["total_tokens"], outcome["seconds"] >= 0))

        def failed(self, candidate: Any, request: Any, error: Exception) -> None:
            self.heard.append(("failed", candidate.model_id, str(error)))

    ear = Ear()
    down = ProviderServerError("down", failure=FailureClass.SERVER, status=500)
    with client_of(ear, Mock([down, MockResponse("ok")])) as client:
        client.explain("chat-completion")
        assert ear.heard == []  # a dry run notifies no strategy
        ask(client, session_id="s")
    assert ear.heard == [
        ("picked", "big", "chat-completion", "s"),
        ("failed", "big", "down"),
        ("picked", "also-big", "chat-completion", "s"),
        ("succeeded", "also-big", 10, True),
    ]


def test_strategy_by_id_receives_the_settings_of_its_pool() -> None:
    made = []

    class Told(Biggest):
        def __init__(self, config: Any = None) -> None:
            super().__init__(config)
            made.append(self.config)

    modelmesh.register_connector("acme.told.v1", Told, replace=True)
    pool = {"strategy": "acme.told.v1", "model_priority": ["big"], "selection": {"colour": "red"}}
    with modelmesh.create(config={"providers": {"p": {"instance": Mock()}}, "pools": {"chat-completion": pool}}) as client:
        assert ask(client).model == "big"
    assert (made[0]["model_priority"], made[0]["colour"], made[0]["rate_limit"]["threshold"]) == (["big"], "red", 0.8)


def test_strategy_that_raises_is_named_in_the_error() -> None:
    class Bad(BaseStrategy):
        id = "acme.bad.v1"

        def score(self, candidate: Any, request: Any) -> float:
            raise ZeroDivisionError

    with client_of(Bad()) as client:
        with pytest.raises(ConnectorError, match=r"strategy 'acme.bad.v1' of pool 'chat-completion' raised ZeroDivisionError"):
            ask(client)
        assert client.mesh.list_models()[0].account.in_flight == 0
