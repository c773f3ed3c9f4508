"""Lookups in the standard capability tree."""

from __future__ import annotations

from functools import cache
from typing import Any

from modelmesh.capabilities.nodes import CapabilityNode, CapabilityTree, standard_tree


@cache
def _tree() -> CapabilityTree:
    return standard_tree()


def list_all() -> list[str]:
    """Return every short capability name, sorted."""
    return sorted(_tree().short_names())


def resolve(name: str) -> str:
    """Return the canonical path of a short name.

    A dotted path and an unknown name are returned unchanged. Therefore compare nodes of the tree, not these strings.

    Example:
        >>> resolve("chat-completion")
        'generation.text-generation.chat-completion'
    """
    if "." in name:
        return name
    node = _tree().get_node(name)
    return node.path if node else name


def search(keyword: str) -> list[str]:
    """Return the short names that contain a keyword in any case, first those that begin with it."""
    word = keyword.lower()
    found = [name for name in list_all() if word in name]
    return sorted(found, key=lambda name: (not name.startswith(word), name))


def tree() -> dict[str, Any]:
    """Return the whole tree as nested dictionaries. A leaf is ``{}``."""

    def nested(node: CapabilityNode) -> dict[str, Any]:
        return {child.name: nested(child) for child in node.children.values()}

    return {category.name: nested(category) for category in _tree().list_categories()}
