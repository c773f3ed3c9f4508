"""Faulty strategies, each with one fault, and the standard test that detects it."""

from __future__ import annotations

import random
from typing import Any

from modelmesh.contracts.strategy import SelectionResult
from modelmesh_cdk import BaseStrategy
from modelmesh_cdk.testing import StrategyConformance


class Honest(BaseStrategy):
    """Correct strategy: rotates, and prefers cheap models among the rest."""

    id = "acme.honest.v1"

    def __init__(self, config: Any = None) -> None:
        super().__init__(config)
        self.last: Any = None

    def select(self, candidates: Any, request: Any) -> Any:
        return SelectionResult(candidates.after(self.last), 0.0, "its turn")

    def picked(self, candidate: Any, request: Any) -> None:
        self.last = candidate


class InsistsOnTheFirst(Honest):
    def select(self, candidates, request):
        return SelectionResult(candidates._pool.members[0], 0.0, "always the first")


class StaysWithWhatWorked(Honest):
    worked = None

    def succeeded(self, candidate, request, outcome):
        self.worked = candidate

    def select(self, candidates, request):
        return self.worked or super().select(candidates, request)


class AdvancesWhenItLooks(Honest):
    def select(self, candidates, request):
        self.last = candidates.after(self.last)
        return SelectionResult(self.last, 0.0, "its turn")


class DrawsItsOwnNumbers(Honest):
    def select(self, candidates, request):
        return random.choice(list(candidates))


class ChangesTheRequest(Honest):
    def succeeded(self, candidate, request, outcome):
        request.call.payload["temperature"] = 1


class ChangesItsSettings(Honest):
    def __init__(self, config=None):
        super().__init__(config)
        config["model_priority"].append("model-0")


class SharesItsMemory(Honest):
    asked: list[Any] = []

    def select(self, candidates, request):
        return list(candidates)[len(self.asked) % len(candidates)]

    def picked(self, candidate, request):
        self.asked.append(candidate)


class ScoresInWords(Honest):
    def score(self, candidate, request):
        return "good"


class ExplainsInManyLines(Honest):
    def select(self, candidates, request):
        return SelectionResult(candidates.after(self.last), 0.0, "its turn\nas it seems")


class CountsExplanations(Honest):
    looks = 0

    def score(self, candidate, request):
        self.looks += 1
        return 0.0

    def select(self, candidates, request):
        return list(candidates)[self.looks // 3 % len(candidates)]


class LooksAtTheClock(Honest):
    """Forecasts one model and selects another."""

    looks = 0

    def select(self, candidates, request):
        self.looks += 1
        return list(candidates)[0 if self.looks == 1 else -1]


class HasNoVersion(Honest):
    id = "acme.honest"


class HasAnotherId(Honest):
    id = "acme.another.v1"


class ImportsAPrivateName(Honest):
    __module__ = "imports_a_private_name"


FAKES: list[tuple[type, str]] = [
    (InsistsOnTheFirst, "test_choice_is_a_candidate"),
    (StaysWithWhatWorked, "test_choice_exists_after_any_history"),
    (AdvancesWhenItLooks, "test_select_is_repeatable"),
    (DrawsItsOwnNumbers, "test_select_with_same_seed_is_repeatable"),
    (ChangesTheRequest, "test_request_is_not_changed"),
    (ChangesItsSettings, "test_settings_are_not_changed"),
    (SharesItsMemory, "test_instances_share_no_state"),
    (ScoresInWords, "test_score_is_a_finite_number"),
    (ExplainsInManyLines, "test_reason_is_one_line"),
    (CountsExplanations, "test_explain_does_not_advance"),
    (LooksAtTheClock, "test_choice_receives_the_request"),
    (HasNoVersion, "test_id_follows_the_grammar"),
    (HasAnotherId, "test_id_equals_entry_point_name"),
    (ImportsAPrivateName, "test_package_imports_only_public_names"),
]
KIT = StrategyConformance


class TestHonest(StrategyConformance):
    strategy_class = Honest


for fake, _ in FAKES:
    name = f"Test{fake.__name__}"
    globals()[name] = type(name, (KIT,), {"strategy_class": fake, "__module__": __name__})
