"""Load-balanced: ``modelmesh.load-balanced.v1``."""

from modelmesh_strategy_load_balanced.strategy import LoadBalanced

__all__ = ["LoadBalanced"]
