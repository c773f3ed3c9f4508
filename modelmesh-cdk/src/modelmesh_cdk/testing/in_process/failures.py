"""Tests of failures of the engine, time limits and cancellation of complete answers."""

from __future__ import annotations

import asyncio

import pytest

from modelmesh.contracts import FailureClass
from modelmesh.errors import ProviderError, ProviderTimeoutError
from modelmesh_cdk.testing.in_process.subject import ENGINE_ERRORS, LONG_LIMITS, SHORT_LIMITS, InProcessSubject, Play, model_of
from modelmesh_cdk.testing.scripted_model import ScriptedModel


class Failures(InProcessSubject):
    """An exception is a typed error. A limit and a cancellation stop the engine."""

    @pytest.mark.parametrize("error", ENGINE_ERRORS, ids=repr)
    def test_engine_exception_is_a_failure(self, error: Exception, play: Play) -> None:
        """An exception of the engine becomes a typed error, and the next request is served."""
        script = ScriptedModel(error=error)
        ask = play(script)
        with pytest.raises(ProviderError) as caught:
            self.send(ask)
        assert caught.value.failure is FailureClass.SERVER
        script.error = None
        assert self.send(ask).body

    def test_limits_stop_the_engine(self, play: Play) -> None:
        """An engine that exceeds the limits is stopped with a typed timeout."""
        script = ScriptedModel(endless=True)
        ask = play(script)
        ask.limits = SHORT_LIMITS
        with pytest.raises(ProviderTimeoutError) as caught:
            self.send(ask)
        assert caught.value.failure is FailureClass.TIMEOUT
        assert self.is_stopped(script), "the engine works on"

    def test_cancelled_task_stops_the_engine(self) -> None:
        """A task waits without blocking its event loop. Its cancellation stops the engine."""
        script = ScriptedModel(endless=True)
        provider = self.make(script)

        async def cancel() -> None:
            task = asyncio.create_task(provider.asend(self.call(), model_of(provider), LONG_LIMITS))
            assert await asyncio.to_thread(script.started.wait, self.stops_within_s), "the engine does not start"
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        asyncio.run(cancel())
        assert script.stopped.wait(self.stops_within_s), "the engine works on"
        provider.close()
