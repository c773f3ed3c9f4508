"""Tests of the catalogue row, loading, concurrent requests, forks, close, and the installed model."""

from __future__ import annotations

import asyncio
import os
import signal
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from modelmesh.capabilities.nodes import standard_tree
from modelmesh.contracts import FailureClass, ModelInfo
from modelmesh.contracts.operations import ReplyKind
from modelmesh.errors import ProviderError
from modelmesh_cdk.testing.in_process.subject import LONG_LIMITS, InProcessSubject, Play, model_of, record_connections
from modelmesh_cdk.testing.scripted_model import ScriptedModel

CHILD_S = 60.0


class LifeCycle(InProcessSubject):
    """One model serves threads, tasks and forked children, needs no network, and ends when it is closed."""

    def test_models_state_price_and_capability(self, provider: Any) -> None:
        """Each row of the catalogue has the capability of the operation and a price for it. A free model has the price 0."""
        tree = standard_tree()
        served = tree.get_node(self.operation.capability)
        for info in provider.models():
            assert served in map(tree.get_node, info.capabilities), info.id
            assert any(price is not None for price in _prices(info, self.price_names)), f"{info.id}: none of {self.price_names}"

    def test_construction_loads_nothing(self) -> None:
        """The model is loaded by the first request, not by the constructor or the catalogue. A second request loads nothing."""
        script = ScriptedModel()
        provider = self.make(script)
        provider.models()
        assert script.loads == 0
        for _ in range(2):
            provider.send(self.call(), model_of(provider), LONG_LIMITS)
        assert (script.loads, script.runs) == (1, 2)
        provider.close()

    def test_answer_is_valid(self, play: Play) -> None:
        """An answer has the kind and the keys that the table of operations states."""
        self.check_valid(self.send(play(ScriptedModel())).body)

    def test_threads_and_tasks_get_own_answers(self) -> None:
        """Threads and tasks that send different requests at the same time each get the answer to their own."""
        provider = self.make(ScriptedModel())
        name = model_of(provider)
        requests = (self.request, *self.other_requests)
        alone = [provider.send(self.call(request), name, LONG_LIMITS).body for request in requests]
        assert all(alone.count(body) == 1 for body in alone), "the engine's answer must depend on the request"

        async def tasks() -> list[Any]:
            return await asyncio.gather(*(provider.asend(self.call(request), name, LONG_LIMITS) for request in requests))

        with ThreadPoolExecutor(len(requests)) as pool:
            threads = [pool.submit(provider.send, self.call(request), name, LONG_LIMITS) for request in requests]
            from_tasks = asyncio.run(tasks())
        assert [answer.body for answer in from_tasks] == alone
        assert [thread.result().body for thread in threads] == alone
        provider.close()

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="requires fork")
    def test_forked_child_is_served(self) -> None:
        """After ``after_fork``, a forked child of a process with a loaded model is served, and so is the parent."""
        provider = self.make(ScriptedModel())
        name = model_of(provider)
        body = provider.send(self.call(), name, LONG_LIMITS).body

        def serve() -> bool:
            provider.after_fork()
            return bool(provider.send(self.call(), name, LONG_LIMITS).body == body)

        assert _in_child(serve), "the child is not served"
        assert provider.send(self.call(), name, LONG_LIMITS).body == body
        provider.close()

    def test_close_may_be_repeated(self, play: Play) -> None:
        """A second close has no effect, whether or not the provider served a request."""
        for used in (False, True):
            ask = play(ScriptedModel())
            if used:
                self.send(ask)
            ask.close()
            ask.close()

    def test_close_ends_a_running_request(self) -> None:
        """A close stops the engine. A request that waits for it fails as cancelled."""
        script = ScriptedModel(endless=True)
        provider = self.make(script)
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(provider.send, self.call(), model_of(provider), LONG_LIMITS)
            assert script.started.wait(self.stops_within_s), "the engine does not start"
            provider.close()
            with pytest.raises(ProviderError) as caught:
                running.result()
        assert caught.value.failure is FailureClass.CANCELLED
        assert script.stopped.wait(self.stops_within_s), "the engine works on"

    def test_installed_model_needs_no_network(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The installed model gives a valid answer. It opens no connection and resolves no name in Python."""
        used = record_connections(monkeypatch)
        provider = self.make_installed()
        try:
            self.check_valid(provider.send(self.call(), model_of(provider), LONG_LIMITS).body)
        finally:
            provider.close()
            assert used == []

    def check_valid(self, body: Any) -> None:
        """Check the body of a complete answer by the row of the operation."""
        if self.operation.reply is ReplyKind.BYTES:
            assert isinstance(body, bytes), f"the answer of {self.operation_name} is bytes"
            assert body
            return
        assert isinstance(body, dict), f"the answer of {self.operation_name} is an object"
        assert [key for key in self.operation.required_keys if body.get(key) is None] == []


def _prices(info: ModelInfo, names: tuple[str, ...]) -> list[float | None]:
    pricing = info.pricing
    holders = (pricing, pricing.units if pricing else None)
    return [getattr(holder, name, None) for name in names for holder in holders]


def _in_child(serve: Callable[[], bool]) -> bool:
    """Return whether the function returns ``True`` in a forked child. The child is ended after a time."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of any fork of a process with threads
        child = os.fork()
    if not child:
        served = False
        try:
            served = serve()
        finally:
            os._exit(0 if served else 1)
    deadline = time.monotonic() + CHILD_S
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status == 0
        time.sleep(0.005)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False
