"""Conformance tests of the priority-selection strategy."""

from __future__ import annotations

from modelmesh_strategy_priority_selection import PrioritySelection

from modelmesh_cdk.testing import StrategyConformance


class TestPrioritySelection(StrategyConformance):
    strategy_class = PrioritySelection


class TestPrioritySelectionWithPriorities(StrategyConformance):
    strategy_class = PrioritySelection
    settings = {"model_priority": ["model-3", "model-b"], "provider_priority": ["two"]}
