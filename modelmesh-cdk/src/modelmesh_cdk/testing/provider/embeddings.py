"""What becomes of a request for embeddings."""

from __future__ import annotations

import json
import traceback
from typing import Any

import pytest

from modelmesh.contracts import EMBEDDINGS, FailureClass
from modelmesh.errors import ProviderError
from modelmesh_cdk.testing.asking import MODEL, Asking
from modelmesh_cdk.testing.dialects.samples import USAGE_OF_EMBEDDINGS, WORDS, embedding_answer
from modelmesh_cdk.testing.dialects.shape import unpacked
from modelmesh_cdk.testing.provider.subject import KEY, Subject
from modelmesh_cdk.testing.upstream import Script, Upstream

_F = FailureClass
TEXTS = ("".join(WORDS), "", "Why?")


class Embeddings(Subject):
    """The texts arrive, and each text's vector comes back in its place, in the form that was asked."""

    def embedded(self, ask: Asking, upstream: Upstream, body: dict[str, Any] | None = None, **payload: Any) -> dict[str, Any]:
        """Return what the caller gets for these parameters when the vendor answers with this."""
        self.require("supports_embeddings")
        answer = embedding_answer(self.wire.vectors[: len(payload["input"])]) if body is None else body
        upstream.then(lambda received: Script(200, self.wire.embeddings(answer, received)))
        got = ask.embeddings(payload)
        ask.adapted = tuple(got.adapted)
        assert isinstance(got.body, dict), "an answer is a dictionary"
        return got.body

    @pytest.mark.parametrize("given", ["Grüß dich!", list(TEXTS)], ids=["text", "list"])
    def test_texts_to_embed_arrive(self, given: str | list[str], ask: Asking, upstream: Upstream) -> None:
        """One text or many arrive in one request to the operation's own path, in order, the empty one among them."""
        texts = [given] if isinstance(given, str) else given
        self.embedded(ask, upstream, embedding_answer(self.wire.vectors[: len(texts)]), input=given)
        (received,) = upstream.received
        assert received.method == "POST"
        assert received.path.endswith(self.wire.path(EMBEDDINGS.name, MODEL)), received.path
        question = self.wire.embedding_question(upstream.last)
        arrived = question["input"]
        assert ([arrived] if isinstance(arrived, str) else arrived, question["model"]) == (texts, MODEL)

    def test_absent_parameters_of_embeddings_stay_absent(self, ask: Asking, upstream: Upstream) -> None:
        """What was not said of embeddings is not sent, unless the vendor cannot do without."""
        self.embedded(ask, upstream, input=["a"])
        assert set(self.wire.embedding_question(upstream.last)) == {"model", "input", *self.wire.required_to_embed}

    @pytest.mark.parametrize("tokens", [[9906, 0], [[9906], [11, 1917]]], ids=["one text", "two texts"])
    def test_tokens_to_embed_arrive_or_are_refused(self, tokens: list[Any], ask: Asking, upstream: Upstream) -> None:
        """Numbers of tokens arrive as they are, or the model is said to be unable before anything is sent."""
        self.require("supports_embeddings")
        answer = embedding_answer(self.wire.vectors[: len(tokens) if isinstance(tokens[0], list) else 1])
        upstream.then(lambda received: Script(200, self.wire.embeddings(answer, received)))
        refused: ProviderError | None = None
        try:
            ask.embeddings({"input": tokens})
        except ProviderError as error:
            refused = error
        if refused is None:
            assert self.wire.embedding_question(upstream.last)["input"] == tokens
        else:
            assert (refused.failure, upstream.received) == (_F.CAPABILITY, []), repr(refused)

    def test_dimensions_of_embeddings_arrive(self, ask: Asking, upstream: Upstream) -> None:
        """How long the vectors are to be arrives."""
        self.embedded(ask, upstream, input=["a"], dimensions=3)
        assert self.wire.embedding_question(upstream.last).get("dimensions") == 3  # noqa: PLR2004 - as was asked

    def test_unknown_parameters_of_embeddings_arrive(self, ask: Asking, upstream: Upstream) -> None:
        """A parameter that the connector has never heard of reaches the vendor here, too."""
        invented = {"deep": [1, {"nested": None}], "text": "ü"}
        self.embedded(ask, upstream, input=["a"], a_parameter_of_tomorrow=invented)
        assert self.wire.embedding_question(upstream.last).get("a_parameter_of_tomorrow") == invented

    @pytest.mark.parametrize("form", [None, "float", "base64"])
    def test_embeddings_come_in_the_form_that_was_asked(self, form: str | None, ask: Asking, upstream: Upstream) -> None:
        """Vectors are lists of numbers, or base64 of 32-bit floats when that was asked, whatever form the vendor has."""
        asked: dict[str, Any] = {} if form is None else {"encoding_format": form}
        rows = self.embedded(ask, upstream, None, input=list(TEXTS), **asked)["data"]
        kind = str if form == "base64" else list
        assert {type(row["embedding"]) for row in rows} == {kind}
        assert [unpacked(row["embedding"]) if kind is str else row["embedding"] for row in rows] == [
            *map(list, self.wire.vectors)
        ]

    def test_embeddings_are_in_the_order_of_their_texts(self, ask: Asking, upstream: Upstream) -> None:
        """The index of a vector is the place of its text."""
        rows = self.embedded(ask, upstream, input=list(TEXTS))["data"]
        assert [(row["index"], row["embedding"]) for row in rows] == list(enumerate(map(list, self.wire.vectors)))

    def test_embeddings_have_their_usage(self, ask: Asking, upstream: Upstream) -> None:
        """Token counts of embeddings are the vendor's; when it says nothing, they are not zero."""
        if self.supports_embedding_usage:
            usage = self.embedded(ask, upstream, input=list(TEXTS))["usage"]
            assert {name: usage.get(name) for name in USAGE_OF_EMBEDDINGS} == USAGE_OF_EMBEDDINGS
        untold = self.embedded(ask, upstream, embedding_answer(self.wire.vectors, usage=False), input=list(TEXTS)).get("usage")
        assert not untold or all(count is None for count in untold.values())

    def test_call_for_embeddings_is_not_changed(self, ask: Asking, upstream: Upstream) -> None:
        """What is asked for embeddings is shared with other attempts, too."""
        self.embedded(ask, upstream, input=list(TEXTS), dimensions=3, encoding_format="base64", user="a")
        assert ask.call.payload == ask.sent

    def test_refusal_of_embeddings_has_its_class(self, ask: Asking, upstream: Upstream) -> None:
        """A refusal of embeddings has its class and its delay, as one of a chat has."""
        self.require("supports_embeddings")
        upstream.then(self.wire.refusal(429, "test", wait=7))
        with pytest.raises(ProviderError) as caught:
            ask.embeddings({"input": ["a"]})
        assert (caught.value.failure, caught.value.upstream_delay_s) == (_F.THROTTLE, 7.0)

    @pytest.mark.parametrize("body", [b"<html>Welcome</html>", b""], ids=["page", "nothing"])
    def test_no_embeddings_are_a_failure(self, body: bytes, ask: Asking, upstream: Upstream) -> None:
        """A success without embeddings is no answer."""
        self.require("supports_embeddings")
        upstream.then(Script(200, body))
        with pytest.raises(ProviderError) as caught:
            ask.embeddings({"input": ["a"]})
        assert caught.value.failure is _F.PROTOCOL

    def test_key_of_embeddings_is_sent_once_and_not_shown(self, ask: Asking, upstream: Upstream) -> None:
        """For embeddings as for chats, the key is where the vendor looks for it, nowhere else, and in no error."""
        self.embedded(ask, upstream, input=["a"])
        received = upstream.last
        assert self.wire.key(received) == KEY
        assert KEY not in received.path
        assert KEY.encode() not in received.body
        assert sum(KEY in value for value in received.headers.values()) == 1
        upstream.then(self.wire.refusal(400, f"Incorrect API key provided: {KEY}"))
        with pytest.raises(ProviderError) as caught:
            ask.embeddings({"input": ["a"]})
        assert KEY not in json.dumps([str(caught.value), repr(caught.value), repr(vars(caught.value))])
        assert KEY not in "".join(traceback.format_exception(caught.value))
