"""The mesh without its clients: life cycle, read-only views and manual control behind one interface."""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NoReturn, Self

from modelmesh._engine.assembly.assembler import Assembler
from modelmesh._engine.config.mesh_config import MeshConfig
from modelmesh._engine.mesh.core import MeshCore
from modelmesh._engine.mesh.requests import RequestServer
from modelmesh._engine.mesh.running import NotInitializedError, RunningMesh
from modelmesh._engine.plugins.manager import notify_plugins
from modelmesh._engine.plugins.resolver import Resolver
from modelmesh._engine.telemetry.budget_status import BudgetStatus
from modelmesh._engine.telemetry.usage import UsageTracker

if TYPE_CHECKING:
    from modelmesh._engine.background.discovery import Discoverer
    from modelmesh._engine.config.problems import Problems
    from modelmesh._engine.config.schema import ProxySection
    from modelmesh._engine.routing.candidates import Candidate
    from modelmesh._engine.routing.explain import Explanation
    from modelmesh._engine.routing.pool import Pool
    from modelmesh._engine.routing.router import Router
    from modelmesh._engine.state import StateManager, SystemState
    from modelmesh._engine.telemetry.statistics import StatisticsCollector
    from modelmesh._engine.telemetry.status import PoolInfo
    from modelmesh.contracts.call import Call


