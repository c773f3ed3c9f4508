"""Conformance tests of the rate-limit-aware strategy."""

from __future__ import annotations

from modelmesh_strategy_rate_limit_aware import RateLimitAware

from modelmesh_cdk.testing import StrategyConformance


class TestRateLimitAware(StrategyConformance):
    strategy_class = RateLimitAware


class TestRateLimitAwareWithAPace(StrategyConformance):
    strategy_class = RateLimitAware
    settings = {"rate_limit": {"threshold": 0.5, "min_delta": 1.0, "max_rpm": 2}}
