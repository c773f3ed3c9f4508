"""What may be seen of a mesh. Nothing here changes what it does next."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from threading import RLock
from typing import TYPE_CHECKING, Any

from modelmesh._engine.limits.reservations import Reservations, forecast
from modelmesh._engine.routing import explain as explaining
from modelmesh._engine.routing.candidates import Candidate, Candidates
from modelmesh._engine.telemetry.status import PoolInfo, Text, describe
from modelmesh.contracts.call import Call, CallOptions
from modelmesh.contracts.operations import CHAT
from modelmesh.contracts.strategy import SelectionRequest, SelectionResult
from modelmesh.errors import RoutingError

if TYPE_CHECKING:
    from modelmesh._engine.health.registry import HealthRegistry
    from modelmesh._engine.routing.pool import Pool
    from modelmesh._engine.routing.router import Router
    from modelmesh._engine.telemetry.statistics import StatisticsCollector


class Looking:
    """The half of a mesh that is looked at: pools, models, limits, statistics, and where a request would go."""

    _health: HealthRegistry
    _clock: Callable[[], float]
    _reservations: Reservations
    _lock: RLock
    _rng: random.Random
    _router: Router
    _statistics: StatisticsCollector

    def list_pools(self) -> list[Pool]:
        """Return every pool; each has ``name`` and ``models``, which are active or not as of now."""
        with self._lock:
            self._health.advance(self._clock())
        return self._router.list_pools()

    def get_router(self) -> Router:
        """Return the router."""
        return self._router

    def get_statistics(self) -> StatisticsCollector:
        """Return what models, providers and pools did, e.g. ``mesh.get_statistics().pool("chat-completion").error_rate``."""
        return self._statistics

    def stats(self) -> StatisticsCollector:
        """Return the same as :meth:`get_statistics`."""
        return self._statistics

    def list_models(self) -> list[Candidate]:
        """Return every model that some pool has, once."""
        return list(dict.fromkeys(candidate for pool in self.list_pools() for candidate in pool.members))

    def current(self, pool: Pool, only_providers: frozenset[str] = frozenset()) -> Candidate | None:
        """Return the model that a plain chat request would be sent to now, ``None`` when none is available."""
        with self._lock:
            now = self._clock()
            self._health.advance(now)
            call = Call(CHAT, pool.name, {}, options=CallOptions(only_providers=only_providers))
            ready = Candidates(pool, pool.available & pool.allowed(call) & ~pool.other_spaces())
            if not ready:
                return None
            rng = random.Random(0)  # noqa: S311 - looking must not advance the real one
            try:
                chosen = pool.strategy.select(ready, SelectionRequest(call, pool.name, now, rng))
            except RoutingError:
                return None
        place = pool.position(chosen.candidate if isinstance(chosen, SelectionResult) else chosen)
        return None if place is None else pool.members[place]

    def pool_status(self, pool: str | None = None) -> dict[str, PoolInfo]:
        """Return a summary of each pool's health, or of one."""
        with self._lock:
            pools = [self._router.get_pool(pool)] if pool else self.list_pools()
            return {one.name: PoolInfo.of(one, self.current(one), self._clock()) for one in pools}

    def limits(self) -> tuple[dict[str, Any], ...]:
        """Say of every limit what is left of it until it begins anew, as rows of ``PoolInfo.left``; those of money too."""
        with self._lock:
            now = self._when()
            return tuple(forecast(counter, now) for counter in self._reservations.counters(self.list_pools()).values())

    def active_providers(self) -> list[str]:
        """Return the providers that have an active model, by key."""
        return list(dict.fromkeys(one.provider_id for pool in self.list_pools() for one in pool.get_active_models()))

    def explain(self, model: str, call: Call | None = None) -> explaining.Explanation:
        """Say where a request would go now, and why; nothing is sent."""
        pool = self._router.resolve(model)
        with self._lock:
            rng = random.Random()  # noqa: S311 - a copy, so that asking does not change the next choice
            rng.setstate(self._rng.getstate())
            return explaining.explain(call or Call(CHAT, model, {}), pool, clock=self._clock, rng=rng)

    def describe(self, pool: str | None = None, *, only_providers: Sequence[str] = ()) -> str:
        """Return the pools and their models as text; those of some providers where they are named."""
        pools = [self._router.get_pool(pool)] if pool else self.list_pools()
        shown = frozenset(only_providers)
        return Text("\n".join(describe(one, self.current(one, shown), shown) for one in pools))

    def _when(self) -> float:
        """Unix seconds by the monotonic clock: a wall clock that jumps moves nothing."""
        return self._reservations.epoch + self._clock()