class MeshEngine:
    """Providers, pools, health and usage of one configuration.

    Safe to share between threads. Use it as a context manager, or call :meth:`shutdown`.

    The interface is wide because it is the only entry point to a mesh: for clients, the command line and plugin hooks. Its
    methods delegate to :class:`RunningMesh` (life cycle), to its ``inspection`` (read-only views) and to its ``manual``
    (rotation and recovery). :class:`RequestServer` serves the requests.

    Attributes:
        usage: Tokens and costs.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        config: str | Mapping[str, Any] | MeshConfig | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        asleep: Callable[[float], Awaitable[None]] | None = None,
        wall: Callable[[], float] = time.time,
        rng: random.Random | None = None,
        resolver: Resolver | None = None,
    ) -> None:
        """Create a mesh.

        Args:
            config: A path, a dictionary or a :class:`MeshConfig`. Without one, call :meth:`initialize` before anything else.
            clock: Returns monotonic seconds. A test passes a virtual clock.
            sleep: Waits for a number of seconds in a thread.
            asleep: Waits for a number of seconds in a task, by default ``asyncio.sleep``.
            wall: Returns Unix seconds. Read once for the date. Later times come from the monotonic clock.
            rng: Source of every random number of the mesh.
            resolver: Resolves connector IDs. The default resolves what is installed.

        Raises:
            ConfigurationError: The configuration cannot be used.
            ConnectorError: A connector of the configuration cannot be used.
        """
        rng = rng or random.Random()  # noqa: S311 - spreads load, protects no secret
        self._core = core = MeshCore(clock=clock, sleep=sleep, asleep=asleep, wall=wall, rng=rng)
        self._resolver = resolver
        self._requests = RequestServer(core, self._after_fork)
        self._started: RunningMesh | None = None
        self.clock = clock
        self.usage = UsageTracker(core.reservations.clock.unix_now, self._budgets)
        if config is not None:
            self.initialize(config)

    @classmethod
    def from_yaml(cls, path: str) -> Self:
        """Create a mesh from a YAML file."""
        return cls(path)

    # -- life cycle -------------------------------------------------------------------------------------------------

    def initialize(
        self,
        config: str | Mapping[str, Any] | MeshConfig,
        *,
        strategy: str | None = None,
        models: Sequence[str] | None = None,
        capabilities: Sequence[str] = (),
        fallbacks: Mapping[str, str] = MappingProxyType({}),
        read_only: bool = False,
        problems: Problems | None = None,
        loads_state: bool = True,
    ) -> None:
        """Assemble a configuration and start to serve it. ``ModelMesh(config)`` does this on construction.

        Args:
            config: A path, a dictionary or a :class:`MeshConfig`.
            strategy: Replaces the strategy of every pool.
            models: Restricts every pool to these model IDs.
            capabilities: Names of the pools of a configuration without pools. The default is the configuration's own
                ``capabilities``, else ``chat-completion`` and every predefined pool that has a model.
            fallbacks: Connector IDs of providers that need no key, by provider key. They serve the pools whose capability no
                configured provider has.
            read_only: Neither load nor save state, and start no background task. :meth:`load_state` loads it on request.
            problems: Collects the problems of the configuration. The default is a new collection.
            loads_state: Load the stored state. Otherwise the mesh begins with empty counts, and its first save replaces them.

        Raises:
            ConfigurationError: The configuration cannot be used.
            ConnectorError: A connector of the configuration cannot be used.
        """
        config = MeshConfig.of(config)
        self._resolver = resolver = self._resolver or Resolver()
        core = self._core
        parts = Assembler(
            config,
            resolver,
            core.health,
            core.reservations,
            strategy=strategy,
            models=models,
            capabilities=capabilities,
            fallbacks=fallbacks,
            problems=problems,
        ).assemble()
        self._started = running = RunningMesh(core, self.usage, config, parts, read_only=read_only)
        running.begin(loads=loads_state)
        self._requests.open(running.router, running.reporter, running.accounts)
        notify_plugins(resolver.plugins, "modelmesh_mesh_ready", mesh=self)

    def load_state(self) -> SystemState | None:
        """Restore the persisted state without changing what is stored, for a mesh that was initialized as ``read_only``.

        Returns:
            The stored state, ``None`` when nothing is stored or the configuration has no storage.

        Raises:
            StorageError: The store failed.
            DamagedStateError: The stored state is corrupt.
            NewerStateError: A later version of ModelMesh wrote the state.
        """
        return self._running.load_state()

    def shutdown(self) -> None:
        """Close connections, save state and flush events. May be called twice."""
        if self._requests.close():
            self._running.close()
            self._on_closed()

    async def ashutdown(self) -> None:
        """Shut down as :meth:`shutdown` does, and close the connections of the running event loop too."""
        if self._requests.close():
            await self._running.aclose()
            self._on_closed()

    def _on_closed(self) -> None:
        assert self._resolver is not None
        notify_plugins(self._resolver.plugins, "modelmesh_mesh_closed", mesh=self)

    def _after_fork(self) -> None:
        self._core.after_fork()
        self.usage.after_fork()
        self._running.after_fork(go_on=self._requests.is_open)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()

    # -- parts ------------------------------------------------------------------------------------------------------

    @property
    def _running(self) -> RunningMesh:
        if self._started is None:
            message = "this mesh is not initialized: call initialize(config) first, or make a client with modelmesh.create(…)"
            raise NotInitializedError(message)
        return self._started

    @property
    def config(self) -> MeshConfig:
        """The configuration."""
        return self._running.config

    @property
    def proxy_section(self) -> ProxySection:
        """Section ``proxy`` of the configuration, references resolved."""
        return self._running.proxy_section

    @property
    def discovery(self) -> Discoverer:
        """Discovery of models and health, with ``sync()`` and ``probe()``."""
        return self._running.tasks.discovery

    @property
    def price_failures(self) -> Mapping[str, int]:
        """Number of exceptions of each plugin that was queried for prices."""
        return {} if self._started is None else self._started.price_failures

    @property
    def sink_failures(self) -> Mapping[str, int]:
        """Number of records that each sink or hook plugin failed to accept or to write."""
        return {} if self._started is None else self._started.emitter.failures

    @property
    def sink_drops(self) -> Mapping[str, int]:
        """Number of records that each sink dropped because its queue was full."""
        return {} if self._started is None else self._started.emitter.drops

    @property
    def state(self) -> StateManager | None:
        """Persistence of state, ``None`` without a storage section."""
        return None if self._started is None else self._started.state

    def get_router(self) -> Router:
        """Return the router."""
        return self._running.router

    def get_statistics(self) -> StatisticsCollector:
        """Return the statistics, e.g. ``mesh.get_statistics().pool("chat-completion").error_rate``."""
        return self._running.statistics

    def stats(self) -> StatisticsCollector:
        """Alias of :meth:`get_statistics`."""
        return self.get_statistics()

    # -- read-only views --------------------------------------------------------------------------------------------

    def list_pools(self) -> list[Pool]:
        """Return every pool, with the availability of its ``models`` as of now."""
        return self._running.inspection.list_pools()

    def list_models(self) -> list[Candidate]:
        """Return every model of every pool, once."""
        return self._running.inspection.list_models()

    def current(self, pool: Pool) -> Candidate | None:
        """Return the model that a plain chat request would be sent to now, ``None`` when none is available."""
        return self._running.inspection.current(pool)

    def pool_status(self, pool: str | None = None) -> dict[str, PoolInfo]:
        """Return a summary of the health of each pool, or of one."""
        return self._running.inspection.pool_status(pool)

    def limits(self) -> tuple[dict[str, Any], ...]:
        """Return the remaining amount of every limit, budgets included, as rows of ``PoolInfo.left``."""
        return self._running.inspection.limits()

    def active_providers(self) -> list[str]:
        """Return the keys of the providers that have an active model."""
        return self._running.inspection.active_providers()

    def explain(self, model: str, call: Call | None = None) -> Explanation:
        """Return where a request would go now, and why, without sending it."""
        return self._running.inspection.explain(model, call)

    def describe(self, pool: str | None = None, *, only_providers: Sequence[str] = ()) -> str:
        """Return the pools and their models as text.

        Args:
            pool: Name of one pool. The default is all pools.
            only_providers: Keys of the providers to show. The default is all providers.
        """
        return self._running.inspection.describe(pool, only_providers)

    def _budgets(self) -> BudgetStatus | None:
        if not self._requests.is_open:
            return None
        core = self._core
        with core.lock:
            return BudgetStatus.of(core.reservations.counters(self.list_pools(), callers=False).values(), core.unix_now())

    # -- manual control ---------------------------------------------------------------------------------------------

    def rotate(self, pool: str) -> str:
        """Put a pool's current model in standby and go on to the next.

        Returns:
            ID of the new current model.

        Raises:
            NoActiveModelError: There is no other active model. The current one stays active.
        """
        return self._running.manual.rotate(pool)

    def recover(self, pool: str, model: str | None = None) -> list[str]:
        """Make models of a pool active again, regardless of the reason for their standby.

        An exhausted quota of an account stays exhausted.

        Args:
            pool: Name of the pool.
            model: ID of one model, with or without its provider. The default is every model in standby.

        Returns:
            The newly active models, as ``provider/model``.

        Raises:
            CapabilityNotFoundError: There is no such pool, or the pool has no such model.
        """
        return self._running.manual.recover(pool, model)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __reduce__(self) -> NoReturn:
        message = "a mesh cannot be pickled: it holds connections and locks. Make one in each process: ModelMesh.from_yaml(…)"
        raise TypeError(message)

    def __repr__(self) -> str:
        if not self._requests.is_open:
            return "<ModelMesh not serving>"
        return (
            f"<ModelMesh {len(self._running.providers)} providers, pools: {', '.join(pool.name for pool in self.list_pools())}>"
        )
