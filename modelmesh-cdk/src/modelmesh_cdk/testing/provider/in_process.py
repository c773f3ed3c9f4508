"""Conformance tests of providers whose model runs in the same process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, ClassVar

import pytest

from modelmesh.contracts import FailureClass, Kind
from modelmesh.contracts.call import Limits
from modelmesh.errors import ModelNotFoundError, ProviderError, ProviderTimeoutError
from modelmesh_cdk.testing.callers import MODEL, Caller
from modelmesh_cdk.testing.provider.catalogued import Catalogued
from modelmesh_cdk.testing.provider.requests import PIXEL, TOOL
from modelmesh_cdk.testing.provider.streams import deltas_of, finishes_of, texts_of
from modelmesh_cdk.testing.scripted_turns import Turn

SHORT_LIMITS = Limits(first_content=0.1, gap=0.1, answer=0.1, total=0.1)
BEYOND: dict[str, dict[str, Any]] = {
    "supports_tools": {"tools": [TOOL]},
    "supports_images": {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": PIXEL}}]}]},
}

Play = Callable[[Turn], Caller]


class InProcessProviderConformance(Catalogued):
    """Derive a test class, set ``provider_class``, and override ``make`` to build a provider with a scripted engine.

    Tests of HTTP, such as address, key and headers, are not part of this class. They are not reported as skipped.

    The class has more than 20 public methods because each of them is one test of the contract, and the author of a connector
    derives one class only.

    Example:
        ::

            class TestOwnModel(InProcessProviderConformance):
                provider_class = OwnModelProvider

                def make(self, turn: Turn) -> OwnModelProvider:
                    return OwnModelProvider(engine=Says(turn))
    """

    kind = Kind.PROVIDER

    provider_class: ClassVar[Any]
    """Class of the entry point."""

    model: ClassVar[str] = MODEL
    """Name of the model of the provider that ``make`` returns."""

    supports_usage: bool = True
    """The provider reports token counts."""

    supports_tools: bool = True
    """The provider accepts tools. If ``False``, it must reject a request with tools."""

    supports_images: bool = True
    """The provider accepts images. If ``False``, it must reject a message with an image."""

    stops_within_s: float = 10.0
    """Longest time in seconds until the engine stops after an early close."""

    @property
    def connector(self) -> Any:
        """The class under test."""
        return self.provider_class

    def make(self, turn: Turn) -> Any:
        """Return a provider whose engine follows the script for every request."""
        message = f"{type(self).__name__} needs a method make(self, turn) that returns a provider whose engine plays the turn"
        raise NotImplementedError(message)

    @pytest.fixture
    def provider(self) -> Any:
        """A provider that answers."""
        return self.make(Turn())

    @pytest.fixture(params=["sync", "async"])
    def play(self, request: pytest.FixtureRequest) -> Iterator[Play]:
        """Factory of callers of a scripted provider. Each test with this fixture runs from a thread and from a task."""
        with ExitStack() as opened:
            yield lambda turn: opened.enter_context(
                Caller(self.make(turn), in_task=request.param == "async", model=self.model),
            )

    # -- a whole answer -----------------------------------------------------------------------------------------------

    def test_response_is_complete(self, play: Play) -> None:
        """A response has OpenAI's format, an ID and the exact text of the model."""
        turn = Turn()
        body = play(turn).answer().body
        message = body["choices"][0]["message"]
        assert (body["object"], message["role"], message["content"]) == ("chat.completion", "assistant", "".join(turn.words))
        assert body["id"]

    def test_response_names_the_model(self, play: Play) -> None:
        """The response has the requested name of the model, not a path of this machine."""
        assert play(Turn()).answer().body["model"] == self.model

    @pytest.mark.parametrize("reason", ["stop", "length"])
    def test_response_has_finish_reason(self, reason: str, play: Play) -> None:
        """The finish reason is the engine's."""
        assert play(Turn(finish=reason)).answer().body["choices"][0]["finish_reason"] == reason

    def test_response_has_usage(self, play: Play) -> None:
        """Token counts are the engine's."""
        self.require("supports_usage")
        turn = Turn()
        usage = play(turn).answer().body["usage"]
        assert {name: usage.get(name) for name in turn.usage or ()} == turn.usage

    def test_response_unknown_usage_is_not_zero(self, play: Play) -> None:
        """Token counts that the engine does not report are not zero."""
        usage = play(Turn(usage=None)).answer().body.get("usage")
        assert not usage or all(count is None for count in usage.values())

    def test_response_without_finish_is_a_failure(self, play: Play) -> None:
        """A response of an engine that ends without a finish reason is an error."""
        with pytest.raises(ProviderError) as caught:
            play(Turn(finish=None)).answer()
        assert caught.value.failure in (FailureClass.PROTOCOL, FailureClass.SERVER)

    # -- a stream -----------------------------------------------------------------------------------------------------

    def test_stream_text_is_complete(self, play: Play) -> None:
        """The deltas of the text arrive one by one and form the exact text."""
        turn = Turn()
        assert [text for text in texts_of(play(turn).chunks()) if text] == list(turn.words)

    def test_stream_has_one_role(self, play: Play) -> None:
        """The role is in the first chunk with a choice and in no other."""
        roles = [delta.get("role") for delta in deltas_of(play(Turn()).chunks())]
        assert roles[0] == "assistant"
        assert not any(roles[1:])

    def test_stream_has_one_id(self, play: Play) -> None:
        """All chunks have the ID of the response and the model's name in the mesh."""
        chunks = play(Turn()).chunks()
        assert all(chunk.get("id") for chunk in chunks)
        assert len({chunk["id"] for chunk in chunks}) == 1
        assert {(chunk.get("object"), chunk.get("model")) for chunk in chunks} == {("chat.completion.chunk", self.model)}

    @pytest.mark.parametrize("reason", ["stop", "length"])
    def test_stream_has_one_finish_reason(self, reason: str, play: Play) -> None:
        """The finish reason occurs once and is the engine's."""
        assert finishes_of(play(Turn(finish=reason)).chunks()) == [reason]

    def test_stream_has_usage_once(self, play: Play) -> None:
        """Token counts occur once, in a separate chunk if requested."""
        self.require("supports_usage")
        turn = Turn()
        for options in ({}, {"stream_options": {"include_usage": True}}):
            found = [chunk for chunk in play(turn).chunks(options) if chunk.get("usage")]
            assert [{name: chunk["usage"].get(name) for name in turn.usage or ()} for chunk in found] == [turn.usage]
            assert not options or not found[0]["choices"]

    def test_stream_without_end_is_incomplete(self, play: Play) -> None:
        """A stream whose engine ends without a finish reason fails or has none. The connector never invents one."""
        turn = Turn(finish=None)
        chunks, _ = play(turn).pieces()
        assert finishes_of(chunks) == []
        assert "".join(texts_of(chunks)) == "".join(turn.words)

    def test_stream_close_may_be_repeated(self, play: Play) -> None:
        """A second close has no effect, before the end of the stream and after it."""
        for most in (None, 2):
            ask = play(Turn())
            ask.closes = 2
            assert ask.chunks(most=most)

    def test_stream_early_close_stops_the_engine(self, play: Play) -> None:
        """An early close stops the engine, which is then free for the next request."""
        turn = Turn(endless=True)
        ask = play(turn)
        assert len(ask.chunks(most=2)) == 2  # noqa: PLR2004 - as many as were wanted
        assert turn.stopped.wait(self.stops_within_s), "the engine works on"

    # -- failures -----------------------------------------------------------------------------------------------------

    @pytest.mark.parametrize("stream", [False, True])
    @pytest.mark.parametrize("error", [RuntimeError("out of memory"), MemoryError(), OSError("no such device")], ids=repr)
    def test_engine_exception_is_a_failure(self, error: Exception, stream: bool, play: Play) -> None:  # noqa: FBT001
        """An exception of the engine becomes a typed error, in a stream after the received text."""
        ask = play(Turn(error=error))
        with pytest.raises(ProviderError):
            ask.chunks() if stream else ask.answer()
        if stream:
            chunks, _ = ask.pieces()
            assert ("".join(texts_of(chunks)), finishes_of(chunks)) == ("".join(Turn().words), [])

    @pytest.mark.parametrize("stream", [False, True])
    def test_limits_stop_the_engine(self, stream: bool, play: Play) -> None:  # noqa: FBT001 - a parameter of pytest
        """An engine that exceeds the limits is stopped with a typed timeout."""
        turn = Turn(words=(), endless=True)
        ask = play(turn)
        ask.limits = SHORT_LIMITS
        with pytest.raises(ProviderTimeoutError) as caught:
            ask.chunks() if stream else ask.answer()
        assert caught.value.failure is FailureClass.TIMEOUT
        assert turn.stopped.wait(self.stops_within_s), "the engine works on"

    def test_unknown_model_is_not_found(self, play: Play) -> None:
        """A request for an unknown model is an error. No other model answers it."""
        with pytest.raises(ModelNotFoundError):
            play(Turn()).answer(model="a-model-of-tomorrow")

    @pytest.mark.parametrize("capability", BEYOND)
    def test_unsupported_feature_is_a_capability_error(self, capability: str, play: Play) -> None:
        """A request for an unsupported feature is a capability error. The feature is not dropped."""
        if getattr(self, capability):
            pytest.skip(f"{capability} is True: nothing to refuse")
        with pytest.raises(ProviderError) as caught:
            play(Turn()).answer(BEYOND[capability])
        assert caught.value.failure is FailureClass.CAPABILITY

    # -- its manners --------------------------------------------------------------------------------------------------

    @pytest.mark.parametrize("stream", [False, True])
    def test_call_is_not_changed(self, stream: bool, play: Play) -> None:  # noqa: FBT001 - a parameter of pytest
        """The connector does not modify the call, because other attempts share it."""
        ask = play(Turn())
        payload = {"temperature": 0, "stop": ["\n\n"], "messages": [{"role": "developer", "content": "Be brief."}]}
        ask.chunks(payload) if stream else ask.answer(payload)
        assert ask.call.payload == ask.sent

    def test_close_may_be_repeated(self, play: Play) -> None:
        """A second close has no effect, whether or not the provider served a request."""
        for used in (False, True):
            ask = play(Turn())
            if used:
                ask.answer()
            ask.close()
            ask.close()
