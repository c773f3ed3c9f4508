"""Capabilities: a tree as data, the short names and alias paths that lead to its nodes, and questions about it."""

from modelmesh.capabilities.lookup import list_all, resolve, search, tree
from modelmesh.capabilities.nodes import CapabilityNode, CapabilityTree, NodeType, standard_tree
from modelmesh.capabilities.predefined import PREDEFINED_POOLS

__all__ = [
    "PREDEFINED_POOLS",
    "CapabilityNode",
    "CapabilityTree",
    "NodeType",
    "list_all",
    "resolve",
    "search",
    "standard_tree",
    "tree",
]
