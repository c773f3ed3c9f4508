"""Index of the members of a pool: names, providers, features, context windows and refused parameters, as bit masks.

Every set of members is an integer with one bit for each position, so a few ``&`` yield the members that can serve a request.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from modelmesh._engine.limits.token_counts import prompt_size
from modelmesh._engine.routing.native_calls import native_operations
from modelmesh._engine.routing.requirements import lacks, needs
from modelmesh._engine.routing.vector_spaces import VectorSpace
from modelmesh.contracts.operations import CHAT, EMBEDDINGS

if TYPE_CHECKING:
    from modelmesh._engine.health.provider_health import ProviderHealth
    from modelmesh._engine.routing.candidates import Candidate
    from modelmesh.contracts.call import Call
    from modelmesh.contracts.operations import Operation

_SERVED_BY_ALL = frozenset({CHAT.name, EMBEDDINGS.name})
"""Operations whose pools have rules of their own: derived capabilities, and vector spaces."""

WINDOW_MARGIN = 2
"""Factor by which the estimated prompt must exceed a context window before the model is excluded."""


class PoolIndex:
    """Masks of the members of one pool.

    Attributes:
        all: Every member.
        vector_space: The vector space that the pool serves embeddings in.
        offers: Returns whether a member has the capability of an operation. ``None`` where every member has it.
    """

    def __init__(self, *, mixed_vectors: bool = False) -> None:
        """Start without members.

        Args:
            mixed_vectors: Whether the pool may serve embeddings of several vector spaces.
        """
        self._mixed_vectors = mixed_vectors
        self._size = 0
        self._members: Sequence[Candidate] = ()
        self.all = 0
        self._position: dict[int, int] = {}
        self._lacks: dict[str, int] = {}
        self._features: frozenset[str] = frozenset()
        self._sized: dict[int, int] = {}
        self._windows: list[tuple[int, int]] = []
        self._refused: dict[str, int] = {}
        self._accounts: dict[int, ProviderHealth] = {}
        self._by_account: dict[int, int] = {}
        self._by_provider: dict[str, int] = {}
        self._by_model: dict[str, int] = {}
        self._by_native: dict[frozenset[str], int] = {}
        self.offers: Callable[[Candidate, Operation], bool] | None = None
        self._offering: dict[str, tuple[int, int]] = {}
        self.vector_space = VectorSpace(())

    # -- members ------------------------------------------------------------------------------------------------------

    def add(self, members: Sequence[Candidate]) -> list[tuple[ProviderHealth, int]]:
        """Add the members that follow the known ones; positions of known members stay.

        Args:
            members: All members of the pool, the known ones first.

        Returns:
            The provider accounts that got members, each with the mask of all its members.
        """
        new = members[self._size :]
        self._members = members
        for position, candidate in enumerate(new, self._size):
            self._add(position, candidate)
        self._size = len(members)
        self.all = (1 << self._size) - 1
        for account in self._accounts.values():
            self._by_provider[account.provider_id] = self._by_account[id(account)]  # a key names one entry only
        self._features = frozenset(self._lacks)
        self._windows = self._cumulative_windows()
        self.vector_space = VectorSpace(() if self._mixed_vectors else members)
        changed = {id(candidate.account): candidate.account for candidate in new}
        return [(account, self._by_account[key]) for key, account in changed.items()]

    def _add(self, position: int, candidate: Candidate) -> None:
        bit = 1 << position
        account, info = candidate.account, candidate.info
        self._position[id(candidate)] = position
        self._accounts[id(account)] = account
        self._by_account[id(account)] = self._by_account.get(id(account), 0) | bit
        natives = native_operations(candidate.provider)
        if natives:
            self._by_native[natives] = self._by_native.get(natives, 0) | bit
        for name in {*account.names, account.provider_id}:
            self._by_provider[name] = self._by_provider.get(name, 0) | bit
        for name in names_of(candidate):
            self._by_model[name] = self._by_model.get(name, 0) | bit
        for feature in lacks(info):
            self._lacks[feature] = self._lacks.get(feature, 0) | bit
        if info.context_window:
            self._sized[info.context_window] = self._sized.get(info.context_window, 0) | bit

    def _cumulative_windows(self) -> list[tuple[int, int]]:
        """Return each context window with the members of this or a smaller window, by size."""
        smaller = 0
        windows = []
        for window in sorted(self._sized):
            smaller |= self._sized[window]
            windows.append((window, smaller))
        return windows

    def position(self, candidate: object) -> int | None:
        """Return the position of a member, ``None`` for anything else."""
        return self._position.get(id(candidate))

    def bit(self, candidate: object) -> int:
        """Return the mask of one member.

        Raises:
            KeyError: It is not a member.
        """
        return 1 << self._position[id(candidate)]

    def account(self, key: int) -> ProviderHealth:
        """Return the provider account with an ``id()``."""
        return self._accounts[key]

    # -- members by name ------------------------------------------------------------------------------------------------

    def of_provider(self, name: str) -> int:
        """Return the members of a provider, by key, connector ID or provider name."""
        return self._by_provider.get(name, 0)

    def of_model(self, model: str) -> int:
        """Return the members with a model ID, written with or without its provider."""
        return self._by_model.get(model, 0)

    def of_account(self, account: ProviderHealth) -> int:
        """Return the members of a provider account."""
        return self._by_account.get(id(account), 0)

    def count_accounts(self, mask: int) -> int:
        """Return the number of provider accounts that some members belong to."""
        return sum(1 for members in self._by_account.values() if members & mask)

    # -- members that can serve a request -------------------------------------------------------------------------------

    def capable(self, call: Call, operations: frozenset[str]) -> int:
        """Return the members that can serve a call, of the providers that it allows.

        A member is excluded only for what its catalogue row states or what it refused within the last hour.

        Args:
            call: The request.
            operations: Names of the operations that the pool serves, empty for any.
        """
        mask = self.allowed(call) if call.options.only_providers else self.all
        if self.offers is not None and call.operation is not CHAT:
            mask &= self.may_serve(call.operation)
        if call.account is not None:
            mask &= self.of_provider(call.account)
        if call.native_only:
            mask &= self.native(call)
        if self.vector_space.others:
            mask &= ~self.other_spaces(call, operations)
        if self._features:
            for feature in needs(call, self._features):
                mask &= ~self._lacks[feature]
        if self._windows:
            mask &= ~self._too_small(call)
        for parameter, refusing in self._refused.items():
            if parameter.partition(".")[0] in call.payload:
                mask &= ~refusing
        return mask

    def _too_small(self, call: Call) -> int:
        """Return the members with a context window that is too small for a prompt."""
        size = prompt_size(call).estimated
        if size <= self._windows[0][0] * WINDOW_MARGIN:
            return 0
        index = bisect_left(self._windows, size / WINDOW_MARGIN, key=lambda row: row[0]) - 1
        return self._windows[index][1] if index >= 0 else 0

    def allowed(self, call: Call) -> int:
        """Return the members of the providers that a call allows, all of them when it names none."""
        names = call.options.only_providers
        if not names:
            return self.all
        mask = 0
        for name in names:
            mask |= self.of_provider(name)
        return mask

    def may_serve(self, operation: Operation) -> int:
        """Return the members that have the capability of an operation, by what their catalogue rows state."""
        if self.offers is None or operation.name in _SERVED_BY_ALL or not operation.capability:
            return self.all
        size, mask = self._offering.get(operation.name, (0, 0))
        if size != self._size:
            for position in range(size, self._size):
                mask |= self.offers(self._members[position], operation) << position
            self._offering[operation.name] = self._size, mask
        return mask

    def native(self, call: Call) -> int:
        """Return the members whose provider serves the caller's own form of a call."""
        mask, wanted = 0, (call.native or call).operation.name
        for operations, members in self._by_native.items():
            if wanted in operations:
                mask |= members
        return mask

    def other_spaces(self, call: Call | None, operations: frozenset[str]) -> int:
        """Return the members of other vector spaces, for a call or a pool that is about embeddings."""
        embeds = operations == {EMBEDDINGS.name} or (call is not None and call.operation.name == EMBEDDINGS.name)
        return self.vector_space.others if embeds else 0

    def missing_features(self, call: Call, bit: int) -> list[str]:
        """Return the features that a call needs and that a member states it lacks."""
        return [feature for feature in needs(call, self._features) if self._lacks[feature] & bit]

    def not_larger(self, candidate: Candidate) -> int:
        """Return the members with a context window of at most that of a member. Without a stated window, itself only."""
        window = candidate.info.context_window
        found = self.bit(candidate)
        if window:
            index = bisect_right(self._windows, window, key=lambda row: row[0]) - 1
            found |= self._windows[index][1] if index >= 0 else 0
        return found

    # -- refused parameters ---------------------------------------------------------------------------------------------

    def set_refused(self, parameter: str, position: int, *, refused: bool) -> None:
        """Set whether a member is excluded from requests with a parameter that it refused."""
        mask = self._refused.get(parameter, 0)
        mask = mask | 1 << position if refused else mask & ~(1 << position)
        if mask:
            self._refused[parameter] = mask
        else:
            self._refused.pop(parameter, None)

    def refused_parameters(self, bit: int) -> list[str]:
        """Return the parameters that a member refused within the last hour."""
        return [parameter for parameter, mask in self._refused.items() if mask & bit]


def names_of(candidate: Candidate) -> set[str]:
    """Return every name that a request may use for a model, with or without its provider."""
    account, model = candidate.account, candidate.model_id
    return {model, *(f"{name}{sep}{model}" for name in (*account.names, account.provider_id) for sep in "./")}
