"""Active health checks: probes that ask whether a provider is up and its key is valid, outside of any request."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from functools import partial
from threading import RLock
from typing import TYPE_CHECKING

from attrs import define, field

from modelmesh._engine.execution.provider_result import to_provider_error
from modelmesh._engine.health.circuit_breaker import KEY_FAILURES, BreakerState
from modelmesh._engine.routing.pool import pools_of
from modelmesh.contracts.call import Limits
from modelmesh.errors import ProviderError

if TYPE_CHECKING:
    from modelmesh._engine.background.scheduler import Scheduler
    from modelmesh._engine.health.health_registry import HealthRegistry
    from modelmesh._engine.health.provider_health import ProviderHealth
    from modelmesh.contracts.provider import Probing

_log = logging.getLogger("modelmesh.probing")

LIMITS = Limits(connect=5.0, first_content=10.0, gap=10.0, total=10.0, answer=10.0)
"""Deadlines of a probe. Its response is small."""


@define(eq=False)
class ProbeTarget:
    """A provider account and how it is probed.

    Attributes:
        account: The account.
        provider: The connector that sends the probe.
        on_start: Whether the account is probed when the mesh starts.
        interval: Seconds between two probes while the account is unavailable. ``None`` disables these probes.
        is_manual: Whether the account recovers only through :meth:`ModelMesh.recover`, never through a probe.
    """

    account: ProviderHealth
    provider: Probing
    on_start: bool = False
    interval: float | None = None
    is_manual: bool = False


@define(eq=False, kw_only=True)
class Prober:
    """Probes the provider accounts of one mesh.

    Attributes:
        health: Health of the accounts.
        lock: The mesh's lock.
        clock: Returns monotonic seconds.
        on_change: Called after each probe, to publish what it changed.
        scheduler: Runs the probes, and is stopped when their results are no longer needed.
        targets: The accounts and how each one is probed.
    """

    health: HealthRegistry
    lock: RLock
    clock: Callable[[], float]
    on_change: Callable[[], None]
    scheduler: Scheduler
    targets: list[ProbeTarget] = field(factory=list)

    def begin(self, late_intervals: Iterable[float] = ()) -> None:
        """Schedule the probes at the start and at every interval.

        Args:
            late_intervals: Further intervals, of accounts that may join later.
        """
        if any(target.on_start for target in self.targets):
            self.scheduler.once(self.probe_on_start)
        own = (target.interval for target in self.targets if target.interval is not None)
        for interval in sorted({*late_intervals, *own}):
            self.scheduler.every(interval, partial(self.probe_unavailable, interval))

    def probe_on_start(self) -> None:
        """Probe the configured accounts, so that a rejected key is found before the first request."""
        self._probe(target for target in self.targets if target.on_start)

    def probe_unavailable(self, interval: float) -> None:
        """Probe the accounts of an interval that a rejected key or an outage made unavailable."""
        self._probe(target for target in self.targets if target.interval == interval and self._is_unavailable(target))

    def _is_unavailable(self, target: ProbeTarget) -> bool:
        with self.lock:
            self.health.advance(self.clock())
            by_policy = any(
                candidate.health.standby_policy is not None for pool, _ in pools_of(target.account) for candidate in pool.members
            )
            return not target.is_manual and (target.account.is_probe_decisive or by_policy)

    def _probe(self, targets: Iterable[ProbeTarget]) -> None:
        for target in targets:
            if self.scheduler.stopped():
                return
            with self.lock:
                generation = target.account.generation
            error: ProviderError | None = None
            try:
                target.provider.probe(LIMITS)
            except Exception as raised:  # noqa: BLE001 - any exception of a connector is a failed probe
                error = to_provider_error(target.provider, raised)
            if self.scheduler.stopped():
                return
            with self.lock:
                self.health.advance(self.clock())
                self._apply(target, generation, error)
            self.on_change()

    def _apply(self, target: ProbeTarget, generation: int, error: ProviderError | None) -> None:
        now, account = self.clock(), target.account
        if error is not None:
            if error.failure in KEY_FAILURES and account.state is BreakerState.CLOSED and target.is_manual:
                return  # an account that only a manual step recovers is opened by a request alone
            self.health.probe_failed(account, generation, error.failure, now, target.interval)
            return
        if not target.is_manual:
            self.health.probe_succeeded(account, generation, now)
        for pool, mask in pools_of(account):
            for place, candidate in enumerate(pool.members):
                if mask >> place & 1:
                    for policy in candidate.standby_policies:
                        policy.record_probe(candidate, self.health, now)
