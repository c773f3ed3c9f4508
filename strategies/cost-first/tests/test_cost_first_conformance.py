"""Conformance tests of the cost-first strategy."""

from __future__ import annotations

from modelmesh_strategy_cost_first import CostFirst

from modelmesh.contracts.models import ModelPricing
from modelmesh_cdk.testing import StrategyConformance


class TestCostFirst(StrategyConformance):
    strategy_class = CostFirst


class TestCostFirstWithoutPrices(StrategyConformance):
    strategy_class = CostFirst
    prices = (None,)


class TestCostFirstWithEqualPrices(StrategyConformance):
    strategy_class = CostFirst
    prices = (ModelPricing(0.001, 0.002),)
