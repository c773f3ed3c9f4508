"""Conformance tests of the latency-first strategy."""

from __future__ import annotations

from modelmesh_strategy_latency_first import LatencyFirst

from modelmesh_cdk.testing import StrategyConformance


class TestLatencyFirst(StrategyConformance):
    strategy_class = LatencyFirst


class TestLatencyFirstWithALimit(StrategyConformance):
    strategy_class = LatencyFirst
    settings = {"max_latency_ms": 100}
