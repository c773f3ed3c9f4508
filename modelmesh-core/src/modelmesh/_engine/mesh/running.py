"""Running part of a mesh: what an assembled configuration adds to the core, from start to shutdown."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from modelmesh._engine.assembly.providers import aclose_providers, close_providers
from modelmesh._engine.mesh.accounts import AccountPools
from modelmesh._engine.mesh.inspection import Inspection
from modelmesh._engine.mesh.manual import ManualControl
from modelmesh._engine.telemetry.reporting import Reporter
from modelmesh._engine.telemetry.statistics import StatisticsCollector, breaker_lookup
from modelmesh.errors import ConfigurationError

if TYPE_CHECKING:
    from modelmesh._engine.assembly.assembler import MeshParts
    from modelmesh._engine.background.tasks import BackgroundTasks
    from modelmesh._engine.config.mesh_config import MeshConfig
    from modelmesh._engine.config.schema import StorageSection
    from modelmesh._engine.mesh.core import MeshCore
    from modelmesh._engine.routing.candidates import Candidate
    from modelmesh._engine.state import MeshState, StateManager, SystemState
    from modelmesh._engine.telemetry.usage import UsageTracker
    from modelmesh.contracts.storage import Storage


class NotInitializedError(ConfigurationError, AttributeError):
    """A mesh was used before ``initialize()``. Also an ``AttributeError``, so that ``hasattr()`` works."""


class RunningMesh:
    """Parts of one assembled configuration, and their start, stop and fork handling.

    Attributes:
        config: The configuration.
        providers: The configured providers.
        price_failures: Number of exceptions of each plugin that was queried for prices.
        router: The pools.
        emitter: Publishes events to sinks.
        reporter: Records requests in usage, statistics and events.
        statistics: Counts of models, providers and pools.
        accounts: The accounts that serve operations of accounts.
        inspection: Read-only views.
        manual: Rotation and recovery on request.
        state: Persists state, ``None`` without a storage section.
    """

    def __init__(self, core: MeshCore, usage: UsageTracker, config: MeshConfig, parts: MeshParts, *, read_only: bool) -> None:
        """Build the parts without starting them.

        Args:
            core: The shared core of the mesh.
            usage: Tracks consumption.
            config: The configuration.
            parts: What was assembled from it.
            read_only: Load and save no state, and start no background task.
        """
        self._core, self._parts, self._read_only = core, parts, read_only
        self.config, self.price_failures = config, parts.price_failures
        self.proxy_section = parts.proxy
        self.providers, self.router, self.emitter = parts.providers, parts.router, parts.emitter
        self.router.lock = core.lock
        self.statistics = StatisticsCollector(
            now=core.reservations.clock.unix_now,
            clock=core.clock,
            breakers=breaker_lookup(self.router.list_pools),
            scopes=parts.statistics.scopes,
            retention=parts.statistics.retention,
            send=self.emitter.flush,
        )
        self.reporter = Reporter(
            emitter=parts.emitter,
            usage=usage,
            health=core.health,
            reservations=core.reservations,
            statistics=self.statistics,
            lock=core.lock,
            clock=core.clock,
        )
        self.accounts = AccountPools(core, parts.providers, self.router.list_pools)
        self.inspection = Inspection(core, self.router, self.accounts)
        self.manual = ManualControl(core, self.router, self.reporter, self.inspection)
        for window in parts.windows:
            core.health.add_window(window, core.clock())
        self.state: StateManager | None = None
        self._mesh_state: MeshState | None = None
        if parts.storage is not None and parts.storage_settings is not None:
            self._connect_state(parts.storage, parts.storage_settings, usage)

    def _connect_state(self, storage: Storage, section: StorageSection, usage: UsageTracker) -> None:
        from modelmesh._engine.state import MeshState, StateSettings, SyncPolicy  # noqa: PLC0415 - only with a storage section

        core = self._core
        self._mesh_state = MeshState(
            pools=self.router.list_pools,
            health=core.health,
            reservations=core.reservations,
            usage=usage,
            emitter=self.emitter,
            lock=core.lock,
            clock=core.clock,
            grows=any(watch.sync for watch in self._parts.background.watches),
        )
        policy = SyncPolicy(section.sync_policy)
        settings = StateSettings(
            policy=policy,
            interval_s=section.sync_interval,
            locking=section.locking,
            requires_store=section.on_store_down == "refuse",
        )
        self.state = self._mesh_state.manage(storage, settings, core.unix_now)

    def begin(self, *, loads: bool = True) -> None:
        """Load the state and start the background tasks, unless the mesh is read-only.

        Args:
            loads: Whether the state is loaded. A predecessor hands it over otherwise.
        """
        core = self._core
        if self._mesh_state is not None and not self._read_only:
            assert self.state is not None
            core.publisher = self._mesh_state.begin(loads=loads)
            self.reporter.on_change = self.state.record_change
        if not self._read_only and (self._parts.background.has_tasks or self.emitter.needs_statistics):
            self.tasks.begin(self.emitter, self.statistics, self._parts.statistics.flush_interval)

    @cached_property
    def tasks(self) -> BackgroundTasks:
        """Probes, discovery and the flush of statistics. Most meshes have none, so they are built on first use."""
        from modelmesh._engine.background.tasks import BackgroundTasks  # noqa: PLC0415 - see above

        core = self._core
        return BackgroundTasks(
            self._parts.background,
            health=core.health,
            lock=core.lock,
            clock=core.clock,
            reporter=self.reporter,
            on_joined=self._on_joined,
            on_batch=self._on_batch,
        )

    def load_state(self) -> SystemState | None:
        """Restore the persisted state without changing what is stored."""
        return None if self._mesh_state is None else self._mesh_state.load_read_only()

    def read_caller_totals(self) -> None:
        """Apply the counts of all processes to the limits of tokens and teams."""
        if self._mesh_state is not None:
            self._mesh_state.apply_shared_totals(self._core.reservations.callers.counters)

    def close(self) -> None:
        """Stop background tasks, close connections, flush events and statistics, and save the state."""
        self._end_tasks()
        close_providers(self.providers)
        self._flush()

    async def aclose(self) -> None:
        """Close everything as :meth:`close` does, and also the connections of the running event loop."""
        from asyncio import to_thread  # noqa: PLC0415 - a mesh without tasks of asyncio does not import it

        await to_thread(self._end_tasks)
        await aclose_providers(self.providers)
        self._flush()

    def after_fork(self, *, go_on: bool) -> None:
        """Replace locks and connections in a forked child process, which must not share those of its parent.

        Args:
            go_on: Whether the child serves requests, rather than only shutting down.
        """
        lock = self._core.lock
        self.reporter.lock = self.router.lock = lock
        if self._mesh_state is not None:
            self._mesh_state.lock = lock
        self.statistics.after_fork()
        if self.state is not None:
            self._core.reservations.shared.take()  # the parent sends it
            self.state.after_fork()
        for entry in self.providers:
            provider_after_fork = getattr(entry.provider, "after_fork", None)
            if provider_after_fork is not None:
                provider_after_fork()
        if "tasks" in self.__dict__:
            self.tasks.after_fork(lock, go_on=go_on)

    def _end_tasks(self) -> None:
        if "tasks" in self.__dict__:
            self.tasks.end()

    def _flush(self) -> None:
        if not self._read_only:
            self.reporter.publish_changes()
        self.statistics.flush()
        if self.state is not None:
            self.state.close()
        self.emitter.close()

    def _on_joined(self, candidate: Candidate) -> None:
        if self._mesh_state is not None:
            self._mesh_state.restore_joined(candidate)

    def _on_batch(self) -> None:
        if self._mesh_state is not None:
            self._mesh_state.apply_joined_totals()
