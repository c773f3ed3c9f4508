"""Streams: the same answer for any split of the bytes, without additions."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from modelmesh_connector_google import GoogleProvider
from modelmesh_connector_google.answers import completion

import modelmesh
from modelmesh.contracts import CHAT, FailureClass
from modelmesh.contracts.call import Call
from modelmesh_cdk import SseDecoder, WireRequest

HI = [{"role": "user", "content": "Hello"}]
CALL = {"functionCall": {"name": "weather", "args": {"city": "Oslo", "days": 0}}, "thoughtSignature": "c2lnbmVk"}
TIME = {"functionCall": {"id": "fc-2", "name": "time", "args": {}}}
USED = {"promptTokenCount": 5, "candidatesTokenCount": 9, "thoughtsTokenCount": 3, "totalTokenCount": 17}


def answer(*parts: dict[str, Any], finish: str | None = "STOP", usage: Any = None, **more: Any) -> dict[str, Any]:
    """Return one event in Gemini's format."""
    candidate: dict[str, Any] = {"content": {"parts": list(parts), "role": "model"}, "index": 0, **more}
    if finish is not None:
        candidate["finishReason"] = finish
    told = usage or {"promptTokenCount": 5, "candidatesTokenCount": 2, "totalTokenCount": 7}
    return {"candidates": [candidate], "usageMetadata": told, "modelVersion": "m-001", "responseId": "resp-test-1"}


