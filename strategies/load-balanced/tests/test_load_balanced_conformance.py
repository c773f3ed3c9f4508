"""Conformance tests of the load-balanced strategy."""

from __future__ import annotations

from modelmesh_strategy_load_balanced import LoadBalanced

from modelmesh_cdk.testing import StrategyConformance


class TestLoadBalanced(StrategyConformance):
    strategy_class = LoadBalanced


class TestLoadBalancedWithWeights(StrategyConformance):
    strategy_class = LoadBalanced
    settings = {"weights": {"model-3": 5, "model-4": 0, "two": 0.5}}
