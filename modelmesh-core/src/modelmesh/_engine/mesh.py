"""The mesh: everything a client needs, assembled from one configuration."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Callable, Mapping, Sequence
from threading import RLock
from typing import TYPE_CHECKING, Any, NoReturn, Self

from modelmesh._engine.assembly.accounts import aclose_providers, close_providers
from modelmesh._engine.assembly.assembler import Assembler, MeshParts
from modelmesh._engine.background import BackgroundTasks
from modelmesh._engine.config.mesh_config import MeshConfig
from modelmesh._engine.config.problems import Problems
from modelmesh._engine.execution import AsyncDriver, SyncDriver
from modelmesh._engine.execution.stream_drain import adrain, drain
from modelmesh._engine.foundation.wording import name_of, one_line
from modelmesh._engine.health.registry import HealthRegistry
from modelmesh._engine.health.retry_policy import Adaptation
from modelmesh._engine.inspection import Looking
from modelmesh._engine.limits.lost_leases import return_lost_leases
from modelmesh._engine.limits.reservations import Reservations
from modelmesh._engine.limits.token_counts import prompt_size
from modelmesh._engine.plugins.manager import tell
from modelmesh._engine.plugins.resolver import Resolver
from modelmesh._engine.routing import final_errors as verdicts
from modelmesh._engine.routing.candidates import Candidate, Candidates
from modelmesh._engine.routing.flow import Served, abandon, serve
from modelmesh._engine.routing.pool import Pool
from modelmesh._engine.telemetry.reporting import Reporter
from modelmesh._engine.telemetry.statistics import StatisticsCollector, circuits_of
from modelmesh._engine.telemetry.usage import BudgetStatus, UsageTracker
from modelmesh.contracts.call import Call
from modelmesh.errors import CapabilityNotFoundError, ConfigurationError, ModelMeshError, NoActiveModelError

if TYPE_CHECKING:
    from modelmesh._engine.config.schema import StorageSection
    from modelmesh._engine.health.circuit_breaker import Lease
    from modelmesh._engine.state import MeshState, StateManager, SystemState
    from modelmesh.client import MeshClient, OpenAIClient
    from modelmesh.contracts.storage import Storage


_INITIALIZED = frozenset(
    {
        "config",
        "background",
        "discovery",
        "_tasks",
        "_emitter",
        "_entries",
        "_reporter",
        "_router",
        "_statistics",
        "_tree",
    }
)
"""Attributes that ``initialize()`` makes."""


class NotInitializedError(ConfigurationError, AttributeError):
    """A mesh was used before ``initialize()``; an ``AttributeError`` too, so that ``hasattr()`` works."""


class ModelMesh(Looking):
    """Providers, pools, health and usage of one configuration; clients are thin views of it.

    Safe to share between threads. Use it as a context manager, or call :meth:`shutdown`.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        asleep: Callable[[float], Any] = asyncio.sleep,
        wall: Callable[[], float] = time.time,
        rng: random.Random | None = None,
        resolver: Resolver | None = None,
    ) -> None:
        """Make an empty mesh.

        Args:
            clock: Monotonic seconds; a test hands in a virtual one.
            sleep: Lets seconds pass in a thread.
            asleep: Lets seconds pass in a task.
            wall: Unix seconds; read once, to know which day it is. Afterwards the monotonic clock alone counts.
            rng: Draws every random number of the mesh.
            resolver: Answers connector IDs; by default what is installed.
        """
        self.clock = self._clock = clock
        self._rng = rng or random.Random()  # noqa: S311 - spreads load, keeps no secret
        self._resolver = resolver
        self._lock = RLock()  # a stream may be collected, and so closed, in the middle of another request's step
        self._health = HealthRegistry(draw=self._rng.random)
        self._health.on_lost = self._lease_lost
        self._reservations = Reservations(self._health, epoch=wall() - clock())
        self._driver = SyncDriver(self._lock, clock, sleep)
        self._adriver = AsyncDriver(self._lock, clock, asleep)
        self._pid = os.getpid()
        self._ready = False
        self.state: StateManager | None = None
        self._mesh_state: MeshState | None = None
        self.price_failures: Mapping[str, int] = {}
        self.usage = UsageTracker(self._when, self._budgets)

    # -- life -------------------------------------------------------------------------------------------------------

    def initialize(
        self,
        config: str | Mapping[str, Any] | MeshConfig,
        *,
        strategy: str | None = None,
        models: Sequence[str] | None = None,
        capabilities: Sequence[str] = (),
        read_only: bool = False,
        problems: Problems | None = None,
    ) -> None:
        """Assemble everything.

        Args:
            config: A path, a dictionary or a :class:`MeshConfig`.
            strategy: In place of every pool's own.
            models: Restricts every pool to these model IDs.
            capabilities: Names of the pools of a configuration that names none; by default those of its ``capabilities``,
                else ``chat-completion`` and every predefined pool that has a model.
            read_only: Neither load nor save the stored state, and start no background task, such as probes.
                :meth:`load_state` loads it.
            problems: Collects what is wrong; by default a collection of its own.

        Raises:
            ConfigurationError: The configuration cannot be used.
            ConnectorError: A connector it names cannot.
        """
        self.config = MeshConfig.of(config)
        self._resolver = resolver = self._resolver or Resolver()
        parts = Assembler(
            self.config,
            resolver,
            self._health,
            self._reservations,
            strategy=strategy,
            models=models,
            capabilities=capabilities,
            problems=problems,
        ).assemble()
        self._entries, self._tree, self._router, self._emitter = parts.entries, parts.tree, parts.router, parts.emitter
        self._router.lock = self._lock
        self.price_failures = parts.price_failures
        self._statistics = StatisticsCollector(
            now=self._when,
            clock=self._clock,
            circuits=circuits_of(self._router.list_pools),
            scopes=parts.statistics.scopes,
            retention=parts.statistics.retention,
            send=self._emitter.flush,
        )
        self._reporter = Reporter(
            parts.emitter, self.usage, self._health, self._reservations, self._statistics, self._lock, self._clock
        )
        for window in parts.windows:
            self._health.keep(window, self._clock())
        if parts.storage is not None and parts.keeping is not None:
            self._connect_state(parts.storage, parts.keeping, grows=any(watch.sync for watch in parts.background.watches))
            if not read_only:
                self._begin_state()
        self._ready, self._read_only = True, read_only
        self._begin_background(parts, jobs=not read_only)
        tell(resolver.plugins, "modelmesh_mesh_ready", mesh=self)

    def _begin_background(self, parts: MeshParts, *, jobs: bool) -> None:
        self._tasks = BackgroundTasks(
            parts.background,
            health=self._health,
            lock=self._lock,
            clock=self._clock,
            reporter=self._reporter,
            on_joined=self._joined,
            on_batch=self._adopt_joined,
        )
        self.background, self.discovery = self._tasks.scheduler, self._tasks.discovery
        if jobs:
            self._tasks.begin(self._emitter, self._statistics, parts.statistics.flush_interval)

    def _connect_state(self, storage: Storage, section: StorageSection, *, grows: bool) -> None:
        from modelmesh._engine.state import MeshState, StateSettings, SyncPolicy  # noqa: PLC0415 - only where state is stored

        self._mesh_state = MeshState(
            pools=self._router.list_pools,
            health=self._health,
            reservations=self._reservations,
            usage=self.usage,
            emitter=self._emitter,
            lock=self._lock,
            clock=self._clock,
            grows=grows,
        )
        policy = SyncPolicy(section.sync_policy)
        settings = StateSettings(policy=policy, interval_s=section.sync_interval, locking=section.locking)
        self.state = self._mesh_state.manage(storage, settings, self._when)

    def _begin_state(self) -> None:
        assert self._mesh_state is not None
        assert self.state is not None
        self._driver.publisher = self._adriver.publisher = self._mesh_state.begin()
        self._reporter.on_change = self.state.record_change

    def _joined(self, candidate: Candidate) -> None:
        if self._mesh_state is not None:
            self._mesh_state.restore_joined(candidate)

    def _adopt_joined(self) -> None:
        if self._mesh_state is not None:
            self._mesh_state.apply_joined_totals()

    def load_state(self) -> SystemState | None:
        """Load the stored state without changing the store. For a mesh initialized with ``read_only=True``.

        Returns:
            The stored state, ``None`` when there is none, or no store is configured.

        Raises:
            StorageError: The store failed.
            DamagedStateError: The stored state cannot be used.
            NewerStateError: A later version wrote the stored state.
        """
        return None if self._mesh_state is None else self._mesh_state.load_read_only()

    def shutdown(self) -> None:
        """Close connections and let sinks write what they hold. May be called twice."""
        if not self._ready:
            return
        self._ready = False
        if self._pid != os.getpid():
            self._after_fork()
        self._tasks.end()
        close_providers(self._entries)
        self._closed()

    async def ashutdown(self) -> None:
        """The same from a task, closing this event loop's connections too."""
        if not self._ready:
            return
        self._ready = False
        if self._pid != os.getpid():
            self._after_fork()
        await asyncio.to_thread(self._tasks.end)
        await aclose_providers(self._entries)
        self._closed()

    def _closed(self) -> None:
        if not self._read_only:
            self._reporter.left_to_tell()
        self._statistics.flush()
        if self.state is not None:
            self.state.close()
        self._emitter.close()
        assert self._resolver is not None
        tell(self._resolver.plugins, "modelmesh_mesh_closed", mesh=self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()

    @classmethod
    def from_yaml(cls, path: str) -> ModelMesh:
        """Make a mesh of a YAML file."""
        mesh = cls()
        mesh.initialize(path)
        return mesh

    # -- serving ----------------------------------------------------------------------------------------------------

    def serve(self, call: Call) -> Served:
        """Serve one request in this thread.

        Raises:
            ModelMeshError: Nobody answered, or the request is wrong.
        """
        pool, began, attempts = self._begin(call)
        try:
            served = self._driver.run(serve(call, pool, clock=self._clock, rng=self._rng, attempts=attempts))
        except BaseException as error:
            self._reporter.failed(call, pool, error, attempts, began)
            raise
        self._reporter.answered(call, served, began)
        return served

    async def aserve(self, call: Call) -> Served:
        """Serve one request in this task.

        Raises:
            ModelMeshError: Nobody answered, or the request is wrong.
        """
        pool, began, attempts = self._begin(call)
        try:
            served = await self._adriver.run(serve(call, pool, clock=self._clock, rng=self._rng, attempts=attempts))
        except BaseException as error:
            self._reporter.failed(call, pool, error, attempts, began)
            raise
        self._reporter.answered(call, served, began)
        return served

    def relay(self, call: Call, served: Served) -> Any:
        """Return the chunks of an open stream, as an iterator."""
        began = self._clock()
        return self._driver.stream(
            served, lambda error: self._reporter.streamed(call, served, error, began), asked_usage=_asked_usage(call)
        )

    def arelay(self, call: Call, served: Served) -> Any:
        """Return the chunks of an open stream, as an asynchronous iterator."""
        began = self._clock()
        return self._adriver.stream(
            served, lambda error: self._reporter.streamed(call, served, error, began), asked_usage=_asked_usage(call)
        )

    def leave(self, call: Call, served: Served) -> None:
        """Close a stream that nobody began to read."""
        try:
            drain(served.outcome)
            served.outcome.stream.close()  # type: ignore[union-attr]
        finally:
            self.left(call, served)

    async def aleave(self, call: Call, served: Served) -> None:
        """Close a stream that nobody began to read."""
        try:
            await adrain(served.outcome)
            await served.outcome.stream.aclose()  # type: ignore[union-attr]
        finally:
            self.left(call, served)

    def left(self, call: Call, served: Served) -> None:
        """Count a stream that nobody will read; its connection is for others to close."""
        with self._lock:
            abandon(served, self._clock())
        self._reporter.streamed(call, served, None, self._clock())

    def _begin(self, call: Call) -> tuple[Pool, float, list[Any]]:
        if not self._ready:
            message = "this mesh is shut down, or was never initialized; make a new one with modelmesh.create(…)"
            raise ModelMeshError(message)
        if self._pid != os.getpid():
            self._after_fork()
        pool = self._router.resolve(call.pool)
        if pool.operations and call.operation.name not in pool.operations:
            raise verdicts.wrong_operation(pool, call)
        call.strict = pool.policy.adaptation is Adaptation.STRICT
        prompt_size(call)  # a long prompt takes a while to count: not under the lock
        return pool, self._clock(), []

    def _after_fork(self) -> None:
        """Locks may have been held, and sockets are shared with the parent: take new ones."""
        self._pid = os.getpid()
        self._lock = RLock()
        for part in (self._driver, self._adriver, self._reporter, self._router, self._mesh_state):
            if part is not None:
                part.lock = self._lock
        for lease in list(self._health.leases):  # the parent's threads are at them, and count what comes of it
            self._reservations.forgo(lease.reservation, self._clock())
            self._health.release(lease)
        self._statistics.after_fork()
        self.usage.after_fork()
        if self.state is not None:
            self._reservations.take_posted()  # the parent sends it
            self.state.after_fork()
        for entry in self._entries:
            forked = getattr(entry.provider, "after_fork", None)
            if forked is not None:
                forked()
        self._tasks.after_fork(self._lock, go_on=self._ready)

    def _lease_lost(self, lease: Lease) -> None:
        """Give back a lease whose owner was collected; where another thread holds the lock, the next request does."""
        self._health.lost.append(lease)
        if self._lock.acquire(blocking=False):
            try:
                return_lost_leases(self._health, self._clock())
            finally:
                self._lock.release()

    def _budgets(self) -> BudgetStatus | None:
        if not self._ready:
            return None
        with self._lock:
            return BudgetStatus.of(self._reservations.counters(self.list_pools()).values(), self._when())

    # -- by hand ----------------------------------------------------------------------------------------------------

    def rotate(self, pool: str) -> str:
        """Put a pool's current model in standby and go on to the next.

        Returns:
            ID of the new current model.

        Raises:
            NoActiveModelError: There is no other; the current one stays.
        """
        found = self._router.get_pool(pool)
        current = self.current(found)
        with self._lock:
            if current is None:
                message = f"pool {pool!r} has no active model to rotate from; see the reasons with client.explain({pool!r})."
                raise NoActiveModelError(message, pool_name=pool)
            following = found.rotate(current)
        self._reporter.rotated(current, following, pool)
        return (self.current(found) or following).model_id

    def recover(self, pool: str, model: str | None = None) -> list[str]:
        """Make models of a pool active again, whatever put them in standby; an exhausted quota of an account stays so.

        Args:
            pool: Name of the pool.
            model: ID of one model, with or without its provider; by default every model that is in standby.

        Returns:
            The models that are active now and were not, as ``provider/model``.

        Raises:
            CapabilityNotFoundError: There is no such pool, or it has no such model.
        """
        found = self._router.get_pool(pool)
        meant = Candidates(found, found.mask_of_model(model)) if model is not None else found.get_standby_models()
        if model is not None and not meant:
            names = ", ".join(str(member) for member in found.members)
            message = f"pool {pool!r} has no model {name_of(model)}. It has: {one_line(names) or 'none'}."
            raise CapabilityNotFoundError(message, pool_name=pool)
        with self._lock:
            before = {id(candidate) for candidate in found.get_active_models()}
            for candidate in meant:
                found.recover(candidate)
            recovered = [candidate for candidate in found.get_active_models() if id(candidate) not in before]
        self._reporter.recovered()
        return [str(candidate) for candidate in recovered]

    def get_client(self) -> OpenAIClient:
        """Return an asynchronous client of this mesh."""
        from modelmesh.client import OpenAIClient  # noqa: PLC0415 - clients import the mesh's types

        return OpenAIClient(self)

    @property
    def client(self) -> MeshClient:
        """A synchronous client of this mesh."""
        from modelmesh.client import MeshClient  # noqa: PLC0415 - clients import the mesh's types

        return MeshClient(self)

    def __getattr__(self, name: str) -> Any:
        if name in _INITIALIZED:
            message = "this mesh is not initialized: call initialize(config) first, or make a client with modelmesh.create(…)"
            raise NotInitializedError(message)
        message = f"{type(self).__name__!r} object has no attribute {name!r}"
        raise AttributeError(message)

    def __deepcopy__(self, memo: dict[int, Any]) -> ModelMesh:
        return self

    def __reduce__(self) -> NoReturn:
        message = "a mesh cannot be pickled: it holds connections and locks. Make one in each process: ModelMesh.from_yaml(…)"
        raise TypeError(message)

    def __repr__(self) -> str:
        if not self._ready:
            return "<ModelMesh not serving>"
        return f"<ModelMesh {len(self._entries)} providers, pools: {', '.join(pool.name for pool in self.list_pools())}>"


def _asked_usage(call: Call) -> bool:
    options = call.payload.get("stream_options")
    return bool(isinstance(options, Mapping) and options.get("include_usage"))
