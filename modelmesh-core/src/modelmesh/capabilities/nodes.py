"""Capability tree: nodes, ancestors, and lookup by path or name.

anytree is not used: the lookup by alias and partial path is most of this module, and no tree library has it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import cache
from typing import Any

from attrs import define, field

from modelmesh._engine.foundation.suggestions import most_similar
from modelmesh.capabilities.taxonomy import (
    ALSO_UNDER,
    NAME_ALIASES,
    NOT_SHORT_NAMES,
    PATH_ALIASES,
    SEGMENT_ALIASES,
    TAXONOMY,
)


class NodeType(StrEnum):
    """Level of a node."""

    CATEGORY = "category"
    SUBCATEGORY = "subcategory"
    LEAF = "leaf"


@define(eq=False)
class CapabilityNode:
    """One capability.

    Attributes:
        path: Canonical dotted path, e.g. ``generation.text-generation.chat-completion``.
        name: Last segment of the path.
        parent: Parent node, ``None`` for a category.
        children: Child nodes by name.
        names: Every spelling of its segment, the canonical one first.
    """

    path: str
    name: str
    parent: CapabilityNode | None = field(default=None, repr=False)
    children: dict[str, CapabilityNode] = field(factory=dict, repr=False)
    names: tuple[str, ...] = field(default=(), repr=False)

    @property
    def is_leaf(self) -> bool:
        """Whether the node has no children."""
        return not self.children

    @property
    def type(self) -> NodeType:
        """Level of the node."""
        if self.parent is None:
            return NodeType.CATEGORY
        return NodeType.LEAF if self.is_leaf else NodeType.SUBCATEGORY


class CapabilityTree:
    """All capabilities of one mesh. A dotted path can be added, so a custom capability needs no alias."""

    def __init__(self, taxonomy: Mapping[str, Any] | None = None) -> None:
        self._roots: dict[str, CapabilityNode] = {}
        self._by_path: dict[str, CapabilityNode] = {}
        self._by_name: dict[str, list[CapabilityNode]] = {}
        self._shared_taxonomy: Mapping[str, Any] | None = None
        self._grow(None, taxonomy or {})

    @classmethod
    def sharing(cls, tree: CapabilityTree, taxonomy: Mapping[str, Any]) -> CapabilityTree:
        """Return a tree with the nodes of another one until a node is added to it.

        Most meshes add none, and their nodes would be half of the memory of an idle client. The first addition replaces all
        nodes, so nodes of such a tree must be compared by :meth:`covers` or by path.

        Args:
            tree: The other tree, to which nothing may be added.
            taxonomy: What the other tree contains.
        """
        shared = cls()
        shared._roots, shared._by_path, shared._by_name = tree._roots, tree._by_path, tree._by_name
        shared._shared_taxonomy = taxonomy
        return shared

    def _grow(self, parent: CapabilityNode | None, branch: Mapping[str, Any]) -> None:
        for name, below in branch.items():
            self._grow(self._insert(parent, name), below)

    def _insert(self, parent: CapabilityNode | None, name: str) -> CapabilityNode:
        if self._shared_taxonomy is not None:
            taxonomy, self._shared_taxonomy = self._shared_taxonomy, None
            self._roots, self._by_path, self._by_name = {}, {}, {}
            self._grow(None, taxonomy)
            parent = parent and self._by_path[parent.path]
        path = f"{parent.path}.{name}" if parent else name
        node = CapabilityNode(path, name, parent, names=(name, *SEGMENT_ALIASES.get(path, ())))
        (parent.children if parent else self._roots)[name] = node
        self._by_path[path] = node
        for alias in node.names:
            self._by_name.setdefault(alias, []).append(node)
        return node

    def get_node(self, path: str) -> CapabilityNode | None:
        """Return the node of a canonical path, an alias path, or a unique short name."""
        found = self._by_path.get(path) or self._by_path.get(PATH_ALIASES.get(path) or NAME_ALIASES.get(path, ""))
        if found is not None:
            return found
        if path in NOT_SHORT_NAMES:
            return None
        *above, last = path.split(".")
        matches = [node for node in self._by_name.get(last, ()) if self._fits(node, above)]
        return matches[0] if len(matches) == 1 else None

    @staticmethod
    def _fits(node: CapabilityNode, above: list[str]) -> bool:
        """Return whether every segment before the last one names an ancestor, in order. Levels may be skipped."""
        ancestor = node.parent
        for segment in reversed(above):
            while ancestor is not None and segment not in ancestor.names:
                ancestor = ancestor.parent
            if ancestor is None:
                return False
            ancestor = ancestor.parent
        return True

    def get_ancestors(self, node: CapabilityNode) -> list[CapabilityNode]:
        """Return the ancestors, parent first."""
        found = []
        while node.parent is not None:
            node = node.parent
            found.append(node)
        return found

    def get_descendants(self, node: CapabilityNode) -> list[CapabilityNode]:
        """Return every descendant, depth first."""
        found = []
        for child in node.children.values():
            found.append(child)
            found.extend(self.get_descendants(child))
        return found

    def get_leaves(self, node: CapabilityNode) -> list[CapabilityNode]:
        """Return the leaves below a node, or the node itself if it is a leaf."""
        if node.is_leaf:
            return [node]
        return [below for below in self.get_descendants(node) if below.is_leaf]

    def add_node(self, parent: str, name: str) -> CapabilityNode:
        """Add a capability. A leaf with a new child becomes a subcategory.

        Raises:
            KeyError: The parent does not exist.
        """
        above = self.get_node(parent)
        if above is None:
            raise KeyError(parent)
        return above.children.get(name) or self._insert(above, name)

    def ensure(self, path: str) -> CapabilityNode:
        """Return the node of a dotted path, and add its missing nodes."""
        found = self.get_node(path)
        if found is not None:
            return found
        above, _, name = path.rpartition(".")
        return self._insert(self.ensure(above) if above else None, name)

    def is_ancestor_of(self, ancestor: CapabilityNode, descendant: CapabilityNode) -> bool:
        """Return whether ``ancestor`` is a proper ancestor of ``descendant``."""
        return descendant.path.startswith(f"{ancestor.path}.")

    def covers(self, wanted: CapabilityNode, offered: CapabilityNode) -> bool:
        """Return whether a pool of ``wanted`` accepts a model with the capability ``offered``."""
        if wanted.path == offered.path or self.is_ancestor_of(wanted, offered):
            return True
        return any(wanted.path == node and offered.path in extra for node, extra in ALSO_UNDER.items())

    def list_categories(self) -> list[CapabilityNode]:
        """Return the top-level nodes."""
        return list(self._roots.values())

    def short_names(self) -> Iterator[str]:
        """Yield every canonical segment that is unique in the tree."""
        for name, nodes in self._by_name.items():
            if len(nodes) == 1 and nodes[0].name == name:
                yield name

    def suggest(self, name: str) -> str | None:
        """Return the known name most similar to a misspelt one."""
        known = [*self.short_names(), *NAME_ALIASES, *self._by_path]
        return most_similar(name, known)


def standard_tree() -> CapabilityTree:
    """Return a fresh tree with everything in :mod:`modelmesh.capabilities.taxonomy`."""
    return CapabilityTree(TAXONOMY)


@cache
def _standard() -> CapabilityTree:
    return standard_tree()


def mesh_tree() -> CapabilityTree:
    """Return the tree of one mesh: the nodes of all meshes until a custom capability is added."""
    return CapabilityTree.sharing(_standard(), TAXONOMY)
