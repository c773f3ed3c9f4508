"""A pool: the candidates of one virtual model name, and which of them are available."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from modelmesh._engine.health.changes import ChangeKind
from modelmesh._engine.health.health_registry import HealthRegistry
from modelmesh._engine.limits.reservations import Reservations
from modelmesh._engine.routing.availability import availability
from modelmesh._engine.routing.candidate_set import Candidates
from modelmesh._engine.routing.candidates import Candidate
from modelmesh._engine.routing.counted_limits import counted_limits
from modelmesh._engine.routing.eligibility import Eligibility
from modelmesh._engine.routing.limit_groups import limit_groups
from modelmesh._engine.routing.manual_standby import ManualStandby
from modelmesh._engine.routing.pacing import Pacer
from modelmesh._engine.routing.pool_index import PoolIndex
from modelmesh._engine.routing.pool_policy import PoolPolicy
from modelmesh.errors import NoActiveModelError

if TYPE_CHECKING:
    from modelmesh._engine.health.provider_health import ProviderHealth
    from modelmesh._engine.limits.counter import LimitCounter
    from modelmesh._engine.routing.standby_policy import StandbyPolicyRunner
    from modelmesh.contracts.call import Call
    from modelmesh.contracts.candidates import Candidate as CandidateView
    from modelmesh.contracts.candidates import CountedLimit
    from modelmesh.contracts.strategy import Strategy


class Pool:
    """The candidates that serve one virtual model name.

    It has more than 20 public methods because it implements three interfaces: the listener that the health registry notifies,
    the read-only view of strategies, and the object that ``client.list_pools()`` returns.

    Attributes:
        name: Virtual model name.
        origin: Name of the configured pool that its members come from.
        capability: Canonical path of the node it targets, empty for a pool that only lists models.
        aliases: Further names under which applications request it.
        members: The candidates, in order. When candidates are added, it becomes another tuple.
        strategy: Selects the candidate to try first.
        policy: Settings of retries, failover and circuit breakers.
        health: Health of its members.
        reservations: Counts what its attempts consume.
        counters: Limits of the pool as a whole.
        standby_policy: Runs its own policies of standby and recovery, ``None`` where the circuit breakers decide.
        pacer: Limits the request rate of each member, ``None`` for any rate.
        operations: Names of the operations it serves, empty for any.
        index: Masks of its members by name, feature and context window.
        manual_standby: Members that were put in standby by hand.
        total_requests: Attempts that were sent.
        rotation_events: Changes from one member to another.
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
        self.name = self.origin = name
        self.capability = capability
        self.aliases: tuple[str, ...] = ()
        self.members: tuple[Candidate, ...] = ()
        self.strategy = strategy
        self.health = health
        self.policy = policy or PoolPolicy()
        self.reservations = Reservations(health) if reservations is None else reservations
        self.counters: list[LimitCounter] = []
        self.standby_policy: StandbyPolicyRunner | None = None
        self.pacer: Pacer | None = None
        self.operations: frozenset[str] = frozenset()
        self.index = PoolIndex(mixed_vectors=self.policy.mixed_vectors)
        self.manual_standby = ManualStandby(self.index)
        self.total_requests = 0
        self.rotation_events = 0
        self._ready = 0
        self._unavailable_accounts: dict[int, int] = {}
        self._account_unavailable = 0
        self.add(members)

    # -- membership -----------------------------------------------------------------------------------------------------

    def add(self, candidates: Sequence[Candidate]) -> None:
        """Add candidates after the other members. Positions of the others do not change."""
        if not candidates:
            return
        first = len(self.members)
        self.members = (*self.members, *candidates)
        changed = self.index.add(self.members)
        for position, candidate in enumerate(candidates, first):
            candidate.memberships.append((self, position))
            candidate.health.add_listener(self, position)
            self.set_ready(position, on=candidate.health.ready)
        for account, mask in changed:
            account.add_listener(self, mask)
            self.set_account_ready(account, mask, on=account.ready and account.has_room)

    # -- notifications of the health registry ---------------------------------------------------------------------------

    def set_ready(self, position: int, /, *, on: bool) -> None:
        """Set whether the circuit breaker of a member allows requests."""
        bit = 1 << position
        self._ready = self._ready | bit if on else self._ready & ~bit

    def set_account_ready(self, account: object, mask: int, /, *, on: bool) -> None:
        """Set whether a provider account accepts a new request, for all its members."""
        if on:
            self._unavailable_accounts.pop(id(account), None)
        else:
            self._unavailable_accounts[id(account)] = mask
        self._account_unavailable = 0
        for members in self._unavailable_accounts.values():
            self._account_unavailable |= members

    def set_refused(self, feature: str, position: int, /, *, on: bool) -> None:
        """Set whether a member is excluded from requests with a parameter that it refused."""
        self.index.set_refused(feature, position, refused=on)

    # -- sets of members, as masks --------------------------------------------------------------------------------------

    @property
    def available(self) -> int:
        """Members that may be tried now."""
        found, manual = self._ready, self.manual_standby.mask
        if manual:
            found &= ~manual
        if self._account_unavailable:
            found &= ~self._account_unavailable
        return found

    @property
    def in_use(self) -> int:
        """Members that are not in standby by hand."""
        return self.index.all & ~self.manual_standby.mask

    @property
    def rotated_out(self) -> int:
        """Healthy members that ``rotate()`` put in standby: the last resort before a request fails."""
        return self.manual_standby.rotated & self._ready & ~self._account_unavailable

    def capable(self, call: Call) -> int:
        """Return the members that can serve a call, of the providers that it allows."""
        return self.index.capable(call, self.operations)

    def ready_of_account(self, account: ProviderHealth) -> int:
        """Return the members of an account that are neither in standby by hand nor unavailable by their own breaker."""
        return self.index.of_account(account) & self._ready & ~self.manual_standby.mask

    def accounts_at_capacity(self, among: int) -> list[ProviderHealth]:
        """Return the accounts of some members that are healthy and have no free slot."""
        healthy = among & self._ready & ~self.manual_standby.mask
        keys = (key for key, members in self._unavailable_accounts.items() if members & healthy)
        return [account for account in map(self.index.account, keys) if account.ready]

    # -- view of strategies ---------------------------------------------------------------------------------------------

    def position(self, candidate: object) -> int | None:
        """Return the position of a member, ``None`` for anything else."""
        return self.index.position(candidate)

    def subset(self, mask: int) -> Candidates:
        """Return the members at the positions of a mask."""
        return Candidates(self, mask)

    def mask_of_provider(self, name: str) -> int:
        """Return the positions of a provider's members, by key, connector ID or provider name."""
        return self.index.of_provider(name)

    def mask_of_model(self, model: str) -> int:
        """Return the positions of the members with a model ID, written with or without its provider."""
        return self.index.of_model(model)

    def availability(self, candidate: CandidateView, now: float) -> Eligibility:
        """Return whether a member is available, and why not."""
        member = self._member(candidate)
        return availability(member, now, self.reservations, manual=member in self.manual_standby)

    def standby_reason(self, candidate: CandidateView, now: float) -> str | None:
        """Return why a member is unavailable, ``None`` when it is available."""
        return self.availability(candidate, now).text or None

    def counted_limits(self, candidate: CandidateView, now: float) -> tuple[CountedLimit, ...]:
        """Return the configured limits of a member and of its provider account."""
        member = self._member(candidate)
        counters = self.reservations.counters_of(member.health)
        shared = self.reservations.counters_of(member.account)
        if not counters and not shared:
            return ()
        return tuple(counted_limits((*counters, *shared), now, self.reservations.clock))

    def limit_groups(self, now: float) -> Sequence[tuple[Sequence[int], Sequence[CountedLimit]]]:
        """Return the positions of the members with configured limits, in groups with equal limits."""
        return limit_groups(self.members, self.reservations, now)

    def unix_time(self, now: float) -> float:
        """Convert monotonic seconds to Unix seconds."""
        return self.reservations.clock.unix(now)

    def _member(self, candidate: object) -> Candidate:
        position = self.index.position(candidate)
        if position is None:
            message = f"{candidate} is not a member of pool {self.name!r}"
            raise KeyError(message)
        return self.members[position]

    # -- what users see and change --------------------------------------------------------------------------------------

    @property
    def models(self) -> list[Candidate]:
        """The members, in order."""
        return list(self.members)

    def get_active_models(self) -> list[Candidate]:
        """Return the members that may be tried now."""
        return list(self.subset(self.available))

    def get_standby_models(self) -> list[Candidate]:
        """Return the members that may not be tried now."""
        return list(self.subset(self.index.all & ~self.available))

    def deactivate(self, candidate: Candidate) -> None:
        """Put a member in standby by hand, until :meth:`recover`."""
        self._deactivate(candidate, rotated=False)

    def _deactivate(self, candidate: Candidate, *, rotated: bool) -> None:
        if candidate not in self.manual_standby:
            self.health.record_manual(ChangeKind.DEACTIVATED, candidate.health, self.name)
        self.manual_standby.add(candidate, rotated=rotated)
        self.record_rotation()

    def recover(self, candidate: Candidate) -> None:
        """Make a member active again, for any reason of its standby. Consumption of its provider account stays counted."""
        if candidate in self.manual_standby or not candidate.health.ready:
            self.health.record_manual(ChangeKind.RECOVERED, candidate.health, self.name)
        self.manual_standby.remove(candidate)
        self.reservations.reset(candidate.health)
        self.health.reset(candidate.health)
        for policy in candidate.standby_policies:
            policy.reset(candidate)
        if not candidate.account.ready:
            self.health.force_close(candidate.account)
        self.record_rotation()

    def rotate(self, current: Candidate) -> Candidate:
        """Put the current member in standby and return the next active one in pool order.

        Raises:
            NoActiveModelError: There is no other active member. The current one stays.
        """
        others = self.available & ~self.index.other_spaces(None, self.operations) & ~self.index.bit(current)
        following = self.subset(others).after(current)
        if following is None:
            message = (
                f"pool {self.name!r} has no other active model to rotate to; {current.model_id} stays. "
                "See the reasons with client.explain()."
            )
            raise NoActiveModelError(message, pool_name=self.name)
        self._deactivate(current, rotated=True)
        return following

    # -- counts ---------------------------------------------------------------------------------------------------------

    def record_request(self) -> None:
        """Count an attempt that is sent."""
        self.total_requests += 1

    def record_rotation(self) -> None:
        """Count a change from one member to another."""
        self.rotation_events += 1

    def restore_counts(self, total_requests: int, rotation_events: int) -> None:
        """Add the counts of earlier runs."""
        self.total_requests += total_requests
        self.rotation_events += rotation_events

    def __iter__(self) -> Iterator[Candidate]:
        return iter(self.members)

    def __repr__(self) -> str:
        return f"<Pool {self.name!r}: {self.available.bit_count()} of {len(self.members)} active>"


def pools_of(account: ProviderHealth) -> Iterator[tuple[Pool, int]]:
    """Yield the pools that contain models of a provider account, each with the mask of these models."""
    for listener, mask in account.listeners:
        if isinstance(listener, Pool):
            yield listener, mask
