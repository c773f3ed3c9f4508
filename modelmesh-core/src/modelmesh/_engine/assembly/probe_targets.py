"""Selection of the provider accounts that a mesh probes, by the ``recovery`` section of each pool."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from modelmesh.contracts.provider import Probing

if TYPE_CHECKING:
    from modelmesh._engine.assembly.provider_entry import ProviderEntry
    from modelmesh._engine.background.probes import ProbeTarget
    from modelmesh._engine.background.watches import DiscoveryWatch
    from modelmesh._engine.config.schema import PoolSection
    from modelmesh._engine.routing.router import Router

_log = logging.getLogger("modelmesh.probing")


def probe_targets(
    router: Router, sections: Mapping[str, PoolSection], providers: Mapping[str, ProviderEntry]
) -> list[ProbeTarget]:
    """Return the accounts that some pool wants probed, if the connector has a ``probe`` method."""
    from modelmesh._engine.background.probes import ProbeTarget  # noqa: PLC0415 - create() needs no probes without a setting

    targets: dict[int, ProbeTarget] = {}
    for pool in router.list_pools():
        section = sections[pool.name]
        recovery, is_manual = section.recovery, section.provider_recovery == "on_manual"
        if not recovery.probe_on_start and recovery.probe_interval is None:
            continue
        for account in {id(c.account): c.account for c in pool.members}.values():
            entry = providers.get(account.provider_id)
            if entry is None or not isinstance(entry.provider, Probing):
                _log.info("%s has no probe(): a request will find out whether it is up again", account.provider_id)
                continue
            target = targets.setdefault(id(account), ProbeTarget(account, entry.provider))
            target.on_start |= bool(recovery.probe_on_start)
            target.is_manual |= is_manual
            if recovery.probe_interval is not None:
                shortest = recovery.probe_interval if target.interval is None else min(target.interval, recovery.probe_interval)
                target.interval = shortest
    return list(targets.values())


def has_probes(sections: Mapping[str, PoolSection]) -> bool:
    """Return whether a pool probes accounts, now or after models join it."""
    return any(one.recovery.probe_on_start or one.recovery.probe_interval is not None for one in sections.values())


def late_probe_intervals(sections: Mapping[str, PoolSection], watches: Iterable[DiscoveryWatch]) -> frozenset[float]:
    """Return the probe intervals of all pools if discovery may add accounts to a pool later, else nothing."""
    if not any(watch.sync for watch in watches):
        return frozenset()
    intervals = (section.recovery.probe_interval for section in sections.values())
    return frozenset(interval for interval in intervals if interval is not None)
