"""Resolution of the name in a request to a pool."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from attrs import define, field

from modelmesh._engine.foundation.suggestions import most_similar, suggestion
from modelmesh._engine.foundation.wording import MAX_NAME_CHARS, one_line, quote_name
from modelmesh._engine.routing.pool import Pool
from modelmesh._engine.routing.pool_index import names_of
from modelmesh.capabilities.derived import DERIVED
from modelmesh.capabilities.nodes import CapabilityNode, CapabilityTree
from modelmesh.contracts.operations import CHAT, OPERATIONS, REALTIME
from modelmesh.errors import CapabilityNotFoundError

if TYPE_CHECKING:
    from modelmesh._engine.routing.candidates import Candidate
    from modelmesh.contracts.caller import Caller
    from modelmesh.contracts.operations import Operation
    from modelmesh.contracts.strategy import Strategy


MAX_FOUND = 10_000
"""Names with a remembered pool."""


@define(eq=False)
class _Part:
    """Part of a pool for callers that may not use the pool that a name usually means: its models of a capability or of a name."""

    whole: Pool
    name: str
    node: CapabilityNode | None
    pool: Pool = field(init=False)


class Router:
    """The pools of a mesh.

    Attributes:
        lock: Lock of the mesh, held while a pool is created for a name.
    """

    def __init__(
        self,
        pools: Mapping[str, Pool],
        tree: CapabilityTree,
        make_strategy: Callable[[], Strategy],
        offers: Callable[[Candidate, CapabilityNode], bool] | None = None,
    ) -> None:
        """Set the pools.

        Args:
            pools: Pools by virtual model name.
            tree: Capabilities that they target.
            make_strategy: Creates a strategy for a pool that is created for a name.
            offers: Returns whether a candidate has a capability. By default every member has that of its pool.
        """
        self._offers = offers
        self._pools = dict(pools)
        self._tree = tree
        self._make_strategy = make_strategy
        self._aliases = {alias: pool for pool in self._pools.values() for alias in pool.aliases}
        self._found: dict[str, Pool] = self._aliases | self._pools
        self._allowed_parts: dict[tuple[str, frozenset[str]], _Part] = {}  # by name and allowed pools
        # A pool of one model or of one capability, with the pool that its members come from.
        self._model_pools: dict[str, tuple[Pool, Pool]] = {}
        self._sub_pools: dict[
            str, tuple[Pool, Pool, CapabilityNode]
        ] = {}  # pool of a capability, the pool of the capability above, and the node
        self.lock: AbstractContextManager[Any] = nullcontext()
        for pool in self._pools.values():
            pool.operations = self.operations_of(pool)
            pool.index.offers = self._serves

    def __repr__(self) -> str:
        return f"<Router of the pools {', '.join(self._pools) or 'none'}>"

    def list_pools(self) -> list[Pool]:
        """Return every pool, in order of definition."""
        return list(self._pools.values())

    def get_pool(self, name: str) -> Pool:
        """Return a pool by its exact name or by an alias.

        Raises:
            CapabilityNotFoundError: No pool has this name. It is also a ``KeyError``.
        """
        pool = self._pools.get(name) or self._aliases.get(name)
        if pool is None:
            raise self._unknown(name)
        return pool

    def resolve(self, name: str, operation: Operation = CHAT, allowed: frozenset[str] | None = None) -> Pool:
        """Return the pool of a name: a pool, else its alias, else the nearest pool of a capability, else the pool of a model.

        Args:
            name: ``model`` of the request.
            operation: Operation of the request. The error for an unknown name recommends a pool that serves it.
            allowed: Pools that the error may name, ``None`` for all.

        Raises:
            CapabilityNotFoundError: No pool serves the name.
        """
        found = self._found.get(name)
        if found is None:
            with self.lock:
                found = self._by_capability(name) or self._by_model(name)
            if found is None:
                raise self._unknown(name, operation, allowed)
            if len(self._found) < MAX_FOUND:  # callers choose the names, so the cache is bounded
                self._found[name] = found
        return found

    def resolve_for(self, caller: Caller, name: str, operation: Operation = CHAT) -> Pool:
        """Return the pool of a name for a caller. A model in several pools is served by one that the caller may use.

        Args:
            caller: The caller.
            name: ``model`` of the request.
            operation: Operation of the request.

        Raises:
            CapabilityNotFoundError: No pool serves the name.
            ModelNotAllowedError: The caller may use no pool that serves it.
        """
        allowed = caller.pools
        found = self.resolve(name, operation, allowed)
        if allowed is None or found.origin in allowed:
            return found
        key = (name, allowed)
        part = self._allowed_parts.get(key)
        if part is None:
            with self.lock:
                part = self._allowed_part(name, [pool for pool in self._pools.values() if pool.name in allowed])
            if part is None:
                from modelmesh._engine.routing.caller_rights import not_allowed  # noqa: PLC0415 - only for the error

                raise not_allowed(caller, name)
            if len(self._allowed_parts) < MAX_FOUND:
                self._allowed_parts[key] = part
        return part.pool

    def _allowed_part(self, name: str, pools: Sequence[Pool]) -> _Part | None:
        """Return the part of a pool that serves a capability or a model. The name of a pool means only that pool."""
        if name in self._pools:
            return None
        node = self._tree.get_node(name)
        lineage = {one.path for one in (node, *self._tree.get_ancestors(node))} if node is not None else frozenset()
        for pool in pools:
            part = _Part(pool, name, node if pool.capability in lineage else None)
            members = [one for one in pool.members if self._belongs(part, one)]
            if members:
                part.pool = self._derived_pool(name, node.path if part.node and node else pool.capability, members, pool)
                part.pool.operations = self._operations_of_models(members)
                return part
        return None

    def _belongs(self, part: _Part, candidate: Candidate) -> bool:
        if part.node is None:
            return part.name in names_of(candidate)
        return part.node.path == part.whole.capability or self._offers is None or self._offers(candidate, part.node)

    def add_candidate(self, candidate: Candidate) -> None:
        """Add a new member of a pool to the pools that were created for its names."""
        for name in names_of(candidate):
            own, whole = self._model_pools.get(name, (None, None))
            if own is not None and whole is not None and whole.position(candidate) is not None:
                own.add([candidate])
                own.operations = self._operations_of_models(own.members)
        for part, whole, node in self._sub_pools.values():
            if whole.position(candidate) is not None and self._offers is not None and self._offers(candidate, node):
                part.add([candidate])
        for one in self._allowed_parts.values():
            if one.whole.position(candidate) is not None and self._belongs(one, candidate):
                one.pool.add([candidate])

    def operations_of(self, pool: Pool) -> frozenset[str]:
        """Return the operations with a capability at or below that of a pool, empty without any."""
        target = self._tree.get_node(pool.capability) if pool.capability else None
        return frozenset() if target is None else self._operations_under(target)

    def _serves(self, candidate: Candidate, operation: Operation) -> bool:
        """Return whether a model has the capability of an operation. One that states no capability may have it."""
        node = self._tree.get_node(operation.capability)
        if node is None or self._offers is None or not candidate.info.capabilities:
            return True
        return self._offers(candidate, node)

    def _operations_of_models(self, members: Sequence[Candidate]) -> frozenset[str]:
        """Return the operations that models serve, by their pools and their stated capabilities. Empty means any.

        Without this check, a request for embeddings of a chat model would fail like one for a forbidden model, and make the model
        unavailable for all requests.
        """
        pools = [pool for pool in self._pools.values() if any(pool.position(member) is not None for member in members)]
        if not all(pool.operations for pool in pools):
            return frozenset()
        stated = [self._tree.get_node(name) for member in members for name in member.info.capabilities]
        return frozenset().union(*(pool.operations for pool in pools), *(self._operations_under(node) for node in stated if node))

    def _operations_under(self, node: CapabilityNode) -> frozenset[str]:
        served = [(row.name, row.capability) for row in (*OPERATIONS.values(), REALTIME)]
        served += [(CHAT.name, path) for path in DERIVED]
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
                    found = pool if wanted is node else self._sub_pool(name, pool, node)
                    if found is not None:
                        return found
        return None

    def _sub_pool(self, name: str, whole: Pool, node: CapabilityNode) -> Pool | None:
        """Return a pool of the members with a capability below that of the pool, ``None`` without such members."""
        if self._offers is None:
            return whole
        members = [member for member in whole.members if self._offers(member, node)]
        if len(members) == len(whole.members):
            return whole
        if not members:
            return None
        part = self._derived_pool(name, node.path, members, whole)
        part.operations = self.operations_of(part)
        self._sub_pools[name] = part, whole, node
        return part

    def _by_model(self, name: str) -> Pool | None:
        if name in self._model_pools:
            return self._model_pools[name][0]
        for pool in self._pools.values():
            mask = pool.mask_of_model(name)
            if mask:
                members = [member for place, member in enumerate(pool.members) if mask >> place & 1]
                own = self._derived_pool(name, pool.capability, members, pool)
                own.operations = self._operations_of_models(members)
                self._model_pools[name] = own, pool
                return own
        return None

    def _derived_pool(self, name: str, capability: str, members: Sequence[Candidate], source: Pool) -> Pool:
        """Return a pool for some members of another one, which shares its limits."""
        pool = Pool(name, capability, members, self._make_strategy(), source.health, source.policy, source.reservations)
        pool.origin = source.origin
        pool.index.offers = self._serves
        pool.pacer = source.pacer
        pool.counters = source.counters
        return pool

    def _unknown(self, name: str, operation: Operation = CHAT, allowed: frozenset[str] | None = None) -> CapabilityNotFoundError:
        listed = [pool for pool in self._pools.values() if allowed is None or pool.name in allowed]
        known, aliases = [pool.name for pool in listed], [alias for pool in listed for alias in pool.aliases]
        misspelt = len(name) <= MAX_NAME_CHARS and self._tree.get_node(name) is None
        near = most_similar(name, [*known, *aliases]) or self._tree.suggest(name) if misspelt else None
        hint = suggestion(near)
        pools = one_line(", ".join(known)) or "no pool"
        message = f"no pool serves {quote_name(name)}.{hint} Pools: {pools}. {self._advice(name, operation, listed)}"
        return CapabilityNotFoundError(message, pool_name=name[:MAX_NAME_CHARS], details={"pools": known})

    def _advice(self, name: str, operation: Operation, pools: Sequence[Pool]) -> str:
        """Return an advice for a name that no pool serves: add the capability, or add the model to a pool."""
        if self._tree.get_node(name) is not None:
            in_file = f"pools: {{{name}: {{}}}} in the configuration"
            return f"Name a pool in model=…, or add one with this capability: create({name!r}), or {in_file}."
        serving = [pool.name for pool in pools if operation.name in pool.operations]
        example = next(iter([*serving, *(pool.name for pool in pools)]), "chat-completion")
        return (
            f"Name the pool in model=…, for example model={example!r}. Its strategy selects the model. To call a model by name, "
            "or to add a pool of that name, add to the configuration: pools: {<name>: {models: [<provider>/<model>]}}."
        )
