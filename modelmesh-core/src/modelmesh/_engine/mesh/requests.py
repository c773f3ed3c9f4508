"""Server of the clients' requests: from a call to an answer or an open stream."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from modelmesh._engine.foundation.lazy_import import LazyModule
from modelmesh._engine.limits.token_counts import prompt_size
from modelmesh._engine.routing.pool_policy import Adaptation
from modelmesh.contracts.operations import OperationScope
from modelmesh.errors import ModelMeshError

if TYPE_CHECKING:
    from modelmesh._engine.execution import stream_drain
    from modelmesh._engine.execution.aio import AsyncDriver
    from modelmesh._engine.mesh import chat_calls, resource_owners
    from modelmesh._engine.mesh.accounts import AccountPools
    from modelmesh._engine.mesh.core import MeshCore
    from modelmesh._engine.routing import attempt_settlement, caller_rights, final_errors, flow
    from modelmesh._engine.routing.pool import Pool
    from modelmesh._engine.routing.router import Router
    from modelmesh._engine.routing.steps import Served
    from modelmesh._engine.telemetry.reporting import Reporter
    from modelmesh.contracts.call import Call
else:  # the first request imports them
    stream_drain = LazyModule(globals(), "stream_drain", "modelmesh._engine.execution.stream_drain")
    attempt_settlement = LazyModule(globals(), "attempt_settlement", "modelmesh._engine.routing.attempt_settlement")
    final_errors = LazyModule(globals(), "final_errors", "modelmesh._engine.routing.final_errors")
    caller_rights = LazyModule(globals(), "caller_rights", "modelmesh._engine.routing.caller_rights")
    flow = LazyModule(globals(), "flow", "modelmesh._engine.routing.flow")
    chat_calls = LazyModule(globals(), "chat_calls", "modelmesh._engine.mesh.chat_calls")
    resource_owners = LazyModule(globals(), "resource_owners", "modelmesh._engine.mesh.resource_owners")

_OF_MODEL = OperationScope.MODEL


class RequestServer:
    """Serves requests of threads and of tasks, between :meth:`open` and :meth:`close`.

    Attributes:
        clock: Monotonic seconds.
    """

    def __init__(self, core: MeshCore, on_fork: Callable[[], None]) -> None:
        """Initialize a closed server.

        Args:
            core: The shared core of the mesh.
            on_fork: Called before the first request in a forked child process.
        """
        self.clock = core.clock
        self._core, self._on_fork = core, on_fork
        self._pid = os.getpid()
        self._router: Router | None = None
        self._reporter: Reporter | None = None
        self._accounts: AccountPools | None = None
        self.is_open = False

    def open(self, router: Router, reporter: Reporter, accounts: AccountPools) -> None:
        """Accept requests from now on."""
        self._router, self._reporter, self._accounts = router, reporter, accounts
        self.is_open = True

    def close(self) -> bool:
        """Reject requests from now on. Return whether the server was open."""
        was_open, self.is_open = self.is_open, False
        if was_open:
            self._handle_fork()
        return was_open

    def serve(self, call: Call) -> Served:
        """Serve one request in this thread.

        Raises:
            ModelMeshError: No candidate answered, or the request is wrong.
        """
        if call.operation.scope is _OF_MODEL:
            return self._serve(call)
        steps = self._account_pools().requests(call)
        try:
            one = next(steps)
            while True:
                one = steps.send(self._serve(one))
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]

    def aserve(self, call: Call) -> Coroutine[Any, Any, Served]:
        """Serve one request in this task.

        Raises:
            ModelMeshError: No candidate answered, or the request is wrong.
        """
        return self._aserve(call) if call.operation.scope is _OF_MODEL else self._aserve_account(call)

    async def _aserve_account(self, call: Call) -> Served:
        steps = self._account_pools().requests(call)
        try:
            one = next(steps)
            while True:
                one = steps.send(await self._aserve(one))
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]

    def _serve(self, call: Call) -> Served:
        pool, call, reporter, began, attempts = self._begin(call)
        core = self._core
        try:
            served = core.driver.run(flow.serve(call, pool, clock=core.clock, rng=core.rng, attempts=attempts))
        except BaseException as error:
            reporter.report_failure(call, pool, error, attempts, began)
            raise
        reporter.report_answer(call, served, began)
        return served

    def aconnect(self, call: Call, driver: AsyncDriver) -> Coroutine[Any, Any, Served]:
        """Open a session at one candidate with a driver of its own, in this task.

        Raises:
            ModelMeshError: No candidate opened the session, or the request is wrong.
        """
        return self._aserve(call, driver)

    async def _aserve(self, call: Call, driver: AsyncDriver | None = None) -> Served:
        pool, call, reporter, began, attempts = self._begin(call)
        core = self._core
        try:
            served = await (driver or core.adriver).run(flow.serve(call, pool, clock=core.clock, rng=core.rng, attempts=attempts))
        except BaseException as error:
            reporter.report_failure(call, pool, error, attempts, began)
            raise
        reporter.report_answer(call, served, began)
        return served

    def stream(self, call: Call, served: Served) -> Iterator[Any]:
        """Return a generator of the items of an open stream, of the kind of the call that was sent."""
        return self._core.driver.stream(served, self._done(call, served), asked_usage=_asked_usage(served.sent))

    def astream(self, call: Call, served: Served) -> AsyncIterator[Any]:
        """Return an asynchronous generator of the items of an open stream, of the kind of the call that was sent."""
        return self._core.adriver.stream(served, self._done(call, served), asked_usage=_asked_usage(served.sent))

    def abatches(self, call: Call, served: Served) -> AsyncGenerator[Sequence[Any]]:
        """Return an asynchronous generator of the same items, those that arrived together in one batch."""
        return self._core.adriver.batches(served, self._done(call, served), asked_usage=_asked_usage(served.sent))

    def discard_stream(self, call: Call, served: Served) -> None:
        """Close a stream of which no chunk was read, and record it."""
        try:
            stream_drain.drain(served.outcome)
            served.outcome.stream.close()  # type: ignore[union-attr]
        finally:
            self.record_discarded(call, served)

    async def adiscard_stream(self, call: Call, served: Served) -> None:
        """Close a stream of which no chunk was read, and record it."""
        try:
            await stream_drain.adrain(served.outcome)
            await served.outcome.stream.aclose()  # type: ignore[union-attr]
        finally:
            self.record_discarded(call, served)

    def record_discarded(self, call: Call, served: Served) -> None:
        """Record a discarded stream without closing its connection."""
        assert self._reporter is not None
        with self._core.lock:
            attempt_settlement.abandon(served, self._core.clock())
        self._reporter.report_stream_end(call, served, None, self._core.clock())

    @property
    def core(self) -> MeshCore:
        """The shared core of the mesh."""
        return self._core

    def record_session(self, call: Call, served: Served, error: Exception | None, began: float) -> None:
        """Record a session that was settled."""
        assert self._reporter is not None
        self._reporter.report_stream_end(call, served, error, began)

    def _done(self, call: Call, served: Served) -> Callable[[Exception | None], None]:
        began, reporter = self._core.clock(), self._reporter
        assert reporter is not None
        return lambda error: reporter.report_stream_end(call, served, error, began)

    def _account_pools(self) -> AccountPools:
        self._check_open()
        assert self._accounts is not None
        return self._accounts

    def _check_open(self) -> None:
        if not self.is_open:
            message = "this mesh is shut down, or was never initialized; make a new one with modelmesh.create(…)"
            raise ModelMeshError(message)
        if self._pid != os.getpid():
            self._handle_fork()

    def _begin(self, call: Call) -> tuple[Pool, Call, Reporter, float, list[Any]]:
        self._check_open()
        assert self._reporter is not None
        assert self._router is not None
        if call.operation.translates:
            call = chat_call(call)
        caller = call.options.caller
        if call.operation.scope is not _OF_MODEL:
            pool = self._account_pool(call)
        elif caller is None or caller.pools is None:
            pool = self._router.resolve(call.pool, call.operation)
        else:
            caller_rights.check_parameters(call, caller)
            pool = self._router.resolve_for(caller, call.pool, call.operation)
        if pool.operations and call.operation.name not in pool.operations:
            pools = caller_rights.allowed_pools(caller, self._router.list_pools())
            raise final_errors.wrong_operation(pool, call, pools)
        if call.account is None:
            assert self._accounts is not None
            call = resource_owners.with_owner(call, pool, self._accounts.all_keys)
        call.strict = pool.policy.adaptation is Adaptation.STRICT
        if call.native is not None:
            call.native.strict = call.strict
            if call.strict and call.lost and not call.native_only:
                call.native_only = f"adaptation: strict refuses the translation: {call.lost[0]}"
        prompt_size(call)  # counted here because a long prompt takes a while, and the flow runs under the lock
        return pool, call, self._reporter, self._core.clock(), []

    def _account_pool(self, call: Call) -> Pool:
        assert self._accounts is not None
        return self._accounts.pool(call.operation)

    def __deepcopy__(self, memo: dict[int, Any]) -> RequestServer:
        return self

    def __reduce__(self) -> NoReturn:
        message = "a client cannot be pickled: it holds connections and locks. Create one in each process: modelmesh.create(…)"
        raise TypeError(message)

    def _handle_fork(self) -> None:
        if self._pid != os.getpid():
            self._pid = os.getpid()
            self._on_fork()


def chat_call(call: Call) -> Call:
    """Return the chat call of a request in another format, and any other call unchanged.

    Raises:
        BadRequestError: Nothing can serve the request.
    """
    return chat_calls.translate(call) if call.operation.translates and call.native is None else call


def _asked_usage(call: Call) -> bool:
    options = call.payload.get("stream_options")
    return bool(isinstance(options, Mapping) and options.get("include_usage"))
