"""Streams: Cohere's events as OpenAI's chunks, for any split of the bytes."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from modelmesh_connector_cohere import CohereProvider

from modelmesh.contracts import CHAT, FailureClass
from modelmesh.contracts.call import Call
from modelmesh.errors import ProviderError
from modelmesh_cdk import SseDecoder, WireRequest
from modelmesh_cdk.testing import Script


def chunks_of(pieces: list[bytes], **payload: Any) -> list[dict[str, Any]]:
    """Decode pieces of bytes as the kit does."""
    provider = CohereProvider({"api_key": "test-key"})
    asked = WireRequest(Call(CHAT, "pool", {"messages": [], **payload}, stream=True), "command-a-03-2025")
    decoder, events = provider._stream_decoder(asked), SseDecoder()
    found: list[dict[str, Any]] = []
    for event in [event for piece in pieces for event in events.feed(piece)] + events.end():
        if not decoder.done:
            found += decoder.decode(event)
    assert decoder.done
    for chunk in found:
        chunk["created"] = 0
    return found


def joined(chunks: list[dict[str, Any]]) -> dict[str, Any]:
    """Join the chunks to an answer as a client does."""
    found: dict[str, Any] = {"roles": [], "content": "", "calls": {}, "finish": [], "usage": []}
    for chunk in chunks:
        assert chunk["object"] == "chat.completion.chunk"
        if chunk.get("usage"):
            found["usage"].append((len(chunk["choices"]), chunk["usage"]["total_tokens"]))
        for choice in chunk["choices"]:
            delta = choice["delta"]
            if "role" in delta:
                found["roles"].append(delta["role"])
            for name in ("content", "reasoning_content", "tool_plan"):
                found[name] = found.get(name, "") + delta.get(name, "")
            for name in ("thinking_blocks", "citations"):
                for item in delta.get(name, []):
                    assert item["index"] == len(found.setdefault(name, []))
                    found[name].append({key: value for key, value in item.items() if key != "index"})
            found["content_blocks"] = [*found.get("content_blocks", []), *delta.get("content_blocks", [])]
            for part in delta.get("tool_calls", ()):
                known = found["calls"].setdefault(part["index"], {"arguments": ""})
                known |= {"id": part["id"], "name": part["function"]["name"]} if "id" in part else {}
                known["arguments"] += part["function"]["arguments"]
            if choice["finish_reason"] is not None:
                found["finish"].append((choice["finish_reason"], choice["stop_reason"]))
    return {name: value for name, value in found.items() if value}


USAGE = [(1, 80)]
THOUGHT = {"type": "thinking", "thinking": "Let me see."}
CITATION = {"start": 6, "end": 10, "text": "24°C", "sources": [{"type": "tool", "id": "weather_0:0"}], "type": "TEXT_CONTENT"}
WHOLE: dict[str, dict[str, Any]] = {
    "text": {"content": "Hello ✓!", "finish": [("stop", "COMPLETE")]},
    "no [DONE]": {"content": "Hello", "finish": [("stop", "STOP_SEQUENCE")]},
    "thinking": {
        "content": "It is so.",
        "reasoning_content": "Let me see.",
        "thinking_blocks": [THOUGHT],
        "finish": [("length", "MAX_TOKENS")],
    },
    "tools": {
        "tool_plan": "I will look.",
        "calls": {
            0: {"id": "weather_0", "name": "weather", "arguments": '{"city": "Oslo"}'},
            1: {"id": "clock_1", "name": "clock", "arguments": "{}"},
        },
        "finish": [("tool_calls", "TOOL_CALL")],
    },
    "thought and tools": {
        "reasoning_content": "Hm.",
        "thinking_blocks": [{"type": "thinking", "thinking": "Hm."}],
        "calls": {
            0: {"id": "weather_1", "name": "weather", "arguments": '{"city": "Oslo"}'},
            1: {"id": "weather_2", "name": "weather", "arguments": "{}"},
        },
        "finish": [("tool_calls", "TOOL_CALL")],
    },
    "citations": {"content": "It is 24°C.", "citations": [CITATION], "finish": [("stop", "COMPLETE")]},
}


def test_stream_over_http_is_decoded(recorded: tuple[str, bytes], upstream: Any, made: Any, send: Callable[..., Any]) -> None:
    name, raw = recorded
    upstream.then(Script(body=[raw], content_type="text/event-stream"))
    chunks = send(made(), stream=True)
    assert joined(chunks) == {"roles": ["assistant"], "usage": USAGE, **WHOLE[name]}
    assert {chunk["id"] for chunk in chunks} == {"c14c80c3-test"}
    assert {chunk["model"] for chunk in chunks} == {"command-a-03-2025"}
    assert len({chunk["created"] for chunk in chunks}) == 1
    assert upstream.last.json["stream"] is True
    assert upstream.last.headers["accept"] == "text/event-stream"


@given(cuts=some.lists(some.integers(0, 4000), max_size=40))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_stream_split_anywhere_gives_same_chunks(recorded: tuple[str, bytes], cuts: list[int]) -> None:
    raw = recorded[1]
    edges = [0, *sorted(cut % len(raw) for cut in cuts), len(raw)]
    pieces = [raw[start:stop] for start, stop in pairwise(edges)]
    assert chunks_of(pieces) == chunks_of([raw])


def test_stream_role_is_first_and_usage_is_last(recorded: tuple[str, bytes]) -> None:
    chunks = chunks_of([recorded[1]])
    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert not any("role" in chunk["choices"][0]["delta"] for chunk in chunks[1:])
    assert [chunk["choices"][0]["finish_reason"] is not None for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert [("usage" in chunk) for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert chunks[-1]["usage"]["billed_units"] == {"input_tokens": 5, "output_tokens": 2}


def test_stream_include_usage_sends_separate_chunk(recorded: tuple[str, bytes]) -> None:
    chunks = chunks_of([recorded[1]], stream_options={"include_usage": True})
    assert joined(chunks)["usage"] == [(0, 80)]
    assert chunks[-1]["choices"] == []
    assert chunks[-2]["choices"][0]["finish_reason"] is not None


def test_stream_chunks_match_openai_type(recorded: tuple[str, bytes]) -> None:
    chat = pytest.importorskip("openai.types.chat")
    for asked in (False, True):
        for chunk in chunks_of([recorded[1]], stream_options={"include_usage": asked}):
            chat.ChatCompletionChunk.model_validate(chunk, strict=True)


def test_stream_log_probabilities_accompany_text(wire: Any) -> None:
    item = {"text": "Hi", "token_ids": [1], "logprobs": [-0.5]}
    several = {"text": "there!", "token_ids": [2, 3], "logprobs": [-0.5, 0.0]}
    deltas = [wire.content("Hi", logprobs=item), wire.content("there!", logprobs=several)]
    chunks = chunks_of([wire.stream(wire.START, deltas, wire.end())])
    assert chunks[1]["choices"][0]["logprobs"]["content"][0] == {
        "token": "Hi",
        "logprob": -0.5,
        "bytes": [72, 105],
        "top_logprobs": [],
    }
    assert (chunks[2]["choices"][0]["logprobs"], chunks[2]["logprobs"]) == (None, several)


def test_stream_unknown_events_are_passed_on(wire: Any) -> None:
    debug = {"type": "debug", "prompt": "x"}
    strange = {"type": "content-start", "index": 1, "delta": {"message": {"content": {"type": "of_tomorrow", "x": 0}}}}
    chunks = chunks_of(
        [wire.stream({**wire.START, "v": 0}, debug, wire.block("Hi"), strange, {**wire.end("OF_TOMORROW", u=0), "w": 0})]
    )
    assert (chunks[0]["v"], "type" in chunks[0]) == (0, False)
    assert chunks[1]["cohere_event"] == debug
    assert joined(chunks)["content_blocks"] == [{"type": "text", "text": "Hi"}, {"type": "of_tomorrow", "x": 0}]
    assert joined(chunks)["finish"] == [("stop", "OF_TOMORROW")]
    assert (chunks[-1]["u"], chunks[-1]["w"]) == (0, 0)


def test_stream_unknown_event_fields_are_kept(wire: Any) -> None:
    start, _, stop = wire.block("Hi")
    said = {
        "type": "content-delta",
        "index": 0,
        "delta": {"x": 0, "message": {"y": 0, "content": {"text": "Hi", "z": 0}}},
        "v": 0,
    }
    silent = {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": "", "u": 0}}}}
    chunks = chunks_of([wire.stream(wire.START, start, said, silent, {**stop, "w": 0}, wire.end())])
    assert (chunks[1]["v"], chunks[1]["choices"][0]["delta"]) == (0, {"content": "Hi", "x": 0, "y": 0, "z": 0})
    assert chunks[2]["choices"][0]["delta"] == {"u": 0}
    assert chunks[3]["w"] == 0


def test_stream_text_in_block_start_is_read(wire: Any) -> None:
    begun = {"type": "content-start", "index": 0, "delta": {"message": {"content": {"type": "text", "text": "He"}}}}
    [head, _] = wire.call(1, "clock")
    whole = joined(chunks_of([wire.stream(wire.START, begun, wire.content("llo"), head, wire.end("TOOL_CALL"))]))
    assert whole["content"] == "Hello"
    assert whole["calls"] == {0: {"id": "clock_1", "name": "clock", "arguments": "{}"}}


def test_stream_missing_index_and_arguments_get_defaults(wire: Any) -> None:
    """Both are optional in the official types."""
    head, piece, over = wire.call(0, "clock", '{"a": 1}')
    head["delta"]["message"]["tool_calls"]["function"]["arguments"] = None
    events = [{name: value for name, value in one.items() if name != "index"} for one in (head, piece, over)]
    begun = [{name: value for name, value in one.items() if name != "index"} for one in wire.block("Hi")]
    chunks = chunks_of([wire.stream(wire.START, *begun, *events, wire.end("TOOL_CALL"))])
    assert joined(chunks)["calls"] == {0: {"id": "clock_0", "name": "clock", "arguments": '{"a": 1}'}}
    assert joined(chunks)["content"] == "Hi"


def test_stream_keep_alive_events_are_ignored(wire: Any) -> None:
    ping = b": ping\n\nevent: ping\ndata: {}\n\n"
    assert chunks_of([ping + wire.STREAMS["text"]]) == chunks_of([wire.STREAMS["text"]])


UNREADABLE = {
    "no JSON": b"data: {\n\n",
    "a list": b"data: [1]\n\n",
    "before the start": b'data: {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": "x"}}}}\n\n',
    "a call nobody began": b'data: {"type": "message-start"}\n\n'
    b'data: {"type": "tool-call-delta", "index": 0, "delta": {"message": {"tool_calls": {"function": {"arguments": "x"}}}}}\n\n',
    "no delta": b'data: {"type": "message-start"}\n\ndata: {"type": "content-delta", "index": 0}\n\n',
    "text of numbers": b'data: {"type": "message-start"}\n\n'
    b'data: {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": 7}}}}\n\n',
    "two starts": b'data: {"type": "message-start"}\n\n' * 2,
    "an end alone": b'data: {"type": "message-end", "delta": {"finish_reason": "COMPLETE"}}\n\n',
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_stream_invalid_event_is_protocol_failure(name: str, upstream: Any, made: Any, send: Callable[..., Any]) -> None:
    upstream.then(Script(body=[UNREADABLE[name]], content_type="text/event-stream"))
    with pytest.raises(ProviderError, match="cannot be read") as caught:
        send(made(), stream=True)
    assert caught.value.failure == "protocol"


def test_stream_cut_off_has_no_finish_reason(wire: Any) -> None:
    raw = wire.stream(wire.START, wire.block("Half"), done=False)
    provider = CohereProvider({"api_key": "test-key"})
    decoder = provider._stream_decoder(WireRequest(Call(CHAT, "pool", {"messages": []}, stream=True), "m"))
    chunks = [chunk for event in SseDecoder().feed(raw) for chunk in decoder.decode(event)]
    assert not decoder.done
    assert all(choice["finish_reason"] is None for chunk in chunks for choice in chunk["choices"])
    assert "Half" in json.dumps(chunks)


@pytest.mark.parametrize("pieces", [('{"city": "Os',), ("[1]",), ('"text"',)])
def test_stream_cut_off_tool_call_is_incomplete(wire: Any, pieces: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="JSON"):
        chunks_of([wire.stream(wire.START, wire.call(0, "weather", *pieces), wire.end("TOOL_CALL"))])
    chunks = chunks_of([wire.stream(wire.START, wire.call(0, "weather", *pieces), wire.end("MAX_TOKENS"))])
    assert joined(chunks)["finish"] == [("length", "MAX_TOKENS")]


@pytest.mark.parametrize("reason", ["", None, 5, ["COMPLETE"]])
def test_stream_invalid_finish_reason_does_not_end_it(wire: Any, reason: Any) -> None:
    chunks = chunks_of([wire.stream(wire.START, wire.block("Hi"), wire.end(reason))])
    assert all(choice["finish_reason"] is None for chunk in chunks for choice in chunk["choices"])


def test_stream_empty_with_unknown_reason_is_failure(wire: Any) -> None:
    with pytest.raises(ProviderError) as caught:
        chunks_of([wire.stream(wire.START, wire.end("OF_TOMORROW"))])
    assert caught.value.failure is FailureClass.PROTOCOL


@pytest.mark.parametrize("usage", ["lots", [1], 5, {"tokens": {"input_tokens": "3"}}, {"tokens": {"input_tokens": -3.0}}])
def test_stream_usage_of_wrong_type_is_accepted(wire: Any, usage: Any) -> None:
    chunks = chunks_of([wire.stream(wire.START, wire.block("Hi"), wire.end(usage=usage))])
    assert joined(chunks)["content"] == "Hi"
    assert not any("prompt_tokens" in (chunk.get("usage") or {}) for chunk in chunks)
