"""Background tasks of one mesh: probes, discovery, retries of late providers and the flush of statistics."""

from __future__ import annotations

from collections.abc import Callable
from threading import RLock
from typing import TYPE_CHECKING

from modelmesh._engine.background.discovery import Discoverer
from modelmesh._engine.background.late_providers import LateProviders
from modelmesh._engine.background.probes import Prober
from modelmesh._engine.background.scheduler import Scheduler

if TYPE_CHECKING:
    from modelmesh._engine.background.plan import BackgroundPlan
    from modelmesh._engine.health.health_registry import HealthRegistry
    from modelmesh._engine.routing.candidates import Candidate
    from modelmesh._engine.telemetry.events import Emitter
    from modelmesh._engine.telemetry.reporting import Reporter
    from modelmesh._engine.telemetry.statistics import StatisticsCollector


class BackgroundTasks:
    """The tasks of one mesh in two threads, each started only when the configuration or a sink needs it.

    Attributes:
        scheduler: Runs the probes of pools and flushes statistics to sinks.
        discovery: Calls discovery connectors, in a separate thread because a call waits for a remote system.
    """

    def __init__(
        self,
        plan: BackgroundPlan,
        *,
        health: HealthRegistry,
        lock: RLock,
        clock: Callable[[], float],
        reporter: Reporter,
        on_joined: Callable[[Candidate], None],
        on_batch: Callable[[], None],
    ) -> None:
        """Build the tasks without starting any.

        Args:
            plan: What the tasks work on.
            health: Health of all models and provider accounts.
            lock: The mesh's lock.
            clock: Returns monotonic seconds.
            reporter: Publishes events.
            on_joined: Called with each model that joined, under the lock.
            on_batch: Called after models have joined.
        """
        self._plan, self._on_batch = plan, on_batch
        self.scheduler = Scheduler(clock)
        self._prober = Prober(
            health=health,
            lock=lock,
            clock=clock,
            on_change=reporter.publish_changes,
            scheduler=self.scheduler,
            targets=plan.probe_targets(),
        )
        discovery = Scheduler(clock, "modelmesh-discovery")
        self._late = LateProviders(
            errors=plan.unlisted,
            providers=plan.providers,
            joiner=plan.joiner,
            health=health,
            lock=lock,
            clock=clock,
            scheduler=discovery,
            publish=reporter.publish,
            on_joined=on_joined,
            on_batch=self._after_batch,
        )
        self.discovery = Discoverer(
            watches=plan.watches,
            providers=plan.providers,
            joiner=plan.joiner,
            health=health,
            lock=lock,
            clock=clock,
            scheduler=discovery,
            publish=reporter.publish,
            on_joined=on_joined,
            on_batch=self._after_batch,
        )

    def begin(self, emitter: Emitter, statistics: StatisticsCollector, flush_interval: float) -> None:
        """Schedule every task and start the threads that have one."""
        self.discovery.begin()
        self._late.begin()
        self._prober.begin(self._plan.late_probe_intervals)
        if emitter.needs_statistics:
            self.scheduler.every(flush_interval, statistics.flush)
        for scheduler in (self.discovery.scheduler, self.scheduler):
            scheduler.start()

    def _after_batch(self) -> None:
        self._prober.targets = self._plan.probe_targets()
        self._on_batch()

    def end(self) -> None:
        """Stop both threads and close the discovery connectors."""
        self.scheduler.stop()
        self.discovery.scheduler.stop()
        self.discovery.close()

    def after_fork(self, lock: RLock, *, go_on: bool) -> None:
        """Adopt the new lock in a child process, and continue there if ``go_on``."""
        self._prober.lock = self._late.lock = lock
        self.scheduler.after_fork(go_on=go_on)
        self.discovery.after_fork(lock, go_on=go_on)
