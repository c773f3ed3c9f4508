"""Aliases of pools: further names under which applications request a pool."""

from __future__ import annotations

from collections.abc import Mapping

from modelmesh._engine.config.problems import Problems
from modelmesh._engine.config.schema import PoolSection
from modelmesh.capabilities.nodes import CapabilityTree


def check_aliases(sections: Mapping[str, PoolSection], tree: CapabilityTree, problems: Problems) -> None:
    """Record each alias that has another meaning already: that of a pool, of a capability or of an earlier alias.

    An alias may equal the name of a model. The alias then hides the plain name, and ``provider/model`` still names the model.

    Args:
        sections: The pools by name.
        tree: The capabilities.
        problems: Collects problems.
    """
    owners: dict[str, str] = {}
    for name, section in sections.items():
        for place, alias in enumerate(section.aliases):
            clash = _clash(alias, sections, tree, owners)
            if clash:
                what = f"the alias {alias!r} of the pool {name!r} is {clash}. Choose another name, or remove the alias"
                problems.add(("pools", name, "aliases", place), what)
            owners.setdefault(alias, name)


def _clash(alias: str, sections: Mapping[str, PoolSection], tree: CapabilityTree, owners: Mapping[str, str]) -> str:
    """Return the other meaning of an alias, empty without one."""
    if not alias.strip():
        return "empty"
    if alias in owners:
        return f"an alias of the pool {owners[alias]!r} already"
    if alias in sections:
        return "the name of a pool"
    node = tree.get_node(alias)
    return "" if node is None else f"the capability {node.path!r}"
