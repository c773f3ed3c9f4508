"""Configured limits of all members of a pool, read together: members with equal limits share one result.

A strategy reads all limits for its first choice. Most members of a large pool share the limits of their account, and most limits
are unused then, so that their windows need not be looked at.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from modelmesh._engine.health.model_health import ModelHealth
from modelmesh._engine.routing.counted_limits import counted_limits

if TYPE_CHECKING:
    from modelmesh._engine.health.provider_health import ProviderHealth
    from modelmesh._engine.limits.counter import LimitCounter
    from modelmesh._engine.limits.reservations import Reservations
    from modelmesh._engine.routing.candidates import Candidate
    from modelmesh.contracts.candidates import CountedLimit

LimitGroup = tuple[list[int], tuple["CountedLimit", ...]]
"""Positions of some members, and their limits."""


def limit_groups(members: Sequence[Candidate], reservations: Reservations, now: float) -> list[LimitGroup]:
    """Return the members with limits of requests or tokens, in groups with equal limits.

    Args:
        members: The members of a pool.
        reservations: Limits of the mesh.
        now: Monotonic seconds.
    """
    counters = reservations.counters_by_target
    if not counters:
        return []
    groups: dict[object, tuple[list[int], list[LimitCounter]]] = {}
    by_account: dict[ProviderHealth, list[int]] = defaultdict(list)
    any_own = any(isinstance(target, ModelHealth) for target in counters)
    for position, member in enumerate(members):
        own = counters.get(member.health) if any_own else None
        if not own:
            by_account[member.account].append(position)
            continue
        key = (_unused(own) or id(own), id(member.account))
        group = groups.get(key)
        if group is None:
            group = groups[key] = [], [*own, *counters.get(member.account, ())]
        group[0].append(position)
    for account, positions in by_account.items():
        shared = counters.get(account)
        if shared:
            groups[id(account)] = positions, list(shared)
    found = [(positions, tuple(counted_limits(limits, now, reservations.clock))) for positions, limits in groups.values()]
    return [(positions, limits) for positions, limits in found if limits]


def _unused(counters: Sequence[LimitCounter]) -> object:
    """Return a value that is equal for counters with equal limits of which nothing is used, ``None`` when something is."""
    key: list[object] = []
    for counter in counters:
        if counter.used or counter.reserved:
            return None
        limit = counter.limit
        key += (limit.metric, limit.amount, limit.window.period, limit.enforce)
    return tuple(key)
