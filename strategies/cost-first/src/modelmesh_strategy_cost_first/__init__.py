"""Cost-first strategy: ``modelmesh.cost-first.v1``."""

from modelmesh_strategy_cost_first.strategy import CostFirst

__all__ = ["CostFirst"]
