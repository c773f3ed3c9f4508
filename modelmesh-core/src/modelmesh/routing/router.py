"""From the name in a request to a pool."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING

from modelmesh.capabilities.nodes import CapabilityTree
from modelmesh.errors import CapabilityNotFoundError
from modelmesh.operations import OPERATIONS
from modelmesh.routing.pool import Pool

if TYPE_CHECKING:
    from modelmesh.contracts.strategy import Strategy
    from modelmesh.routing.candidates import Candidate


class Router:
    """Knows every pool of a mesh."""

    def __init__(self, pools: Mapping[str, Pool], tree: CapabilityTree, plain: Callable[[], Strategy]) -> None:
        """Take over the pools.

        Args:
            pools: By virtual model name.
            tree: The capabilities they target.
            plain: Makes a strategy for the pool of one model that a request named itself.
        """
        self._pools = dict(pools)
        self._tree = tree
        self._plain = plain
        self._found: dict[str, Pool] = dict(pools)
        self._own: dict[str, Pool] = {}
        for pool in self._pools.values():
            pool.operations = self.operations_of(pool)

    def list_pools(self) -> list[Pool]:
        """Return every pool, in order of definition."""
        return list(self._pools.values())

    def get_pool(self, name: str) -> Pool:
        """Return a pool by its exact name.

        Raises:
            CapabilityNotFoundError: There is none; it also is a ``KeyError``.
        """
        pool = self._pools.get(name)
        if pool is None:
            raise self._unknown(name)
        return pool

    def resolve(self, name: str) -> Pool:
        """Find who serves a name: a pool, else a capability's nearest pool, else a registered model.

        Args:
            name: What stands in the request's ``model``.

        Raises:
            CapabilityNotFoundError: Nobody does.
        """
        found = self._found.get(name)
        if found is None:
            found = self._by_capability(name) or self._by_model(name)
            if found is None:
                raise self._unknown(name)
            if len(self._found) < 10_000:  # noqa: PLR2004 - callers choose the names; do not let them fill the memory
                self._found[name] = found
        return found

    def admitted(self, candidate: Candidate) -> None:
        """Let a new member of a pool also be found where requests name its model itself."""
        for name, own in self._own.items():
            if any(pool is not own and pool.mask_of_model(name) >> place & 1 for pool, place in tuple(candidate.places)):
                own.admit(candidate)

    def operations_of(self, pool: Pool) -> frozenset[str]:
        """Return the operations whose capability a pool takes in; none when it takes in none of theirs."""
        target = self._tree.get_node(pool.capability) if pool.capability else None
        if target is None:
            return frozenset()
        served = {row.name: self._tree.get_node(row.capability) for row in OPERATIONS.values()}
        return frozenset(name for name, node in served.items() if node is not None and self._tree.covers(target, node))

    def _by_capability(self, name: str) -> Pool | None:
        node = self._tree.get_node(name)
        if node is None:
            return None
        lineage = [node, *self._tree.get_ancestors(node)]
        for wanted in lineage:
            for pool in self._pools.values():
                if pool.capability == wanted.path:
                    return pool
        return None

    def _by_model(self, name: str) -> Pool | None:
        if name in self._own:
            return self._own[name]
        for pool in self._pools.values():
            mask = pool.mask_of_model(name)
            if mask:
                members = [member for place, member in enumerate(pool.members) if mask >> place & 1]
                own = Pool(name, pool.capability, members, self._plain(), pool.book, pool.policy, pool.ledger)
                own.meters = pool.meters  # its budget holds for its models by whatever name they are asked
                self._own[name] = own
                return own
        return None

    def _unknown(self, name: str) -> CapabilityNotFoundError:
        known = list(self._pools)
        near = next(iter(get_close_matches(name, known, n=1, cutoff=0.6)), None) or self._tree.suggest(name)
        near = None if near == name else near  # a capability that is known, and that no pool has
        hint = f" Did you mean {near!r}?" if near else ""
        message = (
            f"no pool serves {name!r}.{hint} This client has: {', '.join(known) or 'no pool'}. "
            f"Name one of them in model=…, or add the pool: create({name!r}), or create(config=…) with a pool of that name."
        )
        return CapabilityNotFoundError(message, pool_name=name, details={"pools": known})
