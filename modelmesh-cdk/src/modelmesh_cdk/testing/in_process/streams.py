"""Tests of streamed answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import pytest

from modelmesh.contracts import FailureClass
from modelmesh.errors import ProviderError, ProviderTimeoutError
from modelmesh_cdk.testing.callers import Caller
from modelmesh_cdk.testing.in_process.subject import ENGINE_ERRORS, SHORT_LIMITS, InProcessSubject, Play
from modelmesh_cdk.testing.scripted_model import ScriptedModel


class Streams(InProcessSubject):
    """A stream contains the complete answer, ends once, and stops the engine when it is closed."""

    event_parameters: ClassVar[Mapping[str, Any]] = {}
    """Parameters of a request whose stream consists of events, set by the kit."""

    def whole_of(self, body: Any) -> Any:
        """Return the content of a complete answer."""
        raise NotImplementedError

    def joined(self, items: Sequence[Any]) -> Any:
        """Return the content of the items of a stream."""
        raise NotImplementedError

    def items(self, ask: Caller, *, most: int | None = None, **more: Any) -> tuple[list[Any], Exception | None]:
        """Return the items of the streamed request, and the error that ended the stream."""
        return ask.items(self.operation_name, {**self.request, **more}, most=most)

    def test_stream_is_complete(self, play: Play) -> None:
        """The items of a stream form the content of the complete answer, and there are several."""
        ask = play(ScriptedModel())
        items, error = self.items(ask)
        assert error is None
        assert len(items) > 1
        assert self.joined(items) == self.whole_of(self.send(ask).body)

    def test_stream_events_end_once(self, play: Play) -> None:
        """The last event of a stream of events has a final type, and no other event has one. The others have content."""
        items, error = self.items(play(ScriptedModel()), **self.event_parameters)
        assert error is None
        types = [item["type"] for item in items]
        final = self.operation.final_events
        assert [name for name in types if name in final] == types[-1:]
        assert all(name.startswith(self.operation.content_events) for name in types[:-1])

    def test_stream_close_may_be_repeated(self, play: Play) -> None:
        """A second close has no effect, before the end of the stream and after it."""
        for most in (None, 1):
            ask = play(ScriptedModel())
            ask.closes = 2
            items, error = self.items(ask, most=most)
            assert error is None
            assert items

    def test_stream_early_close_stops_the_engine(self, play: Play) -> None:
        """An early close stops the engine, which is then free for the next request."""
        script = ScriptedModel(endless=True)
        items, error = self.items(play(script), most=1)
        assert (len(items), error) == (1, None)
        assert self.is_stopped(script), "the engine works on"

    @pytest.mark.parametrize("error", ENGINE_ERRORS, ids=repr)
    def test_stream_exception_is_a_failure(self, error: Exception, play: Play) -> None:
        """An exception of the engine becomes a typed error after the received items. The stream has no final event."""
        items, raised = self.items(play(ScriptedModel(error=error)), **self.event_parameters)
        assert isinstance(raised, ProviderError), repr(raised)
        assert raised.failure is FailureClass.SERVER
        assert items
        assert all(item["type"] not in self.operation.final_events for item in items)

    def test_stream_limits_stop_the_engine(self, play: Play) -> None:
        """An engine that exceeds the limits of a stream is stopped with a typed timeout."""
        script = ScriptedModel(endless=True)
        ask = play(script)
        ask.limits = SHORT_LIMITS
        _, error = self.items(ask)
        assert isinstance(error, ProviderTimeoutError), repr(error)
        assert self.is_stopped(script), "the engine works on"
