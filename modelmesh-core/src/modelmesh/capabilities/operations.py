"""The operation of a capability, by any of its names."""

from __future__ import annotations

from modelmesh.capabilities.derived import DERIVED
from modelmesh.capabilities.nodes import mesh_tree
from modelmesh.contracts.operations import CHAT, OPERATIONS, Operation, OperationScope, operation_of_capability


def operation_of(name: str) -> Operation:
    """Return the operation that serves a capability.

    Args:
        name: Short name, path or alias. A path without an operation of its own has that of the first capability below it, and a
            capability that no operation serves has an operation with its canonical path as the name.

    Example:
        >>> operation_of("tts").name, operation_of("translation.text").name
        ('audio.speech', 'transformation.translation')
    """
    tree = mesh_tree()
    node = tree.get_node(name)
    exact = operation_of_capability(name if node is None else node.path)
    if node is None or exact.name in OPERATIONS:
        return exact
    for path in DERIVED:
        one = tree.get_node(path)
        if one is not None and tree.covers(node, one):
            return CHAT
    for row in OPERATIONS.values():
        one = tree.get_node(row.capability) if row.scope is OperationScope.MODEL else None
        if one is not None and tree.covers(node, one):
            return row
    return exact
