"""Tests of embedding requests."""

from __future__ import annotations

import json
import traceback
from typing import Any

import pytest

from modelmesh.contracts import EMBEDDINGS, FailureClass
from modelmesh.errors import ProviderError
from modelmesh_cdk.testing.callers import MODEL, Caller
from modelmesh_cdk.testing.dialects.samples import USAGE_OF_EMBEDDINGS, WORDS, embedding_answer
from modelmesh_cdk.testing.dialects.shape import unpacked
from modelmesh_cdk.testing.provider.subject import KEY, Subject
from modelmesh_cdk.testing.upstream import Script, Upstream

_F = FailureClass
TEXTS = ("".join(WORDS), "", "Why?")


class Embeddings(Subject):
    """Texts arrive, and each vector returns in the place of its text and in the requested encoding."""

    def embedded(self, ask: Caller, upstream: Upstream, body: dict[str, Any] | None = None, **payload: Any) -> dict[str, Any]:
        """Return the caller's response for these parameters and this response of the vendor."""
        self.require("supports_embeddings")
        answer = embedding_answer(self.wire.vectors[: len(payload["input"])]) if body is None else body
        upstream.then(lambda received: Script(200, self.wire.write_embeddings(answer, received)))
        got = ask.embeddings(payload)
        ask.adapted = tuple(got.adapted)
        assert isinstance(got.body, dict), "an answer is a dictionary"
        return got.body

    @pytest.mark.parametrize("given", ["Grüß dich!", list(TEXTS)], ids=["text", "list"])
    def test_embedding_texts_arrive(self, given: str | list[str], ask: Caller, upstream: Upstream) -> None:
        """One text or many arrive in one request to the operation's path, in order, the empty text included."""
        texts = [given] if isinstance(given, str) else given
        self.embedded(ask, upstream, embedding_answer(self.wire.vectors[: len(texts)]), input=given)
        (received,) = upstream.received
        assert received.method == "POST"
        assert received.path.endswith(self.wire.path(EMBEDDINGS.name, MODEL)), received.path
        question = self.wire.read_embeddings(upstream.last)
        arrived = question["input"]
        assert ([arrived] if isinstance(arrived, str) else arrived, question["model"]) == (texts, MODEL)

    def test_embedding_request_adds_no_parameter(self, ask: Caller, upstream: Upstream) -> None:
        """A parameter that the caller omits is not sent, unless the vendor requires it or the connector asks for base64."""
        self.embedded(ask, upstream, input=["a"])
        added = set(self.wire.required_embedding_parameters)
        if getattr(self.connector, "requests_base64_embeddings", False):
            added.add("encoding_format")
        assert set(self.wire.read_embeddings(upstream.last)) == {"model", "input", *added}

    @pytest.mark.parametrize("tokens", [[9906, 0], [[9906], [11, 1917]]], ids=["one text", "two texts"])
    def test_embedding_tokens_arrive_or_are_refused(self, tokens: list[Any], ask: Caller, upstream: Upstream) -> None:
        """Token numbers arrive unchanged, or the connector raises a capability error before it sends anything."""
        self.require("supports_embeddings")
        answer = embedding_answer(self.wire.vectors[: len(tokens) if isinstance(tokens[0], list) else 1])
        upstream.then(lambda received: Script(200, self.wire.write_embeddings(answer, received)))
        refused: ProviderError | None = None
        try:
            ask.embeddings({"input": tokens})
        except ProviderError as error:
            refused = error
        if refused is None:
            assert self.wire.read_embeddings(upstream.last)["input"] == tokens
        else:
            assert (refused.failure, upstream.received) == (_F.CAPABILITY, []), repr(refused)

    def test_embedding_dimensions_arrive(self, ask: Caller, upstream: Upstream) -> None:
        """The requested vector length arrives."""
        self.embedded(ask, upstream, input=["a"], dimensions=3)
        assert self.wire.read_embeddings(upstream.last).get("dimensions") == 3  # noqa: PLR2004 - the requested value

    def test_embedding_unknown_parameters_arrive(self, ask: Caller, upstream: Upstream) -> None:
        """A parameter that the connector does not know reaches the vendor."""
        invented = {"deep": [1, {"nested": None}], "text": "ü"}
        self.embedded(ask, upstream, input=["a"], a_parameter_of_tomorrow=invented)
        assert self.wire.read_embeddings(upstream.last).get("a_parameter_of_tomorrow") == invented

    @pytest.mark.parametrize("form", [None, "float", "base64"])
    def test_embeddings_have_the_requested_encoding(self, form: str | None, ask: Caller, upstream: Upstream) -> None:
        """Vectors are lists of numbers, or base64 of 32-bit floats if requested, whatever the vendor's format is."""
        encoding: dict[str, Any] = {} if form is None else {"encoding_format": form}
        rows = self.embedded(ask, upstream, None, input=list(TEXTS), **encoding)["data"]
        kind = str if form == "base64" else list
        assert {type(row["embedding"]) for row in rows} == {kind}
        assert [unpacked(row["embedding"]) if kind is str else row["embedding"] for row in rows] == [
            *map(list, self.wire.vectors)
        ]

    def test_embeddings_have_the_order_of_texts(self, ask: Caller, upstream: Upstream) -> None:
        """The index of a vector is the place of its text."""
        rows = self.embedded(ask, upstream, input=list(TEXTS))["data"]
        assert [(row["index"], row["embedding"]) for row in rows] == list(enumerate(map(list, self.wire.vectors)))

    def test_embeddings_have_usage(self, ask: Caller, upstream: Upstream) -> None:
        """Token counts are the vendor's. Counts that the vendor does not report are not zero."""
        if self.supports_embedding_usage:
            usage = self.embedded(ask, upstream, input=list(TEXTS))["usage"]
            assert {name: usage.get(name) for name in USAGE_OF_EMBEDDINGS} == USAGE_OF_EMBEDDINGS
        untold = self.embedded(ask, upstream, embedding_answer(self.wire.vectors, usage=False), input=list(TEXTS)).get("usage")
        assert not untold or all(count is None for count in untold.values())

    def test_embedding_call_is_not_changed(self, ask: Caller, upstream: Upstream) -> None:
        """The connector does not modify the call, because other attempts share it."""
        self.embedded(ask, upstream, input=list(TEXTS), dimensions=3, encoding_format="base64", user="a")
        assert ask.call.payload == ask.sent

    def test_embedding_error_has_its_class(self, ask: Caller, upstream: Upstream) -> None:
        """An error response to an embedding request has its class and its delay."""
        self.require("supports_embeddings")
        upstream.then(self.wire.write_error(429, "test", wait=7))
        with pytest.raises(ProviderError) as caught:
            ask.embeddings({"input": ["a"]})
        assert (caught.value.failure, caught.value.upstream_delay_s) == (_F.THROTTLE, 7.0)

    @pytest.mark.parametrize("body", [b"<html>Welcome</html>", b""], ids=["page", "nothing"])
    def test_response_without_embeddings_is_a_failure(self, body: bytes, ask: Caller, upstream: Upstream) -> None:
        """A successful response without embeddings is an error."""
        self.require("supports_embeddings")
        upstream.then(Script(200, body))
        with pytest.raises(ProviderError) as caught:
            ask.embeddings({"input": ["a"]})
        assert caught.value.failure is _F.PROTOCOL

    def test_embedding_key_is_sent_once_and_not_shown(self, ask: Caller, upstream: Upstream) -> None:
        """The key is sent in the vendor's place only, and is in no error."""
        self.embedded(ask, upstream, input=["a"])
        received = upstream.last
        assert self.wire.key(received) == KEY
        assert KEY not in received.path
        assert KEY.encode() not in received.body
        assert sum(KEY in value for value in received.headers.values()) == 1
        upstream.then(self.wire.write_error(400, f"Incorrect API key provided: {KEY}"))
        with pytest.raises(ProviderError) as caught:
            ask.embeddings({"input": ["a"]})
        assert KEY not in json.dumps([str(caught.value), repr(caught.value), repr(vars(caught.value))])
        assert KEY not in "".join(traceback.format_exception(caught.value))
