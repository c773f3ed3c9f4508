"""Conversion of Anthropic's stream events to chunks in OpenAI's format."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from modelmesh_connector_anthropic import AnthropicProvider

from modelmesh.contracts import CHAT
from modelmesh.contracts.call import Call
from modelmesh.errors import ProviderError, StreamInterruptedError
from modelmesh_cdk import SseDecoder, WireRequest

HI = [{"role": "user", "content": "Hello"}]


def chunks_of(pieces: list[bytes], **payload: Any) -> tuple[list[dict[str, Any]], bool]:
    """Decode pieces of bytes as the kit does; return the chunks and whether the last word was heard."""
    provider = AnthropicProvider({"api_key": "test-key"})
    decoder = provider._stream_decoder(WireRequest(Call(CHAT, "chat", {"messages": HI, **payload}, stream=True), "m"))
    events = SseDecoder()
    found: list[dict[str, Any]] = []
    for event in [event for piece in pieces for event in events.feed(piece)] + events.end():
        if not decoder.done:
            found += decoder.decode(event)
    for chunk in found:
        chunk["created"] = 0
    return found, decoder.done


def joined(chunks: list[dict[str, Any]]) -> dict[str, Any]:
    """Put the deltas together as a client does."""
    whole: dict[str, Any] = {"content": "", "reasoning_content": "", "tool_calls": {}, "thinking_blocks": [], "finish": []}
    for chunk in chunks:
        if chunk.get("usage"):
            whole["usage"] = chunk["usage"]
        for choice in chunk["choices"]:
            delta = choice["delta"]
            whole["content"] += delta.get("content") or ""
            whole["reasoning_content"] += delta.get("reasoning_content") or ""
            for block in delta.get("thinking_blocks") or ():
                assert block["index"] == len(whole["thinking_blocks"])
                whole["thinking_blocks"].append({name: value for name, value in block.items() if name != "index"})
            if "content_blocks" in delta:
                whole["content_blocks"] = delta["content_blocks"]
            for part in delta.get("tool_calls") or ():
                call = whole["tool_calls"].setdefault(
                    part["index"], {"id": part.get("id"), "name": part["function"].get("name"), "arguments": ""}
                )
                call["arguments"] += part["function"].get("arguments") or ""
            if choice["finish_reason"] is not None:
                whole["finish"].append((choice["finish_reason"], choice["stop_reason"]))
    return whole


def test_stream_is_what_sdk_reads(recorded: bytes, vendor: Any, config: Any, way: Any) -> None:
    anthropic = pytest.importorskip("anthropic")
    vendor.answers(recorded)
    vendor.answers(recorded)
    chunks, stream, error = way.stream(config(), messages=HI, max_tokens=64)
    with (
        anthropic.Anthropic(api_key="test-key", base_url=vendor.url, max_retries=0) as client,
        client.messages.stream(model="claude-sonnet-5-5", messages=HI, max_tokens=64) as theirs,
    ):
        message = theirs.get_final_message()
    assert error is None
    ours = joined(chunks)
    assert ours["content"] == "".join(block.text for block in message.content if block.type == "text")
    assert ours["reasoning_content"] == "".join(block.thinking for block in message.content if block.type == "thinking")
    assert ours["thinking_blocks"] == [block.to_dict() for block in message.content if "thinking" in block.type]
    tools = [block for block in message.content if block.type == "tool_use"]
    assert list(ours["tool_calls"]) == list(range(len(tools)))
    assert [(call["id"], call["name"], json.loads(call["arguments"])) for call in ours["tool_calls"].values()] == [
        (block.id, block.name, block.input) for block in tools
    ]
    ((finish, reason),) = ours["finish"]
    assert reason == message.stop_reason
    assert finish == {"tool_use": "tool_calls", "max_tokens": "length", "refusal": "content_filter"}.get(reason, "stop")
    usage = message.usage
    prompt = usage.input_tokens + (usage.cache_creation_input_tokens or 0) + (usage.cache_read_input_tokens or 0)
    assert (ours["usage"]["prompt_tokens"], ours["usage"]["completion_tokens"]) == (prompt, usage.output_tokens)
    assert {name: ours["usage"][name] for name in usage.to_dict()} == usage.to_dict()
    assert stream.attempts[-1].outcome == "answered"
    if "content_blocks" in ours:
        assert ours["content_blocks"] == [block.to_dict() for block in message.content]


@pytest.mark.parametrize("asked", [False, True], ids=["unasked", "asked"])
def test_stream_chunks_match_openai_type(recorded: bytes, asked: bool, vendor: Any, config: Any, way: Any) -> None:
    chat = pytest.importorskip("openai.types.chat")
    vendor.answers(recorded)
    options = {"stream_options": {"include_usage": True}} if asked else {}
    chunks, _, error = way.stream(config(), messages=HI, max_tokens=64, **options)
    assert error is None
    assert "stream_options" not in vendor.received[0].json
    assert vendor.received[0].json["stream"] is True
    for chunk in chunks:
        chat.ChatCompletionChunk.model_validate(chunk, strict=True)
    assert {chunk["id"] for chunk in chunks} == {"msg_test_2"}
    assert len({chunk["created"] for chunk in chunks}) == 1
    assert [choice["delta"]["role"] for chunk in chunks for choice in chunk["choices"] if "role" in choice["delta"]] == [
        "assistant"
    ]
    assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"
    usages = [chunk["usage"] for chunk in chunks if chunk.get("usage")]
    assert len(usages) == 1
    assert chunks[-1]["usage"] == usages[0]
    assert [bool(chunk["choices"]) for chunk in chunks] == [True] * (len(chunks) - 1) + [not asked]


def test_stream_message_equals_plain_response(recorded: bytes, vendor: Any, config: Any, way: Any) -> None:
    anthropic = pytest.importorskip("anthropic")
    vendor.answers(recorded)
    with (
        anthropic.Anthropic(api_key="test-key", base_url=vendor.url, max_retries=0) as client,
        client.messages.stream(model="claude-sonnet-5-5", messages=HI, max_tokens=64) as theirs,
    ):
        vendor.answers(theirs.get_final_message().to_dict())
    plain = way.ask(config(), messages=HI, max_tokens=64).model_dump()
    ours = joined(chunks_of([recorded])[0])
    message = plain["choices"][0]["message"]
    assert ours["content"] == (message["content"] or "")
    assert ours["thinking_blocks"] == message.get("thinking_blocks", [])
    assert ours["reasoning_content"] == message.get("reasoning_content", "")
    assert ours.get("content_blocks") == message.get("content_blocks")
    assert [json.loads(call["arguments"]) for call in ours["tool_calls"].values()] == [
        json.loads(call["function"]["arguments"]) for call in message.get("tool_calls", [])
    ]
    assert ours["finish"] == [(plain["choices"][0]["finish_reason"], plain["stop_reason"])]
    assert ours["usage"] == plain["usage"]


def test_stream_split_anywhere_gives_same_chunks(recorded: bytes) -> None:
    whole = chunks_of([recorded])
    assert whole[1]
    for place in range(len(recorded) + 1):
        assert chunks_of([recorded[:place], recorded[place:]]) == whole, place


@given(data=some.data())
def test_stream_in_any_pieces_gives_same_chunks(data: Any, wire: Any) -> None:
    recorded = wire.sse(*wire.STREAMS[data.draw(some.sampled_from(sorted(wire.STREAMS)))])
    places = sorted(data.draw(some.sets(some.integers(1, len(recorded) - 1), max_size=40)))
    pieces = [recorded[start:stop] for start, stop in zip([0, *places], [*places, len(recorded)], strict=True)]
    assert chunks_of(pieces) == chunks_of([recorded])


def test_stream_cut_anywhere_has_no_finish_reason(recorded: bytes) -> None:
    whole, _ = chunks_of([recorded])
    last_word = recorded.index(b'"stop_reason"', recorded.index(b"event: message_delta"))
    for place in range(len(recorded)):
        chunks, done = chunks_of([recorded[:place]])
        assert chunks == whole[: len(chunks)], place
        if place < last_word:
            assert not done
            assert joined(chunks)["finish"] == [], place


@pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
def test_stream_cut_after_content_keeps_partial_text(part: float, vendor: Any, config: Any, way: Any, wire: Any) -> None:
    events = [wire.begin(), *wire.block(0, {"type": "text", "text": ""}, *wire.text(*"0123456789"))]
    vendor.answers(wire.sse(*events[: 2 + int(10 * part)]))
    chunks, _, error = way.stream(config(), messages=HI, max_tokens=64)
    assert isinstance(error, StreamInterruptedError)
    assert error.partial_text == joined(chunks)["content"] == "0123456789"[: int(10 * part)]
    assert joined(chunks)["finish"] == []


def test_stream_stop_without_reason_is_interrupted(vendor: Any, config: Any, way: Any, wire: Any) -> None:
    vendor.answers(
        wire.sse(wire.begin(), *wire.block(0, {"type": "text", "text": ""}, *wire.text("a")), {"type": "message_stop"})
    )
    _, _, error = way.stream(config(), messages=HI, max_tokens=64)
    assert isinstance(error, StreamInterruptedError)


def test_stream_without_message_stop_is_complete(vendor: Any, config: Any, way: Any, wire: Any) -> None:
    vendor.answers(wire.sse(*wire.STREAMS["text"][:-1]))
    chunks, _, error = way.stream(config(), messages=HI, max_tokens=64)
    assert error is None
    assert joined(chunks)["finish"] == [("stop", "end_turn")]


def test_stream_tool_calls_are_numbered(wire: Any) -> None:
    whole = joined(chunks_of([wire.sse(*wire.STREAMS["tools"])])[0])
    assert whole["tool_calls"] == {
        0: {"id": "toolu_test_1", "name": "weather", "arguments": '{"city": "Oslo", "days": 0}'},
        1: {"id": "toolu_test_2", "name": "time", "arguments": "{}"},
    }


def test_stream_usage_of_message_start_is_ignored(wire: Any) -> None:
    bare = [{"type": "message_delta", "delta": {"stop_reason": "end_turn"}}, {"type": "message_stop"}]
    chunks, done = chunks_of([wire.sse(wire.begin(), *bare)])
    assert done
    assert joined(chunks)["finish"] == [("stop", "end_turn")]
    assert "usage" not in joined(chunks)


def test_stream_unknown_events_are_passed_on(wire: Any) -> None:
    event = {"type": "of_tomorrow", "x": 0}
    strange = {"type": "block_of_tomorrow", "y": 0}
    delta = {"type": "delta_of_tomorrow", "z": 0}
    last, stop = wire.end("of_tomorrow")
    last = {**last, "w": 0, "delta": {**last["delta"], "container": {"id": "c"}}}
    start = wire.begin(v=0)
    start["message"]["u"] = 0
    chunks, done = chunks_of([wire.sse(start, event, *wire.block(0, strange, delta), last, stop)])
    assert done
    assert chunks[0]["u"] == 0
    assert chunks[1]["anthropic_event"] == event
    assert joined(chunks)["content_blocks"] == [{**strange, "deltas": [delta]}]
    assert (chunks[-1]["w"], chunks[-1]["container"], chunks[-1]["usage"]["v"]) == (0, {"id": "c"}, 0)
    assert joined(chunks)["finish"] == [("stop", "of_tomorrow")]


def test_stream_repeated_finish_is_sent_once(wire: Any) -> None:
    last, stop = wire.end("end_turn", 40)
    again, _ = wire.end("end_turn", 41)
    said = wire.block(0, {"type": "text", "text": ""}, *wire.text("Hi"))
    chunks, _ = chunks_of([wire.sse(wire.begin(), *said, last, again, stop)])
    assert joined(chunks)["finish"] == [("stop", "end_turn")]
    assert joined(chunks)["usage"]["completion_tokens"] == 41


def test_stream_compaction_block_is_complete(wire: Any) -> None:
    begun = {"type": "compaction", "content": None, "encrypted_content": None}
    delta = {"type": "compaction_delta", "content": "They spoke of rain.", "encrypted_content": "b3BhcXVl"}
    said = wire.block(1, {"type": "text", "text": ""}, *wire.text("Hi"))
    chunks, _ = chunks_of([wire.sse(wire.begin(), *wire.block(0, begun, delta), *said, *wire.end("end_turn"))])
    whole = {"type": "compaction", "content": "They spoke of rain.", "encrypted_content": "b3BhcXVl"}
    assert joined(chunks)["content_blocks"] == [whole, {"type": "text", "text": "Hi"}]


def test_stream_unknown_event_fields_are_kept(wire: Any) -> None:
    start, said, stop = wire.block(0, {"type": "text", "text": ""}, *wire.text("Hi"))
    called, piece, _ = wire.block(1, wire.CALL, *wire.json_pieces("{}"))
    piece = {**piece, "delta": {**piece["delta"], "t": 0}}
    chunks, done = chunks_of(
        [wire.sse({**wire.begin(), "w": 0}, {**start, "x": 0}, said, {**stop, "y": 0}, called, piece, *wire.end("tool_use"))]
    )
    assert done
    assert [name for chunk in chunks for name in ("w", "x", "y") if chunk.get(name) == 0] == ["w", "x", "y"]
    (told,) = [chunk["choices"][0]["delta"] for chunk in chunks if "t" in chunk["choices"][0]["delta"]]
    assert (told["t"], told["tool_calls"][0]["function"]) == (0, {"arguments": "{}"})


def test_stream_open_blocks_are_closed_at_end(wire: Any) -> None:
    start, *_, stop = wire.block(0, wire.CALL)
    assert stop["type"] == "content_block_stop"
    whole = joined(chunks_of([wire.sse(wire.begin(), start, *wire.end("tool_use"))])[0])
    assert whole["tool_calls"][0]["arguments"] == "{}"


def test_stream_cut_tool_arguments_are_unchanged(wire: Any) -> None:
    events = [wire.begin(), *wire.block(0, wire.CALL, *wire.json_pieces('{"city": "Os')), *wire.end("max_tokens")]
    whole = joined(chunks_of([wire.sse(*events)])[0])
    assert whole["tool_calls"][0]["arguments"] == '{"city": "Os'
    assert whole["finish"] == [("length", "max_tokens")]


@pytest.mark.parametrize(
    "raw",
    [
        b"data: {\n\n",
        b"data: [1]\n\n",
        b'data: {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "x"}}\n\n',
        b'data: {"type": "message_start"}\n\n',
        b'data: {"type": ["message_start"]}\n\n',
    ],
)
def test_stream_invalid_event_raises_provider_error(raw: bytes, vendor: Any, config: Any, way: Any) -> None:
    vendor.answers(raw)
    with pytest.raises(ProviderError, match="cannot be read"):
        raise_of(way.stream, config(), messages=HI, max_tokens=64)


@pytest.mark.parametrize(
    "event",
    [
        {"type": "content_block_delta", "index": 7, "delta": {"type": "text_delta", "text": "x"}},
        {"type": "content_block_delta", "index": [], "delta": {"type": "text_delta", "text": "x"}},
        {"type": "content_block_delta", "index": 0},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": 1}},
        {"type": "content_block_start", "index": 1, "content_block": None},
        {"type": "content_block_start", "index": 1, "content_block": {"type": "tool_use"}},
        {"type": "message_delta", "delta": None},
        {"type": "message_start", "message": {"id": "x", "model": "x"}},
    ],
)
def test_stream_event_without_required_fields_is_invalid(event: dict[str, Any], wire: Any) -> None:
    start = wire.block(0, {"type": "text", "text": ""})[0]
    with pytest.raises(ValueError, match="lacks fields that Anthropic documents|has no ID"):
        chunks_of([wire.sse(wire.begin(), start, event)])


def raise_of(stream: Any, *args: Any, **kwargs: Any) -> None:
    from modelmesh.errors import AllProvidersExhaustedError

    try:
        error = stream(*args, **kwargs)[2]
    except AllProvidersExhaustedError as exhausted:
        error = exhausted.last_error
    assert error is not None
    raise error


def tool_stream(wire: Any, *pieces: str, reason: str) -> list[bytes]:
    block = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}
    deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]
    return [wire.sse(wire.begin(), *wire.block(0, block, *deltas), *wire.end(reason))]


@pytest.mark.parametrize("pieces", [('{"city": "Os',), ("[1]",), ('"text"',)])
def test_stream_tool_call_with_cut_arguments_is_invalid(wire: Any, pieces: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="not a JSON object"):
        chunks_of(tool_stream(wire, *pieces, reason="tool_use"))
    chunks, _ = chunks_of(tool_stream(wire, *pieces, reason="max_tokens"))
    assert chunks[-1]["choices"][0]["finish_reason"] == "length"


@pytest.mark.parametrize("reason", ["", None, 5, ["end_turn"]])
def test_stream_invalid_stop_reason_does_not_end_it(wire: Any, reason: Any) -> None:
    text = wire.block(0, {"type": "text", "text": ""}, {"type": "text_delta", "text": "Hi"})
    chunks, _ = chunks_of([wire.sse(wire.begin(), *text, *wire.end(reason))])
    assert all(choice["finish_reason"] is None for chunk in chunks for choice in chunk["choices"])


@pytest.mark.parametrize("usage", ["lots", [1], 5, {"input_tokens": "3"}, {"input_tokens": -3, "output_tokens": 0.5}])
def test_stream_usage_of_wrong_type_is_accepted(wire: Any, usage: Any) -> None:
    begin = wire.begin()
    begin["message"]["usage"] = usage
    last, stop = wire.end("end_turn")
    last["usage"] = usage
    text = wire.block(0, {"type": "text", "text": ""}, {"type": "text_delta", "text": "Hi"})
    chunks, done = chunks_of([wire.sse(begin, *text, last, stop)])
    assert done
    assert joined(chunks)["finish"] == [("stop", "end_turn")]
    assert not any(chunk.get("usage") for chunk in chunks)