STREAMS: dict[str, list[dict[str, Any]]] = {
    "text": [answer({"text": "Hel"}, finish=None), answer({"text": "lo, wörld — ✓"}, finish=None), answer(usage=USED)],
    "one event": [answer({"text": "Hello."})],
    "thoughts": [
        answer({"text": "Let me ", "thought": True}, finish=None),
        answer({"text": "see.", "thought": True}, {"text": "It "}, finish=None),
        answer({"text": "is.", "thoughtSignature": "c2ln"}, usage=USED),
    ],
    "calls": [answer({"text": "I look."}, CALL, finish=None), answer(TIME, finish=None), answer({"text": ""}, usage=USED)],
    "code": [
        answer({"text": "So:"}, {"executableCode": {"language": "PYTHON", "code": "1"}}, finish=None),
        answer({"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}}, {"text": "1"}, finish=None),
        answer({"text": "."}, groundingMetadata={"webSearchQueries": ["x"]}),
    ],
    "filtered": [answer({"text": "Wel"}, finish=None), {"candidates": [{"finishReason": "SAFETY", "index": 0}], "usageMetadata": USED}],
    "cut": [answer({"text": "1, 2"}, finish="MAX_TOKENS")],
}  # fmt: skip


def sse(events: list[Any], end: str = "\r\n\r\n") -> bytes:
    return b"".join(f"data: {json.dumps(event, ensure_ascii=False)}{end}".encode() for event in events)


def decoded(pieces: list[bytes], **payload: Any) -> list[dict[str, Any]]:
    provider = GoogleProvider(api_key="test")
    decoder = provider._stream_decoder(WireRequest(Call(CHAT, "chat", {"messages": HI, **payload}, stream=True), "asked"))
    reader = SseDecoder()
    events = [event for piece in pieces for event in reader.feed(piece)] + list(reader.end())
    return [{**chunk, "created": 1} for event in events for chunk in decoder.decode(event)]


def joined(chunks: list[dict[str, Any]]) -> dict[str, Any]:
    """Join the deltas of the first choice as a client does."""
    message: dict[str, Any] = {}
    finishes: list[Any] = []
    calls: list[dict[str, Any]] = []
    for choice in (choice for chunk in chunks for choice in chunk["choices"] if choice["index"] == 0):
        for name, value in choice["delta"].items():
            if name == "tool_calls":
                assert [call["index"] for call in value] == list(range(len(calls), len(calls) + len(value)))
                calls += [{field: item for field, item in call.items() if field != "index"} for call in value]
            elif name in ("content", "reasoning_content"):
                message[name] = message.get(name, "") + value
            else:
                assert name not in message
                message[name] = value
        if choice["finish_reason"] is not None:
            finishes.append(choice["finish_reason"])
    assert len(finishes) == 1
    return {**message, **({"tool_calls": calls} if calls else {}), "finish": finishes[0]}


def whole(events: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the message of an answer that contains all parts of a stream."""
    parts = [part for event in events for part in event["candidates"][0].get("content", {}).get("parts", ())]
    last = {**events[-1], "responseId": "resp-test-1"}
    last["candidates"] = [{**last["candidates"][0], "content": {"parts": parts}}]
    choice = completion(last, created=1)["choices"][0]
    return {**choice["message"], "finish": choice["finish_reason"]}


@pytest.mark.parametrize("name", STREAMS)
def test_stream_result_equals_plain_response(name: str) -> None:
    chunks = decoded([sse(STREAMS[name])])
    streamed, at_once = joined(chunks), whole(STREAMS[name])
    parts = streamed.pop("content_parts", None)
    if at_once.pop("content_parts", None) is None or name == "thoughts":
        # a text in pieces with a signed last piece is not one signed text, so the parts are returned too
        assert (parts is not None) is (name == "thoughts")
    assert streamed == at_once
    assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"
    assert sum("role" in choice["delta"] for chunk in chunks for choice in chunk["choices"]) == 1
    assert [chunk["usage"]["total_tokens"] for chunk in chunks if "usage" in chunk] == [
        17 if name not in ("one event", "cut", "code") else 7
    ]
    assert chunks[-1]["usage"]


def test_stream_parts_are_kept_unchanged() -> None:
    parts = joined(decoded([sse(STREAMS["code"])]))["content_parts"]
    assert [next(iter(part)) for part in parts] == ["text", "executableCode", "codeExecutionResult", "text"]
    assert parts[-1] == {"text": "1."}
    assert decoded([sse(STREAMS["code"])])[-1]["choices"][0]["groundingMetadata"] == {"webSearchQueries": ["x"]}


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    name=st.sampled_from(sorted(STREAMS)), cuts=st.lists(st.integers(0, 2000)), end=st.sampled_from(["\n\n", "\r\n\r\n", "\r\r"])
)
def test_stream_split_anywhere_gives_same_chunks(name: str, cuts: list[int], end: str) -> None:
    raw = sse(STREAMS[name], end)
    places = [0, *sorted(cut for cut in cuts if cut < len(raw)), len(raw)]
    pieces = [raw[start:stop] for start, stop in pairwise(places)]
    assert decoded(pieces) == decoded([raw])


def test_stream_of_single_bytes_gives_same_chunks() -> None:
    for events in STREAMS.values():
        raw = sse(events)
        assert decoded([raw[place : place + 1] for place in range(len(raw))]) == decoded([raw])


def test_stream_include_usage_sends_separate_chunk() -> None:
    chunks = decoded([sse(STREAMS["text"])], stream_options={"include_usage": True})
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]["completion_tokens"] == 12
    assert all("usage" not in chunk for chunk in chunks[:-1])


def test_stream_late_usage_is_returned() -> None:
    chunks = decoded([sse([{**answer({"text": "a"}), "usageMetadata": None}, {"usageMetadata": USED}])])
    assert [chunk.get("usage", {}).get("total_tokens") for chunk in chunks] == [None, 17]


def test_stream_candidates_have_separate_choices() -> None:
    def of(index: int, text: str, finish: str | None) -> dict[str, Any]:
        event = answer({"text": text}, finish=finish)
        event["candidates"][0]["index"] = index
        return event

    chunks = decoded([sse([of(1, "b", None), of(0, "a", "STOP"), of(1, "c", "STOP")])], n=2)
    assert joined(chunks) == {"role": "assistant", "content": "a", "finish": "stop"}
    assert [chunk["choices"][0]["index"] for chunk in chunks] == [1, 0, 1]
    assert ["usage" in chunk for chunk in chunks] == [False, False, True]


def test_stream_over_http_is_decoded(upstream: Any, config: Any, way: Any) -> None:
    upstream.stream([sse([event]) for event in STREAMS["calls"]])
    chunks = way.stream(config(), messages=HI, temperature=0)
    assert upstream.last.path.endswith(":streamGenerateContent?alt=sse")
    assert "stream" not in upstream.last.json
    assert joined(chunks)["finish"] == "tool_calls"
    assert chunks[0]["id"] == "resp-test-1"


@pytest.mark.parametrize("cut", [False, True])
def test_stream_without_finish_reason_is_interrupted(upstream: Any, config: Any, way: Any, cut: bool) -> None:
    upstream.stream([sse(STREAMS["text"][:2])], cut=cut)
    with pytest.raises(modelmesh.StreamInterruptedError):
        way.stream(config(), messages=HI)


def test_stream_cut_after_finish_reason_is_complete(upstream: Any, config: Any, way: Any) -> None:
    upstream.stream([sse([event]) for event in STREAMS["text"]], cut=True)
    assert joined(way.stream(config(), messages=HI))["finish"] == "stop"


def test_stream_blocked_prompt_is_policy_failure(upstream: Any, config: Any, way: Any) -> None:
    upstream.stream([sse([{"promptFeedback": {"blockReason": "SAFETY"}, "responseId": "r"}])])
    with pytest.raises(modelmesh.BadRequestError) as caught:
        way.stream(config(), messages=HI)
    assert caught.value.failure is FailureClass.POLICY


@pytest.mark.parametrize("data", ["x", "[]", '{"candidates":[5]}', '{"candidates":[{"content":{"parts":[{"text":1}]}}]}'])
def test_stream_invalid_data_is_protocol_failure(data: str) -> None:
    with pytest.raises(ValueError, match="JSON|Gemini|column"):
        decoded([f"data: {data}\n\n".encode()])


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["candidates", "content", "parts", "text", "functionCall", "finishReason", "usageMetadata", "index"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=20,
    )
)
def test_stream_arbitrary_event_raises_only_known_errors(event: Any) -> None:
    try:
        chunks = decoded([sse([event])])
    except (ValueError, modelmesh.ProviderError):
        return
    assert all(isinstance(chunk["choices"], list) for chunk in chunks)
