"""Tests of streamed responses."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelmesh.contracts import FailureClass
from modelmesh.contracts.call import Limits
from modelmesh.errors import ProviderError
from modelmesh_cdk.testing.callers import Caller
from modelmesh_cdk.testing.dialects.samples import CALLS, USAGE, WORDS, text_chunks, tool_chunks
from modelmesh_cdk.testing.provider.subject import Subject
from modelmesh_cdk.testing.upstream import CONTINUE, Script, Upstream, event

ABANDONED_S = 10.0
"""Longest wait in seconds for the end of a connection."""


SILENCE_S = 6.0
"""Longest wait in seconds for a silent vendor. After the final event, the connector does not wait."""


class Streams(Subject):
    """Chunks are the vendor's and in order. A failed stream never looks complete."""

    def streamed(self, ask: Caller, upstream: Upstream, chunks: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the caller's chunks for chunks of the vendor."""
        self.stream_reply(upstream, chunks)
        return ask.chunks()

    def test_stream_text_is_complete(self, ask: Caller, upstream: Upstream) -> None:
        """The deltas of the text arrive one by one and form the exact text."""
        texts = [text for text in texts_of(self.streamed(ask, upstream, text_chunks())) if text]
        assert texts == list(WORDS)

    def test_stream_has_one_role(self, ask: Caller, upstream: Upstream) -> None:
        """The role is in the first chunk with a choice and in no other."""
        roles = [delta.get("role") for delta in deltas_of(self.streamed(ask, upstream, text_chunks()))]
        assert roles[0] == "assistant"
        assert not any(roles[1:])

    def test_stream_has_one_id(self, ask: Caller, upstream: Upstream) -> None:
        """All chunks have the ID of the response and the name of the model."""
        chunks = self.streamed(ask, upstream, text_chunks())
        assert {(chunk.get("id"), chunk.get("model")) for chunk in chunks} == {("chatcmpl-test", "test-model")}

    def test_stream_has_one_finish_reason(self, finish: tuple[str, str], ask: Caller, upstream: Upstream) -> None:
        """The finish reason occurs once. It is OpenAI's, or the vendor's own if OpenAI has none."""
        theirs, ours = finish
        assert finishes_of(self.streamed(ask, upstream, text_chunks(finish=theirs))) == [ours]

    def test_stream_has_usage_once(self, ask: Caller, upstream: Upstream) -> None:
        """Token counts are the vendor's and occur once."""
        self.require("supports_stream_usage")
        chunks = self.streamed(ask, upstream, text_chunks())
        assert [{name: chunk["usage"].get(name) for name in USAGE} for chunk in chunks if chunk.get("usage")] == [USAGE]

    def test_stream_keeps_unknown_fields(self, ask: Caller, upstream: Upstream) -> None:
        """Unknown fields reach the caller in their chunk."""
        sent = text_chunks()
        sent[1]["of_the_vendor"] = {"n": 0}
        sent[1]["choices"][0]["delta"]["of_the_delta"] = "ü"
        got = [chunk for chunk in self.streamed(ask, upstream, sent) if "of_the_vendor" in self.extra_fields_of(chunk, "chunk")]
        assert [(chunk["of_the_vendor"], self.extra_fields_of(chunk, "delta").get("of_the_delta")) for chunk in got] == [
            ({"n": 0}, "ü")
        ]

    def test_stream_tool_calls_are_complete(self, ask: Caller, upstream: Upstream) -> None:
        """The deltas of each call, joined by index, give its ID, name and arguments."""
        self.require("supports_tools")
        chunks = self.streamed(ask, upstream, tool_chunks())
        call = calls_of(chunks)[0]
        assert (call["id"], call["name"], json.loads(call["arguments"])) == (
            CALLS[0]["id"],
            CALLS[0]["function"]["name"],
            json.loads(CALLS[0]["function"]["arguments"]),
        )
        assert finishes_of(chunks) == ["tool_calls"]

    def test_stream_parallel_tool_calls_keep_indices(self, ask: Caller, upstream: Upstream) -> None:
        """Calls whose deltas alternate have separate indices that count from 0."""
        self.require("supports_tools")
        self.require("supports_parallel_tool_calls")
        calls = calls_of(self.streamed(ask, upstream, tool_chunks()))
        assert {index: (call["id"], self.arguments(call["arguments"])) for index, call in calls.items()} == {
            index: (call["id"], self.arguments(call["function"]["arguments"])) for index, call in enumerate(CALLS)
        }

    def test_stream_split_anywhere_gives_same_chunks(self, ask: Caller, upstream: Upstream) -> None:
        """The chunks do not depend on where the network splits the bytes, even within a character."""
        self.require("supports_streaming")
        body = b"".join(
            self.wire.write_stream(text_chunks()) if not self.supports_tools else self.wire.write_stream(_text_and_tool_chunks())
        )
        upstream.stream([body])
        whole = undated(ask.chunks())

        @settings(max_examples=25, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
        @given(st.lists(st.integers(1, len(body) - 1), unique=True, max_size=40).map(sorted))
        def check(cuts: list[int]) -> None:
            edges = [0, *cuts, len(body)]
            upstream.stream([body[start:end] for start, end in pairwise(edges)])
            assert undated(ask.chunks()) == whole

        check()
        upstream.stream([body[place : place + 1] for place in range(len(body))])
        assert undated(ask.chunks()) == whole

    def test_stream_ignores_line_ends_and_comments(self, ask: Caller, upstream: Upstream) -> None:
        """Events may end their lines with CR LF, and comments may separate them."""
        self.require("supports_streaming")
        events = self.wire.write_stream(text_chunks())
        upstream.stream(events)
        usual = undated(ask.chunks())
        upstream.stream([b": keep-alive\r\n\r\n" + one.replace(b"\n", b"\r\n") for one in events])
        assert undated(ask.chunks()) == usual

    def test_stream_without_end_is_incomplete(self, ask: Caller, upstream: Upstream) -> None:
        """A stream without its final event fails or has no finish reason. The connector never invents one."""
        self.stream_reply(upstream, text_chunks(("Hel", "lo"), finish=None, usage=False), done=False)
        chunks, _ = ask.pieces()
        assert finishes_of(chunks) == []
        assert "".join(texts_of(chunks)) == "Hello"

    def test_stream_ends_with_final_event(self, ask: Caller, upstream: Upstream) -> None:
        """The stream ends with the vendor's final event, even if data follows or the connection stays open."""
        self.require("supports_final_event")
        self.require("supports_streaming")
        later = self.wire.write_stream(text_chunks(("later",), finish=None, usage=False), done=False)
        upstream.then(Script(body=[*self.wire.write_stream(text_chunks()), *later, CONTINUE], content_type="text/event-stream"))
        ask.limits = Limits(total=SILENCE_S, first_content=SILENCE_S, gap=SILENCE_S)
        chunks, error = ask.pieces()
        assert error is None, f"the stream ended with {error!r}"
        assert len(finishes_of(chunks)) == 1
        assert "later" not in "".join(texts_of(chunks))

    def test_stream_disconnect_is_a_failure(self, ask: Caller, upstream: Upstream) -> None:
        """A connection that breaks in the middle raises a typed error after the received text."""
        self.stream_reply(upstream, text_chunks(("Hel", "lo"), finish=None, usage=False), done=False, cut=True)
        chunks, error = ask.pieces()
        assert "".join(texts_of(chunks)) == "Hello"
        assert isinstance(error, ProviderError), f"the stream ended with {error!r}"
        assert error.failure in (FailureClass.DISCONNECT, FailureClass.PROTOCOL)

    def test_stream_error_event_is_a_failure(self, ask: Caller, upstream: Upstream) -> None:
        """An error event raises a typed error."""
        self.require("supports_streaming")
        events = self.wire.write_stream(text_chunks(("Hel",), finish=None, usage=False), done=False)
        upstream.stream([*events, *self.wire.write_error_event()])
        chunks, error = ask.pieces()
        assert "".join(texts_of(chunks)) == "Hel"
        assert isinstance(error, ProviderError), f"the stream ended with {error!r}"

    def test_stream_with_failed_reason_is_a_failure(self, ask: Caller, upstream: Upstream) -> None:
        """A stream whose finish reason reports a failure of the vendor raises a typed error after the received text."""
        for theirs in self.failed_finish_reasons:
            self.stream_reply(upstream, text_chunks(("Hel",), finish=theirs, usage=False))
            chunks, error = ask.pieces()
            assert "".join(texts_of(chunks)) == "Hel"
            assert isinstance(error, ProviderError), f"the stream ended with {error!r}"

    def test_stream_invalid_event_is_a_failure(self, ask: Caller, upstream: Upstream) -> None:
        """An event that cannot be parsed raises a typed error, because its content is lost."""
        self.require("supports_streaming")
        begun = self.wire.write_stream(text_chunks(("Hel",), finish=None), done=False)
        upstream.stream([*begun, event('{"cut": '), *self.wire.write_final_event()])
        _, error = ask.pieces()
        assert isinstance(error, ProviderError), f"the stream ended with {error!r}"
        assert error.failure is FailureClass.PROTOCOL

    def test_stream_close_may_be_repeated(self, ask: Caller, upstream: Upstream) -> None:
        """A second close has no effect, before the end of the stream and after it."""
        ask.closes = 2
        for most in (None, 2):
            self.stream_reply(upstream, text_chunks())
            assert ask.chunks(most=most)

    def test_stream_early_close_disconnects(self, ask: Caller, upstream: Upstream) -> None:
        """An early close ends the connection, so that the vendor stops generating and charging."""
        self.require("supports_streaming")
        events = self.wire.write_stream(text_chunks(finish=None, usage=False), done=False)
        upstream.then(Script(body=[*events, CONTINUE], content_type="text/event-stream"))
        assert len(ask.chunks(most=2)) == 2  # noqa: PLR2004 - as many as were wanted
        assert upstream.abandoned.wait(ABANDONED_S), "the connection is still open"


def _text_and_tool_chunks() -> list[dict[str, Any]]:
    return [*text_chunks(finish=None, usage=False), *tool_chunks()]


def undated(chunks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return chunks without their time of creation, which the connector sets if the vendor does not."""
    return [{name: value for name, value in chunk.items() if name != "created"} for chunk in chunks]


def deltas_of(chunks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the delta of each chunk with a choice."""
    return [chunk["choices"][0].get("delta") or {} for chunk in chunks if chunk.get("choices")]


def texts_of(chunks: list[dict[str, Any]]) -> list[str]:
    """Return the text deltas."""
    return [delta.get("content") or "" for delta in deltas_of(chunks)]


def finishes_of(chunks: list[dict[str, Any]]) -> list[str]:
    """Return the finish reasons."""
    reasons = [chunk["choices"][0].get("finish_reason") for chunk in chunks if chunk.get("choices")]
    return [reason for reason in reasons if reason is not None]


def calls_of(chunks: list[dict[str, Any]]) -> dict[int, dict[str, str]]:
    """Return the tool calls by index, with their deltas joined."""
    calls: dict[int, dict[str, str]] = {}
    for delta in deltas_of(chunks):
        for piece in delta.get("tool_calls") or ():
            call = calls.setdefault(piece["index"], {"id": "", "name": "", "arguments": ""})
            function = piece.get("function") or {}
            call["id"] += piece.get("id") or ""
            call["name"] += function.get("name") or ""
            call["arguments"] += function.get("arguments") or ""
    return calls
