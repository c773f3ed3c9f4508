"""Conformance tests of the session-stickiness strategy."""

from __future__ import annotations

from modelmesh_strategy_session_stickiness import SessionStickiness

from modelmesh_cdk.testing import StrategyConformance


class TestSessionStickiness(StrategyConformance):
    strategy_class = SessionStickiness


class TestStrictSessionStickiness(StrategyConformance):
    strategy_class = SessionStickiness
    settings = {"affinity_mode": "strict", "session_timeout": "10m", "max_sessions": 2}
