"""Priority selection: ``modelmesh.priority-selection.v1``."""

from modelmesh_strategy_priority_selection.strategy import PrioritySelection

__all__ = ["PrioritySelection"]
