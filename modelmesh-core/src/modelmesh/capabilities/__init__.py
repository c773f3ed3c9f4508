"""Capabilities: the tree, its short names and alias paths, and functions to look them up."""

from modelmesh.capabilities.lookup import list_all, resolve, search, tree
from modelmesh.capabilities.nodes import CapabilityNode, CapabilityTree, NodeType, standard_tree
from modelmesh.capabilities.operations import operation_of
from modelmesh.capabilities.predefined import PREDEFINED_POOLS

__all__ = [
    "PREDEFINED_POOLS",
    "CapabilityNode",
    "CapabilityTree",
    "NodeType",
    "list_all",
    "operation_of",
    "resolve",
    "search",
    "standard_tree",
    "tree",
]
