"""What a provider keeps whose model runs in this very process: all that holds without a wire."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, ClassVar

import pytest

from modelmesh.contracts import FailureClass, Kind
from modelmesh.contracts.call import Limits
from modelmesh.errors import ModelNotFoundError, ProviderError, ProviderTimeoutError
from modelmesh_cdk.testing.asking import MODEL, Asking
from modelmesh_cdk.testing.provider.catalogued import Catalogued
from modelmesh_cdk.testing.provider.requests import PIXEL, TOOL
from modelmesh_cdk.testing.provider.streams import deltas_of, finishes_of, texts_of
from modelmesh_cdk.testing.turns import Turn

IMPATIENT = Limits(first_content=0.1, gap=0.1, answer=0.1, total=0.1)
BEYOND: dict[str, dict[str, Any]] = {
    "supports_tools": {"tools": [TOOL]},
    "supports_images": {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": PIXEL}}]}]},
}

Play = Callable[[Turn], Asking]


class InProcessProviderConformance(Catalogued):
    """Derive a test class, set ``provider_class``, and let ``make`` build it over a stand-in of its engine.

    Nothing here asks for HTTP: there is no address, no key and no header, and no check of them is skipped in silence.

    Example:
        ::

            class TestOwnModel(InProcessProviderConformance):
                provider_class = OwnModelProvider

                def make(self, turn: Turn) -> OwnModelProvider:
                    return OwnModelProvider(engine=Says(turn))
    """

    kind = Kind.PROVIDER

    provider_class: ClassVar[Any]
    """The class that the entry point names."""

    model: ClassVar[str] = MODEL
    """The name under which the provider that ``make`` builds has its model."""

    supports_usage: bool = True
    """It says how many tokens it took."""

    supports_tools: bool = True
    """It takes tools. Set to ``False``, a request with tools must be refused."""

    supports_images: bool = True
    """It looks at images. Set to ``False``, a message that holds one must be refused."""

    stops_within_s: float = 10.0
    """How long the engine may take to hear that nobody listens any more."""

    @property
    def connector(self) -> Any:
        """The class under test."""
        return self.provider_class

    def make(self, turn: Turn) -> Any:
        """Return a provider whose engine does what the turn says, whatever it is asked."""
        message = f"{type(self).__name__} needs a method make(self, turn) that returns a provider whose engine plays the turn"
        raise NotImplementedError(message)

    @pytest.fixture
    def provider(self) -> Any:
        """One that answers."""
        return self.make(Turn())

    @pytest.fixture(params=["sync", "async"])
    def play(self, request: pytest.FixtureRequest) -> Iterator[Play]:
        """Asks a provider that plays a turn, from a thread and from a task: every test that takes this runs both ways."""
        with ExitStack() as opened:
            yield lambda turn: opened.enter_context(
                Asking(self.make(turn), in_task=request.param == "async", model=self.model),
            )

    # -- a whole answer -----------------------------------------------------------------------------------------------

    def test_answer_is_whole(self, play: Play) -> None:
        """An answer has OpenAI's shape, an ID, and the model's text to the last byte."""
        turn = Turn()
        body = play(turn).answer().body
        message = body["choices"][0]["message"]
        assert (body["object"], message["role"], message["content"]) == ("chat.completion", "assistant", "".join(turn.words))
        assert body["id"]

    def test_answer_names_the_model(self, play: Play) -> None:
        """The model goes by the name under which it was asked for, not by a path of this machine."""
        assert play(Turn()).answer().body["model"] == self.model

    @pytest.mark.parametrize("reason", ["stop", "length"])
    def test_answer_has_its_finish_reason(self, reason: str, play: Play) -> None:
        """Why the answer ends is the engine's word."""
        assert play(Turn(finish=reason)).answer().body["choices"][0]["finish_reason"] == reason

    def test_answer_has_its_usage(self, play: Play) -> None:
        """Token counts are the engine's."""
        self.require("supports_usage")
        turn = Turn()
        usage = play(turn).answer().body["usage"]
        assert {name: usage.get(name) for name in turn.usage or ()} == turn.usage

    def test_unknown_usage_is_not_zero(self, play: Play) -> None:
        """An engine that says nothing of tokens has not said zero."""
        usage = play(Turn(usage=None)).answer().body.get("usage")
        assert not usage or all(count is None for count in usage.values())

    def test_answer_without_finish_is_a_failure(self, play: Play) -> None:
        """An engine that ends without a reason has not answered."""
        with pytest.raises(ProviderError) as caught:
            play(Turn(finish=None)).answer()
        assert caught.value.failure in (FailureClass.PROTOCOL, FailureClass.SERVER)

    # -- a stream -----------------------------------------------------------------------------------------------------

    def test_stream_has_its_text(self, play: Play) -> None:
        """The pieces of the text come one by one and make the model's text, to the last byte."""
        turn = Turn()
        assert [text for text in texts_of(play(turn).chunks()) if text] == list(turn.words)

    def test_stream_says_the_role_once(self, play: Play) -> None:
        """The role stands in the first chunk with a choice and in no other."""
        roles = [delta.get("role") for delta in deltas_of(play(Turn()).chunks())]
        assert roles[0] == "assistant"
        assert not any(roles[1:])

    def test_stream_has_one_id(self, play: Play) -> None:
        """All chunks have the ID of the answer, and the model's name in the mesh."""
        chunks = play(Turn()).chunks()
        assert all(chunk.get("id") for chunk in chunks)
        assert len({chunk["id"] for chunk in chunks}) == 1
        assert {(chunk.get("object"), chunk.get("model")) for chunk in chunks} == {("chat.completion.chunk", self.model)}

    @pytest.mark.parametrize("reason", ["stop", "length"])
    def test_stream_has_its_finish_reason(self, reason: str, play: Play) -> None:
        """Why the answer ends is said once, in the engine's word."""
        assert finishes_of(play(Turn(finish=reason)).chunks()) == [reason]

    def test_stream_has_its_usage(self, play: Play) -> None:
        """Token counts come once, in a chunk of their own when that was asked for."""
        self.require("supports_usage")
        turn = Turn()
        for options in ({}, {"stream_options": {"include_usage": True}}):
            found = [chunk for chunk in play(turn).chunks(options) if chunk.get("usage")]
            assert [{name: chunk["usage"].get(name) for name in turn.usage or ()} for chunk in found] == [turn.usage]
            assert not options or not found[0]["choices"]

    def test_stream_without_finish_is_never_complete(self, play: Play) -> None:
        """A stream whose engine ends without a reason fails or has no finish reason; none is ever invented."""
        turn = Turn(finish=None)
        chunks, _ = play(turn).pieces()
        assert finishes_of(chunks) == []
        assert "".join(texts_of(chunks)) == "".join(turn.words)

    def test_stream_may_be_closed_twice(self, play: Play) -> None:
        """Closing twice is harmless, after the end and before it."""
        for most in (None, 2):
            ask = play(Turn())
            ask.closes = 2
            assert ask.chunks(most=most)

    def test_closing_early_stops_the_engine(self, play: Play) -> None:
        """When the caller has heard enough, the engine stops and is free for the next request."""
        turn = Turn(endless=True)
        ask = play(turn)
        assert len(ask.chunks(most=2)) == 2  # noqa: PLR2004 - as many as were wanted
        assert turn.stopped.wait(self.stops_within_s), "the engine works on"

    # -- failures -----------------------------------------------------------------------------------------------------

    @pytest.mark.parametrize("stream", [False, True])
    @pytest.mark.parametrize("error", [RuntimeError("out of memory"), MemoryError(), OSError("no such device")], ids=repr)
    def test_engine_that_breaks_is_a_failure(self, error: Exception, stream: bool, play: Play) -> None:  # noqa: FBT001
        """Whatever the engine raises is a typed failure, in a stream after the text that had come; never an end."""
        ask = play(Turn(error=error))
        with pytest.raises(ProviderError):
            ask.chunks() if stream else ask.answer()
        if stream:
            chunks, _ = ask.pieces()
            assert ("".join(texts_of(chunks)), finishes_of(chunks)) == ("".join(Turn().words), [])

    @pytest.mark.parametrize("stream", [False, True])
    def test_limits_are_kept(self, stream: bool, play: Play) -> None:  # noqa: FBT001 - a parameter of pytest
        """An engine that does not answer within the limits is a typed timeout, and is stopped."""
        turn = Turn(words=(), endless=True)
        ask = play(turn)
        ask.limits = IMPATIENT
        with pytest.raises(ProviderTimeoutError) as caught:
            ask.chunks() if stream else ask.answer()
        assert caught.value.failure is FailureClass.TIMEOUT
        assert turn.stopped.wait(self.stops_within_s), "the engine works on"

    def test_unknown_model_is_not_found(self, play: Play) -> None:
        """Asked for a model it does not have, the provider says so and does not answer with another."""
        with pytest.raises(ModelNotFoundError):
            play(Turn()).answer(model="a-model-of-tomorrow")

    @pytest.mark.parametrize("capability", BEYOND)
    def test_what_it_cannot_do_is_refused(self, capability: str, play: Play) -> None:
        """What the model cannot do goes to another one: refused by class, not left out of the question."""
        if getattr(self, capability):
            pytest.skip(f"{capability} is True: nothing to refuse")
        with pytest.raises(ProviderError) as caught:
            play(Turn()).answer(BEYOND[capability])
        assert caught.value.failure is FailureClass.CAPABILITY

    # -- its manners --------------------------------------------------------------------------------------------------

    @pytest.mark.parametrize("stream", [False, True])
    def test_call_is_not_changed(self, stream: bool, play: Play) -> None:  # noqa: FBT001 - a parameter of pytest
        """The call is shared with other attempts: whatever the connector adapts, it adapts a copy."""
        ask = play(Turn())
        payload = {"temperature": 0, "stop": ["\n\n"], "messages": [{"role": "developer", "content": "Be brief."}]}
        ask.chunks(payload) if stream else ask.answer(payload)
        assert ask.call.payload == ask.sent

    def test_provider_may_be_closed_twice(self, play: Play) -> None:
        """Closing twice is harmless, whether the provider was used or not."""
        for used in (False, True):
            ask = play(Turn())
            if used:
                ask.answer()
            ask.close()
            ask.close()
