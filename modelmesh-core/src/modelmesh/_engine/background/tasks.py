"""All that one mesh does beside the requests."""

from __future__ import annotations

from collections.abc import Callable
from threading import RLock
from typing import TYPE_CHECKING

from modelmesh._engine.background.discovery import Discoverer
from modelmesh._engine.background.late_providers import LateProviders
from modelmesh._engine.background.probes import Prober, probed_accounts
from modelmesh._engine.background.scheduler import Background

if TYPE_CHECKING:
    from modelmesh._engine.assembly.assembler import Parts
    from modelmesh._engine.health.registry import HealthRegistry
    from modelmesh._engine.routing.candidates import Candidate
    from modelmesh._engine.telemetry.events import Emitter
    from modelmesh._engine.telemetry.reporting import Reporter
    from modelmesh._engine.telemetry.statistics import StatisticsCollector


class Beside:
    """Two threads, each started only where the configuration or a sink has something for it to do.

    Attributes:
        background: Probes for pools, and hands statistics to sinks.
        discovery: Asks discovery connectors, in a thread apart: they wait for strangers.
    """

    def __init__(
        self,
        parts: Parts,
        health: HealthRegistry,
        lock: RLock,
        clock: Callable[[], float],
        reporter: Reporter,
        joined: Callable[[Candidate], None],
        settled: Callable[[], None],
    ) -> None:
        """Prepare; nothing runs yet.

        Args:
            parts: What the mesh is made of.
            health: The health of everything.
            lock: The mesh's.
            clock: Monotonic seconds.
            reporter: Tells of what was found.
            joined: Called with a model that discovery took in, under the lock.
            settled: Called when it took models in.
        """
        self._parts, self._settled = parts, settled
        self.background = Background(clock)
        rows = probed_accounts(parts)
        self._prober = Prober(health, lock, clock, reporter.left_to_tell, self.background, rows)
        discovery = Background(clock, "modelmesh-discovery")
        entries = {entry.key: entry for entry in parts.entries}
        self._late = LateProviders(
            parts.joining.models.unlisted,
            entries,
            parts.joining,
            health,
            lock,
            clock,
            discovery,
            reporter.told,
            joined,
            self._have_settled,
        )
        self.discovery = Discoverer(
            parts.watches,
            entries,
            parts.joining,
            health,
            lock,
            clock,
            discovery,
            reporter.told,
            joined,
            self._have_settled,
        )

    def begin(self, emitter: Emitter, statistics: StatisticsCollector, flush_interval: float) -> None:
        """Start what there is to do."""
        self.discovery.begin()
        self._late.begin()
        self._prober.begin(self._expected())
        if emitter.counting:
            self.background.every(flush_interval, statistics.flush)
        for one in (self.discovery.background, self.background):
            one.start()

    def _expected(self) -> set[float]:
        """The intervals at which pools probe, where accounts may get into them that are in none at the start."""
        if not any(watch.sync for watch in self._parts.watches):
            return set()
        intervals = {section.recovery.probe_interval for section in self._parts.pools.values()}
        return {interval for interval in intervals if interval is not None}

    def _have_settled(self) -> None:
        self._prober.rows = probed_accounts(self._parts)
        self._settled()

    def end(self) -> None:
        """Let both threads end, and discovery connectors go of what they hold."""
        self.background.stop()
        self.discovery.background.stop()
        self.discovery.close()

    def after_fork(self, lock: RLock, *, go_on: bool) -> None:
        """Go on in a child process, with the lock that it has now, or get ready to end there."""
        self._prober.lock = self._late.lock = lock
        self.background.after_fork(go_on=go_on)
        self.discovery.after_fork(lock, go_on=go_on)
