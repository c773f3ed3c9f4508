"""Conformance tests of the round-robin strategy."""

from __future__ import annotations

from modelmesh_strategy_round_robin import RoundRobin

from modelmesh_cdk.testing import StrategyConformance


class TestRoundRobin(StrategyConformance):
    strategy_class = RoundRobin
