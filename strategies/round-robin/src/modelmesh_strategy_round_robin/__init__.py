"""Round-robin: ``modelmesh.round-robin.v1``."""

from modelmesh_strategy_round_robin.strategy import RoundRobin

__all__ = ["RoundRobin"]
