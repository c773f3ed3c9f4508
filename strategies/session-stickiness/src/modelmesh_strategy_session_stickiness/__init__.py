"""Session-stickiness: ``modelmesh.session-stickiness.v1``."""

from modelmesh_strategy_session_stickiness.strategy import SessionStickiness

__all__ = ["SessionStickiness"]
