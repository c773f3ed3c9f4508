"""From the name in a request to a pool."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from modelmesh._engine.foundation.wording import NAME_SHOWN, name_of, one_line
from modelmesh._engine.routing.pool import Pool
from modelmesh._engine.routing.pool_index import names_of
from modelmesh.capabilities.derived import DERIVED
from modelmesh.capabilities.nodes import CapabilityNode, CapabilityTree
from modelmesh.contracts.operations import CHAT, OPERATIONS
from modelmesh.errors import CapabilityNotFoundError

if TYPE_CHECKING:
    from modelmesh._engine.routing.candidates import Candidate
    from modelmesh.contracts.strategy import Strategy


class Router:
    """Knows every pool of a mesh.

    Attributes:
        lock: The mesh's, once it has one: a pool is made for a name while others change the health of its models.
    """

    def __init__(
        self,
        pools: Mapping[str, Pool],
        tree: CapabilityTree,
        plain: Callable[[], Strategy],
        offers: Callable[[Candidate, CapabilityNode], bool] | None = None,
    ) -> None:
        """Take over the pools.

        Args:
            pools: By virtual model name.
            tree: The capabilities they target.
            plain: Makes a strategy for the pool of one model that a request named itself.
            offers: Returns whether a candidate has a capability; by default every member has that of its pool.
        """
        self._offers = offers
        self._pools = dict(pools)
        self._tree = tree
        self._plain = plain
        self._found: dict[str, Pool] = dict(pools)
        self._own: dict[str, tuple[Pool, Pool]] = {}  # and the pool whose members it has
        self._parts: dict[str, tuple[Pool, Pool, CapabilityNode]] = {}  # of a pool on a node above, the members that have a node
        self.lock: AbstractContextManager[Any] = nullcontext()
        for pool in self._pools.values():
            pool.operations = self.operations_of(pool)

    def __repr__(self) -> str:
        return f"<Router of the pools {', '.join(self._pools) or 'none'}>"

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
            with self.lock:
                found = self._by_capability(name) or self._by_model(name)
            if found is None:
                raise self._unknown(name)
            if len(self._found) < 10_000:  # noqa: PLR2004 - callers choose the names; do not let them fill the memory
                self._found[name] = found
        return found

    def admitted(self, candidate: Candidate) -> None:
        """Let a new member of a pool also be found where requests name its model itself."""
        for name in names_of(candidate):
            own, whole = self._own.get(name, (None, None))
            if own is not None and whole is not None and whole.position(candidate) is not None:
                own.add([candidate])
                own.operations = self._operations_of_models(own.members)
        for part, whole, node in self._parts.values():
            if whole.position(candidate) is not None and self._offers is not None and self._offers(candidate, node):
                part.add([candidate])

    def operations_of(self, pool: Pool) -> frozenset[str]:
        """Return the operations whose capability a pool takes in; none when it takes in none of theirs."""
        target = self._tree.get_node(pool.capability) if pool.capability else None
        return frozenset() if target is None else self._operations_under(target)

    def _operations_of_models(self, members: Sequence[Candidate]) -> frozenset[str]:
        """Return the operations that models serve, by the pools they are in and by what they state; empty: any.

        A vendor that is asked for embeddings of a chat model refuses as it refuses a model that the account may not use,
        and that would take the model away from everybody else.
        """
        pools = [pool for pool in self._pools.values() if any(pool.position(member) is not None for member in members)]
        if not all(pool.operations for pool in pools):
            return frozenset()
        stated = [self._tree.get_node(name) for member in members for name in member.info.capabilities]
        return frozenset().union(*(pool.operations for pool in pools), *(self._operations_under(node) for node in stated if node))

    def _operations_under(self, node: CapabilityNode) -> frozenset[str]:
        served = [(row.name, row.capability) for row in OPERATIONS.values()] + [(CHAT.name, path) for path in DERIVED]
        below = [(name, self._tree.get_node(path)) for name, path in served]
        return frozenset(name for name, one in below if one is not None and self._tree.covers(node, one))

    def _by_capability(self, name: str) -> Pool | None:
        node = self._tree.get_node(name)
        if node is None:
            return None
        lineage = [node, *self._tree.get_ancestors(node)]
        for wanted in lineage:
            for pool in self._pools.values():
                if pool.capability == wanted.path:
                    found = pool if wanted is node else self._part(name, pool, node)
                    if found is not None:
                        return found
        return None

    def _part(self, name: str, whole: Pool, node: CapabilityNode) -> Pool | None:
        """Return a pool of the members that have a capability below the pool's own; ``None`` where there is none."""
        if self._offers is None:
            return whole
        members = [member for member in whole.members if self._offers(member, node)]
        if len(members) == len(whole.members):
            return whole
        if not members:
            return None
        part = Pool(name, node.path, members, self._plain(), whole.health, whole.policy, whole.reservations)
        part.pacer, part.counters = (
            whole.pacer,
            whole.counters,
        )  # its limits hold for its models by whatever name they are requested
        part.operations = self.operations_of(part)
        self._parts[name] = part, whole, node
        return part

    def _by_model(self, name: str) -> Pool | None:
        if name in self._own:
            return self._own[name][0]
        for pool in self._pools.values():
            mask = pool.mask_of_model(name)
            if mask:
                members = [member for place, member in enumerate(pool.members) if mask >> place & 1]
                own = Pool(name, pool.capability, members, self._plain(), pool.health, pool.policy, pool.reservations)
                own.pacer = pool.pacer
                own.counters = pool.counters  # its budget holds for its models by whatever name they are asked
                own.operations = self._operations_of_models(members)
                self._own[name] = own, pool
                return own
        return None

    def _unknown(self, name: str) -> CapabilityNotFoundError:
        known = list(self._pools)
        short = len(name) <= NAME_SHOWN
        near = next(iter(get_close_matches(name, known, n=1, cutoff=0.6)), None) or self._tree.suggest(name) if short else None
        near = None if near == name else near  # a capability that is known, and that no pool has
        hint = f" Did you mean {near!r}?" if near else ""
        pools = one_line(", ".join(known)) or "no pool"
        message = f"no pool serves {name_of(name)}.{hint} This client has: {pools}. {self._advice(name, known)}"
        return CapabilityNotFoundError(message, pool_name=name[:NAME_SHOWN], details={"pools": known})

    def _advice(self, name: str, known: Sequence[str]) -> str:
        """Return what to do about a name that no pool serves: a capability gets a pool, a model is put into one."""
        if self._tree.get_node(name) is not None:
            return f"Name a pool in model=…, or add the capability: create({name!r})."
        example = known[0] if known else "chat-completion"
        return (
            f"Name the pool in model=…, e.g. model={example!r}; its strategy chooses the model. To call a model by its name, or "
            "to add a pool of that name, write it into create(config=…): pools: {<name>: {models: [<provider>/<model>]}}."
        )
