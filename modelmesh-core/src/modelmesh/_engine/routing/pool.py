"""The models of one capability: which are ready, which are able."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from modelmesh._engine.health.retry_policy import PoolPolicy
from modelmesh._engine.limits.token_counts import prompt_size
from modelmesh._engine.routing import standby_reasons as standby
from modelmesh._engine.routing.candidates import Candidate, Candidates
from modelmesh._engine.routing.counted_limits import counted_limits
from modelmesh._engine.routing.pacing import Pacer
from modelmesh._engine.routing.requirements import lacks, needs
from modelmesh._engine.routing.vector_spaces import VectorSpace
from modelmesh.contracts.operations import EMBEDDINGS
from modelmesh.errors import NoActiveModelError

if TYPE_CHECKING:
    from modelmesh._engine.health.circuit_breaker import ProviderHealth
    from modelmesh._engine.limits.counter import LimitCounter
    from modelmesh._engine.routing.standby_policy import StandbyPolicyRunner
    from modelmesh.contracts.call import Call
    from modelmesh.contracts.candidates import Candidate as CandidateView
    from modelmesh.contracts.candidates import CountedLimit
    from modelmesh.contracts.strategy import Strategy
from modelmesh._engine.health.registry import HealthRegistry
from modelmesh._engine.limits.reservations import Reservations, forecast

WINDOW_MARGIN = 2
"""A prompt must look this many times too long before its estimate alone rules a model out."""


class Pool:
    """The candidates that serve one virtual model name.

    Attributes:
        name: The virtual model name.
        capability: Canonical path of the node it targets, empty for a pool that only lists models.
        members: The candidates, in order.
        strategy: Decides which goes first.
        policy: The numbers it routes by.
        health: The health of its members.
        reservations: Counts what its attempts take.
        counters: What is counted against the pool as a whole.
        judge: Its own policies of standby and recovery, ``None`` where the circuits decide alone.
        pacer: How often requests may go to one member, ``None`` for any pace.
    """

    def __init__(
        self,
        name: str,
        capability: str,
        members: Sequence[Candidate],
        strategy: Strategy,
        health: HealthRegistry,
        policy: PoolPolicy | None = None,
        reservations: Reservations | None = None,
    ) -> None:
        self.name = name
        self.capability = capability
        self.members = tuple(members)
        self.strategy = strategy
        self.health = health
        self.policy = policy or PoolPolicy()
        self.reservations = Reservations(health) if reservations is None else reservations
        self.counters: list[LimitCounter] = []
        self.judge: StandbyPolicyRunner | None = None
        self.pacer: Pacer | None = None
        self._all = (1 << len(self.members)) - 1
        self._ready = 0
        self._closed = 0  # put in standby by hand
        self._rotated = 0  # of those, by rotate()
        self._blocked: dict[int, int] = {}  # accounts that are off or full: id -> mask
        self._account_off = 0
        self._position = {id(candidate): place for place, candidate in enumerate(self.members)}
        self._lacks: dict[str, int] = {}
        self._sized: dict[int, int] = {}  # context window -> mask
        self._windows: list[tuple[int, int]] = []
        self._refused: dict[str, int] = {}  # parameters that members refused lately
        self._accounts: dict[int, ProviderHealth] = {}
        self._by_account: dict[int, int] = {}
        self._by_provider: dict[str, int] = {}
        self._by_model: dict[str, int] = {}
        self.operations: frozenset[str] = frozenset()  # names; empty serves any
        self.total_requests = 0
        self.rotation_events = 0
        self._index()

    def _index(self) -> None:
        for place, candidate in enumerate(self.members):
            self._enter(place, candidate)
        self._settle(self._accounts.values())

    def _enter(self, place: int, candidate: Candidate) -> None:
        """Note under which names and with which limits a member is found."""
        bit, account, info = 1 << place, candidate.account, candidate.info
        candidate.memberships.append((self, place))
        self._accounts[id(account)] = account
        self._by_account[id(account)] = self._by_account.get(id(account), 0) | bit
        for name in {*account.names, account.provider_id}:
            self._by_provider[name] = self._by_provider.get(name, 0) | bit
        for name in names_of(candidate):
            self._by_model[name] = self._by_model.get(name, 0) | bit
        for need in lacks(info):
            self._lacks[need] = self._lacks.get(need, 0) | bit
        if info.context_window:
            self._sized[info.context_window] = self._sized.get(info.context_window, 0) | bit
        self.set_ready(place, on=candidate.health.ready)

    def _settle(self, accounts: Iterable[ProviderHealth]) -> None:
        """Bring up to date what depends on several members; the accounts are those that have got members."""
        for account in accounts:
            mask = self._by_account[id(account)]
            account.places = [row for row in account.places if row[0] is not self] + [(self, mask)]
            self.set_account(account, mask, on=account.ready and account.has_room)
        for account in self._accounts.values():
            self._by_provider[account.provider_id] = self._by_account[id(account)]  # a key names one entry alone
        small, windows = 0, []
        for window in sorted(self._sized):  # each entry: everything whose window is at most this
            small |= self._sized[window]
            windows.append((window, small))
        self._windows, self._watched = windows, frozenset(self._lacks)
        self._space = VectorSpace(() if self.policy.mixed_vectors else self.members)

    def admit(self, candidates: Sequence[Candidate]) -> None:
        """Take in more members, after the others; the places of those stay as they are."""
        if not candidates:
            return
        before = len(self.members)
        self.members = (*self.members, *candidates)  # another tuple: whoever has built on the members sees that
        self._all = (1 << len(self.members)) - 1
        for place, candidate in enumerate(candidates, before):
            self._position[id(candidate)] = place
            self._enter(place, candidate)
        self._settle({id(candidate.account): candidate.account for candidate in candidates}.values())

    def leave(self) -> None:
        """Take the members back from under the health book."""
        for candidate in self.members:
            candidate.memberships = [place for place in candidate.memberships if place[0] is not self]
            candidate.account.places = [place for place in candidate.account.places if place[0] is not self]

    # -- what the health book tells -------------------------------------------------------------------------------

    def set_ready(self, place: int, *, on: bool) -> None:
        """Take a member in or out."""
        bit = 1 << place
        self._ready = self._ready | bit if on else self._ready & ~bit

    def set_account(self, account: ProviderHealth, mask: int, *, on: bool) -> None:
        """Take all members of an account in or out."""
        if on:
            self._blocked.pop(id(account), None)
        else:
            self._blocked[id(account)] = mask
        self._account_off = 0
        for blocked in self._blocked.values():
            self._account_off |= blocked

    def set_refused(self, feature: str, place: int, *, on: bool) -> None:
        """Note that a member refuses a parameter, or that this is long enough ago."""
        mask = self._refused.get(feature, 0)
        mask = mask | 1 << place if on else mask & ~(1 << place)
        if mask:
            self._refused[feature] = mask
        else:
            self._refused.pop(feature, None)

    # -- masks ----------------------------------------------------------------------------------------------------

    @property
    def available(self) -> int:
        """Members that may be asked now."""
        return self._ready & ~self._closed & ~self._account_off

    @property
    def in_use(self) -> int:
        """Members that were not put in standby by hand."""
        return self._all & ~self._closed

    def able(self, call: Call) -> int:
        """Return the members that do not state they cannot serve the call, of the providers that it allows."""
        mask = self.allowed(call)
        mask &= ~self.other_spaces(call)
        if self._watched:
            for need in needs(call, self._watched):
                mask &= ~self._lacks[need]
        if self._windows:
            size = prompt_size(call).estimated
            if size > self._windows[0][0] * WINDOW_MARGIN:
                place = bisect_left(self._windows, size / WINDOW_MARGIN, key=lambda row: row[0]) - 1
                if place >= 0:
                    mask &= ~self._windows[place][1]
        for feature, refusing in self._refused.items():
            if feature.partition(".")[0] in call.payload:
                mask &= ~refusing
        return mask

    def other_spaces(self, call: Call | None = None) -> int:
        """Return members of other vector spaces, for a call or a pool that is about embeddings."""
        embeds = self.operations == {EMBEDDINGS.name} or (call is not None and call.operation.name == EMBEDDINGS.name)
        return self._space.others if embeds else 0

    def allowed(self, call: Call) -> int:
        """Return the members of the providers that a call allows; all where it names none."""
        only, mask = call.options.only_providers, 0
        for name in only:
            mask |= self.mask_of_provider(name)
        return mask if only else self._all

    def not_larger(self, candidate: Candidate) -> int:
        """Members whose stated context window is no larger than the candidate's; itself alone when it states none."""
        window = candidate.info.context_window
        found = 1 << self._position[id(candidate)]
        if window:
            place = bisect_right(self._windows, window, key=lambda row: row[0]) - 1
            found |= self._windows[place][1] if place >= 0 else 0
        return found

    def busy_accounts(self, among: int) -> list[ProviderHealth]:
        """Return the accounts of some members that are healthy and only have no free place."""
        healthy = among & self._ready & ~self._closed
        accounts = (self._accounts[key] for key in self._blocked if self._blocked[key] & healthy)
        return [account for account in accounts if account.ready]

    def of_account(self, account: ProviderHealth) -> int:
        """Return the members of an account that are neither in standby nor unavailable by themselves."""
        return self._by_account.get(id(account), 0) & self._ready & ~self._closed

    def accounts_among(self, mask: int) -> int:
        """Return how many accounts some members belong to."""
        return sum(1 for members in self._by_account.values() if members & mask)

    @property
    def rotated_out(self) -> int:
        """Members that ``rotate()`` put in standby and that are healthy: the last resort before a request fails."""
        return self._rotated & self._ready & ~self._account_off

    def position(self, candidate: object) -> int | None:
        """Return the position of a member, ``None`` for anything else."""
        return self._position.get(id(candidate))

    def subset(self, mask: int) -> Candidates:
        """Return the members at the positions of a mask."""
        return Candidates(self, mask)

    def mask_of_provider(self, name: str) -> int:
        """Members of a provider, by key, connector ID or provider name."""
        return self._by_provider.get(name, 0)

    def mask_of_model(self, model: str) -> int:
        """Members with a model ID, with or without the provider before it."""
        return self._by_model.get(model, 0)

    def mask_of_account(self, candidate: Candidate) -> int:
        """Members that share the candidate's account."""
        return self._by_account[id(candidate.account)]

    # -- what users see ---------------------------------------------------------------------------------------------

    @property
    def models(self) -> list[Candidate]:
        """The members, in order."""
        return list(self.members)

    def get_active_models(self) -> list[Candidate]:
        """Return the members that may be asked now."""
        return list(Candidates(self, self.available))

    def get_standby_models(self) -> list[Candidate]:
        """Return the members that may not be asked now."""
        return list(Candidates(self, self._all & ~self.available))

    def standby_reason(self, candidate: CandidateView, now: float) -> str | None:
        """Return why a member is in standby, ``None`` when it is active."""
        place = self._position[id(candidate)]
        if self._closed >> place & 1:
            return "put in standby by hand"
        member = self.members[place]
        found = standby.reasons(member, now, self.reservations.clock)
        return "; also ".join(found) if found else standby.full(member.account)

    def counted_limits(self, candidate: CandidateView, now: float) -> tuple[CountedLimit, ...]:
        """Return the configured limits of a member and of its provider account."""
        member = self.members[self._position[id(candidate)]]
        if not (member.health.counters or member.account.counters):
            return ()
        return tuple(counted_limits(member, now, self.reservations.clock))

    def unix_time(self, now: float) -> float:
        """Convert monotonic seconds to Unix seconds."""
        return self.reservations.clock.unix(now)

    def lacking(self, candidate: Candidate, call: Call) -> str | None:
        """Say what a member lacks for a call, ``None`` when nothing it states."""
        if self.other_spaces(call) >> self._position[id(candidate)] & 1:
            return self._space.reason(self.name)
        if not self.allowed(call) >> self._position[id(candidate)] & 1:
            return f"the call allows only {', '.join(sorted(call.options.only_providers))}"
        missing = [need for need in needs(call, self._watched) if self._lacks[need] >> self._position[id(candidate)] & 1]
        if missing:
            return f"states it lacks {', '.join(missing)}"
        refused = [feature for feature, mask in self._refused.items() if mask >> self._position[id(candidate)] & 1]
        if any(feature.partition(".")[0] in call.payload for feature in refused):
            return f"refused {', '.join(refused)} lately"
        window = candidate.info.context_window
        if window and prompt_size(call).estimated > window * WINDOW_MARGIN:
            return f"its context window of {window} tokens is too small"
        return None

    def forecasts(self, now: float) -> tuple[dict[str, Any], ...]:
        """Say of each limit of the pool and its members what is left until it begins anew."""
        rows = [forecast(counter, self.reservations.clock.unix(now)) for counter in self.counters]
        for candidate in self.members:
            rows += self.reservations.forecasts(candidate, now)
        return tuple({(row["of"], row["metric"], row["window"]): row for row in rows}.values())

    def deactivate(self, candidate: Candidate) -> None:
        """Put a member in standby by hand, until :meth:`recover`."""
        if not self.is_closed(candidate):
            self.health.record_manual("deactivated", candidate.health, self.name)
        self.close(candidate)
        self.rotation_events += 1

    def close(self, candidate: Candidate, *, rotated: bool = False) -> None:
        """Put a member in standby as it was in an earlier run; ``rotated`` keeps it as a last resort."""
        bit = 1 << self._position[id(candidate)]
        self._closed |= bit
        if rotated:
            self._rotated |= bit

    def is_rotated_out(self, candidate: Candidate) -> bool:
        """Return whether ``rotate()`` put a member in standby."""
        return bool(self._rotated >> self._position[id(candidate)] & 1)

    def open(self, candidate: Candidate) -> None:
        """Undo :meth:`close`, and nothing else."""
        self._closed &= ~(1 << self._position[id(candidate)])
        self._rotated &= self._closed

    def is_closed(self, candidate: Candidate) -> bool:
        """Whether a member was put in standby by hand."""
        return bool(self._closed >> self._position[id(candidate)] & 1)

    def recover(self, candidate: Candidate) -> None:
        """Make a member active again, whatever put it in standby; what its account has spent stays spent."""
        if self.is_closed(candidate) or not candidate.health.ready:
            self.health.record_manual("recovered", candidate.health, self.name)
        self.open(candidate)
        self.reservations.reset(candidate.health.counters)
        self.health.reset(candidate.health)
        if not candidate.account.ready:
            self.health.force_close(candidate.account)
        self.rotation_events += 1

    def rotate(self, current: Candidate) -> Candidate:
        """Put the current member in standby and return the next active one in pool order.

        Raises:
            NoActiveModelError: There is no other; the current one stays.
        """
        others = Candidates(self, self.available & ~self.other_spaces() & ~(1 << self._position[id(current)]))
        following = others.after(current)
        if following is None:
            message = (
                f"pool {self.name!r} has no other active model to rotate to; {current.model_id} stays. "
                "See the reasons with client.explain()."
            )
            raise NoActiveModelError(message, pool_name=self.name)
        self.deactivate(current)
        self.close(current, rotated=True)
        return following

    def __iter__(self) -> Iterator[Candidate]:
        return iter(self.members)

    def __repr__(self) -> str:
        return f"<Pool {self.name!r}: {self.available.bit_count()} of {len(self.members)} active>"


def names_of(candidate: Candidate) -> set[str]:
    """Return every name that a request may give a model, with or without its provider."""
    account, model = candidate.account, candidate.model_id
    return {model, *(f"{name}{sep}{model}" for name in (*account.names, account.provider_id) for sep in "./")}
