"""Read-only views of a mesh: pools, limits, texts and dry runs. Nothing here changes what the mesh does next."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from attrs import evolve

from modelmesh._engine.foundation.lazy_import import LazyModule
from modelmesh._engine.limits.forecasts import forecast
from modelmesh._engine.routing.candidates import Candidate
from modelmesh.contracts.call import Call, CallOptions
from modelmesh.contracts.operations import CHAT, OPERATIONS, SPEECH, OperationScope
from modelmesh.contracts.strategy import SelectionRequest, SelectionResult
from modelmesh.errors import RoutingError

if TYPE_CHECKING:
    from modelmesh._engine.mesh import requests, resource_owners
    from modelmesh._engine.mesh.accounts import AccountPools
    from modelmesh._engine.mesh.core import MeshCore
    from modelmesh._engine.routing import explain as explaining
    from modelmesh._engine.routing.pool import Pool
    from modelmesh._engine.routing.router import Router
    from modelmesh._engine.telemetry import status
    from modelmesh._engine.telemetry.status import PoolInfo
else:  # create() needs no view
    explaining = LazyModule(globals(), "explaining", "modelmesh._engine.routing.explain")
    resource_owners = LazyModule(globals(), "resource_owners", "modelmesh._engine.mesh.resource_owners")
    requests = LazyModule(globals(), "requests", "modelmesh._engine.mesh.requests")
    status = LazyModule(globals(), "status", "modelmesh._engine.telemetry.status")


class Inspection:
    """Views of the pools of one router."""

    def __init__(self, core: MeshCore, router: Router, accounts: AccountPools) -> None:
        self._core, self._router, self._accounts = core, router, accounts

    def list_pools(self) -> list[Pool]:
        """Return every pool, with the availability of its models as of now."""
        self._core.advance()
        return self._router.list_pools()

    def list_models(self) -> list[Candidate]:
        """Return every model of every pool, once."""
        return list(dict.fromkeys(candidate for pool in self.list_pools() for candidate in pool.members))

    def current(self, pool: Pool, only_providers: frozenset[str] = frozenset()) -> Candidate | None:
        """Return the model that a plain request would be sent to now, ``None`` when none is available."""
        core = self._core
        with core.lock:
            now = core.clock()
            core.health.advance(now)
            call = _of_pool(Call(CHAT, pool.name, {}, options=CallOptions(only_providers=only_providers)), pool)
            ready = pool.subset(pool.available & pool.index.allowed(call) & ~pool.index.other_spaces(None, pool.operations))
            if not ready:
                return None
            rng = random.Random(0)  # noqa: S311 - the mesh's own source must not advance
            try:
                chosen = pool.strategy.select(ready, SelectionRequest(call, pool.name, now, rng))
            except RoutingError:
                return None
        place = pool.position(chosen.candidate if isinstance(chosen, SelectionResult) else chosen)
        return None if place is None else pool.members[place]

    def pool_status(self, pool: str | None = None) -> dict[str, PoolInfo]:
        """Return a summary of the health of each pool, or of one."""
        with self._core.lock:
            pools = [self._router.get_pool(pool)] if pool else self.list_pools()
            return {one.name: status.PoolInfo.of(one, self.current(one), self._core.clock()) for one in pools}

    def limits(self) -> tuple[dict[str, Any], ...]:
        """Return the remaining amount of every limit, as rows of ``PoolInfo.left``."""
        core = self._core
        with core.lock:
            now = core.unix_now()
            return tuple(forecast(counter, now) for counter in core.reservations.counters(self.list_pools()).values())

    def active_providers(self) -> list[str]:
        """Return the keys of the providers that have an active model."""
        return list(dict.fromkeys(one.provider_id for pool in self.list_pools() for one in pool.get_active_models()))

    def explain(self, model: str, call: Call | None = None) -> explaining.Explanation:
        """Return where a request would go now, and why, without sending it.

        Args:
            model: Pool, capability or model, or the name of an operation of accounts.
            call: The request.

        Raises:
            BadRequestError: Nothing can serve the request.
            CapabilityNotFoundError: No pool serves the name.
        """
        core = self._core
        call = Call(OPERATIONS.get(model, CHAT), model, {}) if call is None else requests.chat_call(call)
        if call.operation.scope is OperationScope.ACCOUNT:
            call = self._accounts.pinned(call)
            pool = self._accounts.pool(call.operation)
        else:
            pool = self._router.resolve(model or call.pool)
            call = _of_pool(call, pool)
            if call.account is None:
                call = resource_owners.with_owner(call, pool, self._accounts.all_keys)
        with core.lock:
            rng = random.Random()  # noqa: S311 - a copy, so that the dry run does not change the next choice
            rng.setstate(core.rng.getstate())
            return explaining.explain(call, pool, clock=core.clock, rng=rng)

    def describe(self, pool: str | None, only_providers: Sequence[str]) -> str:
        """Return the pools and their models as text."""
        pools = [self._router.get_pool(pool)] if pool else self.list_pools()
        shown = frozenset(only_providers)
        return status.MultilineText("\n".join(status.describe(one, self.current(one, shown), shown) for one in pools))


def _of_pool(call: Call, pool: Pool) -> Call:
    """Return a call with the first operation that the pool serves, in place of a chat completion that the pool does not serve."""
    if call.operation is not CHAT or not pool.operations or CHAT.name in pool.operations:
        return call
    rows = (row for row in OPERATIONS.values() if row.name in pool.operations and row.scope is OperationScope.MODEL)
    operation = next(rows, CHAT)
    payload = {name: value for name, value in call.payload.items() if value or name != "messages"}
    if operation is SPEECH:
        payload.setdefault("input", "")  # its length determines the price
    return evolve(call, operation=operation, payload=payload)
