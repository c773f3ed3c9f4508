"""Probes: asking a provider whether it is up and the key is good, beside the requests and at no cost to them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from functools import partial
from threading import RLock
from typing import TYPE_CHECKING

from attrs import define, field

from modelmesh._engine.execution.provider_result import to_provider_error
from modelmesh._engine.health.circuit_breaker import KEY_FAILURES, BreakerState
from modelmesh.contracts.call import Limits
from modelmesh.contracts.provider import Probing
from modelmesh.errors import ProviderError

if TYPE_CHECKING:
    from modelmesh._engine.assembly.assembler import Parts
    from modelmesh._engine.background.scheduler import Background
    from modelmesh._engine.health.circuit_breaker import ProviderHealth
    from modelmesh._engine.health.registry import HealthRegistry

_log = logging.getLogger("modelmesh.probing")

LIMITS = Limits(connect=5.0, first_content=10.0, gap=10.0, total=10.0, answer=10.0)
"""How long a probe may take; its answer is small."""


@define(eq=False)
class Probed:
    """An account, and how it is probed.

    Attributes:
        account: The account.
        provider: Who is asked.
        on_start: Whether it is probed when the mesh starts.
        interval: Seconds between two probes while it is off; ``None``: it is not probed then.
        by_hand: Whether only a person may bring it back.
    """

    account: ProviderHealth
    provider: Probing
    on_start: bool = False
    interval: float | None = None
    by_hand: bool = False


@define(eq=False)
class Prober:
    """Probes the accounts of one mesh.

    Attributes:
        book: Their health.
        lock: The mesh's.
        clock: Monotonic seconds.
        tell: Called when a probe changed something.
        background: Runs the probes, and knows when what one brings is of no use any more.
    """

    health: HealthRegistry
    lock: RLock
    clock: Callable[[], float]
    tell: Callable[[], None]
    background: Background
    rows: list[Probed] = field(factory=list)

    def begin(self, expected: Iterable[float] = ()) -> None:
        """Have the background probe at the start, and at the intervals that there are.

        Args:
            expected: Intervals that accounts may have which come later.
        """
        if any(row.on_start for row in self.rows):
            self.background.once(self.at_start)
        for interval in sorted({*expected, *(row.interval for row in self.rows if row.interval is not None)}):
            self.background.every(interval, partial(self.those_off, interval))

    def at_start(self) -> None:
        """Probe whom the configuration says, so that no request has to find out that a key is refused."""
        self._probe(row for row in self.rows if row.on_start)

    def those_off(self, interval: float) -> None:
        """Probe the accounts of an interval that a refused key or an outage put off."""
        self._probe(row for row in self.rows if row.interval == interval and self._is_off(row))

    def _is_off(self, row: Probed) -> bool:
        with self.lock:
            self.health.advance(self.clock())
            withheld = any(c.health.judge is not None for pool, _ in row.account.places for c in pool.members)
            return not row.by_hand and (row.account.probeable or withheld)

    def _probe(self, rows: Iterable[Probed]) -> None:
        for row in rows:
            if self.background.stopped():
                return
            with self.lock:
                generation = row.account.generation
            error: ProviderError | None = None
            try:
                row.provider.probe(LIMITS)
            except Exception as raised:  # noqa: BLE001 - whatever a connector raises is a failed probe
                error = to_provider_error(row.provider, raised)
            if self.background.stopped():
                return
            with self.lock:
                self.health.advance(self.clock())
                self._apply(row, generation, error)
            self.tell()

    def _apply(self, row: Probed, generation: int, error: ProviderError | None) -> None:
        now, account = self.clock(), row.account
        if error is not None:
            if error.failure in KEY_FAILURES and account.state is BreakerState.CLOSED and row.by_hand:
                return  # only a request may put off what a person alone brings back
            self.health.failed_probe(account, generation, error.failure, now, row.interval)
            return
        if not row.by_hand:
            self.health.answered_probe(account, generation, now)
        for pool, mask in account.places:
            for place, candidate in enumerate(pool.members):
                if mask >> place & 1:
                    for judge in candidate.judges:
                        judge.probed(candidate, self.health, now)


def probed_accounts(parts: Parts) -> list[Probed]:
    """Return the accounts that the pools' configuration wants probed, and whose providers can be."""
    rows: dict[int, Probed] = {}
    providers = {entry.key: entry.provider for entry in parts.entries}
    for pool in parts.router.list_pools():
        section = parts.pools[pool.name]
        back, by_hand = section.recovery, section.provider_recovery == "on_manual"
        if not back.probe_on_start and back.probe_interval is None:
            continue
        for account in {id(c.account): c.account for c in pool.members}.values():
            provider = providers.get(account.provider_id)
            if not isinstance(provider, Probing):
                _log.info("%s has no probe(): a real request will find out whether it is up again", account.provider_id)
                continue
            row = rows.setdefault(id(account), Probed(account, provider))
            row.on_start |= bool(back.probe_on_start)
            row.by_hand |= by_hand
            if back.probe_interval is not None:
                row.interval = back.probe_interval if row.interval is None else min(row.interval, back.probe_interval)
    return list(rows.values())
