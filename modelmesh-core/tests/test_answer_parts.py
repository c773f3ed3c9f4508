"""Answers of the wrong types: the failure is the vendor's, and the next candidate serves the request."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from modelmesh._engine.routing.response_check import check_answer
from modelmesh._engine.routing.stream_progress import Progress
from modelmesh.contracts import CHAT, EMBEDDINGS, FailureClass
from modelmesh.contracts.call import Call
from modelmesh.contracts.provider import Answer
from modelmesh.errors import BadUpstreamResponseError

TOOLS = [{"type": "function", "function": {"name": "now"}}, {"type": "function", "function": {"name": "say", "parameters": {}}}]
CALL = {"id": "c", "type": "function", "function": {"name": "find", "arguments": '{"a": 1}'}}


def answer(*, finish: Any = "stop", usage: Any = None, **message: Any) -> dict[str, Any]:
    merged = {"role": "assistant", "content": "Hi", **message}
    return {"id": "x", "choices": [{"index": 0, "message": merged, "finish_reason": finish}], "usage": usage}


def checked(body: Any, operation: Any = CHAT, **payload: Any) -> Any:
    before = copy.deepcopy(body)
    found = check_answer(Call(operation, "p", {"tools": TOOLS, **payload}), Answer(body))
    assert operation is EMBEDDINGS or body == before, "what a provider returned may be shared, and is not changed"
    return found


def called(**changes: Any) -> dict[str, Any]:
    return answer(finish="tool_calls", content=None, tool_calls=[{**CALL, **changes}])


WRONG: list[Any] = [
    None, [], "HELLO", {}, {"choices": "HELLO"}, {"choices": {"0": {}}}, {"choices": [None]}, {"choices": [{}]},
    {"choices": [{"message": None, "finish_reason": "stop"}]}, {"choices": [{"message": "text", "finish_reason": "stop"}]},
    {"choices": [{"message": {}, "finish_reason": "stop"}]}, {"choices": [{"text": "old", "finish_reason": "stop"}]},
    {"choices": [{"index": 0, "delta": {"content": "x"}, "finish_reason": "stop"}]},
    {"choices": [{**answer()["choices"][0], "index": "0"}]},
    answer(content=5), answer(content={"a": 1}), answer(content=["x"]), answer(content=[{"type": "text", "text": 5}]),
    answer(role=5), answer(refusal=[]), answer(reasoning_content={}), answer(function_call="f"),
    answer(finish=""), answer(finish=None), answer(finish=["stop"]), answer(finish=5),
    answer(finish="tool_calls", tool_calls="f"), answer(finish="tool_calls", tool_calls=["f"]),
    called(id=5), called(id=None), called(id=""), called(function=None), called(function="f"), called(function={"name": "", "arguments": "{}"}),
    called(function={"name": 5, "arguments": "{}"}), called(function={"name": "f", "arguments": {}}),
    called(function={"name": "find", "arguments": '{"a": '}), called(function={"name": "find", "arguments": ""}),
    called(function={"name": "find", "arguments": "[" * 100_000}),
]  # fmt: skip


@pytest.mark.parametrize("body", WRONG, ids=lambda body: str(body)[:60])
def test_check_answer_rejects_wrong_types(body: Any) -> None:
    found = checked(body)
    assert isinstance(found, BadUpstreamResponseError)
    assert found.failure is FailureClass.PROTOCOL
    assert found.message.startswith("the provider answered, but ")


def test_check_answer_joins_text_parts() -> None:
    parts = [{"type": "text", "text": "HELLO "}, {"type": "text", "text": "WORLD"}]
    assert checked(answer(content=parts)).body["choices"][0]["message"]["content"] == "HELLO WORLD"
    thinking = [{"type": "thinking", "thinking": []}, *parts]
    assert checked(answer(content=thinking)).body["choices"][0]["message"]["content"] == thinking


@pytest.mark.parametrize("finish", ["length", "content_filter"])
def test_check_answer_keeps_a_truncated_tool_call(finish: str) -> None:
    body = answer(finish=finish, tool_calls=[{**CALL, "function": {"name": "find", "arguments": '{"a": '}}])
    assert checked(body).body["choices"] == body["choices"]


@pytest.mark.parametrize("function", [{"name": "now", "arguments": ""}, {"name": "now"}, {"name": "say", "arguments": None}])
def test_check_answer_fills_missing_arguments(function: Any) -> None:
    (choice,) = checked(called(function=function)).body["choices"]
    assert choice["message"]["tool_calls"][0]["function"]["arguments"] == "{}"


@pytest.mark.parametrize(
    "usage",
    ["lots", 5, [1], {}, {"prompt_tokens": "3"}, {"prompt_tokens": 3, "completion_tokens": -1}, {"total_tokens": 1.5},
     {"prompt_tokens": True}],
)  # fmt: skip
def test_usage_of_malformed_report_is_none(usage: Any) -> None:
    assert checked(answer(usage=usage)).body["usage"] is None


def test_usage_of_malformed_details_keeps_the_rest() -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "prompt_tokens_details": "x", "cost": 0.5}
    assert checked(answer(usage=usage)).body["usage"] == {**usage, "prompt_tokens_details": None}


def row(index: Any = None, embedding: Any = (0.5, 1)) -> dict[str, Any]:
    return {"index": index, "embedding": list(embedding) if isinstance(embedding, tuple) else embedding}


@pytest.mark.parametrize(
    "rows",
    ["x", [1], [row()], [row(), row(), row()], [row(0), row(0)], [row(1), row(2)], [row(0), row("1")], [row(0), row()],
     [row(0), row(1, ())], [row(0), row(1, None)], [row(0), row(1, "AAAA")], [row(0), row(1, ("a", 1))],
     [row(0), row(1, (True, 1))], [row(0), row(1, (1.0,))]],
)  # fmt: skip
def test_check_answer_rejects_missing_embeddings(rows: Any) -> None:
    found = checked({"data": rows}, EMBEDDINGS, input=["a", "b"])
    assert isinstance(found, BadUpstreamResponseError)


def test_check_answer_sorts_embeddings() -> None:
    found = checked({"data": [row(1, (1.0,)), row(0, (0.0,))]}, EMBEDDINGS, input=["a", "b"])
    assert found.body["data"] == [row(0, (0.0,)), row(1, (1.0,))]


@pytest.mark.parametrize(("given", "vectors"), [("a", 1), ([1, 2, 3], 1), ([[1], [2]], 2), (["a"], 1)])
def test_check_answer_counts_inputs_of_texts_and_tokens(given: Any, vectors: int) -> None:
    assert isinstance(checked({"data": [row(place) for place in range(vectors)]}, EMBEDDINGS, input=given), Answer)
    packed = {"data": [row(place, "AAAA") for place in range(vectors)]}
    assert isinstance(checked(packed, EMBEDDINGS, input=given, encoding_format="base64"), Answer)


# -- streams ----------------------------------------------------------------------------------------------------------


def chunk(finish: Any = None, **delta: Any) -> dict[str, Any]:
    return {"id": "x", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


WRONG_CHUNKS: list[Any] = [
    {"choices": "HELLO"}, {"choices": {"0": {}}}, {"choices": ["x"]}, {"error": "no"}, {"choices": [{"delta": "text"}]},
    {"choices": [{"index": "0", "delta": {}}]}, {"choices": [{"index": -1, "delta": {}}]}, {"choices": [{"index": {}, "delta": {}}]},
    {"choices": [{"index": 0, "message": {"content": "x"}}]}, {"choices": [{"index": 0, "text": "x"}]},
    chunk(content=5), chunk(content={"a": 1}), chunk(content=["x"]), chunk(role=[]), chunk(reasoning=5),
    chunk(tool_calls="x"), chunk(tool_calls=["x"]), chunk(tool_calls=[{"index": "0"}]), chunk(tool_calls=[{"index": 0, "id": 5}]),
    chunk(tool_calls=[{"id": "c"}]), chunk(tool_calls=[{"index": 0}]), chunk(tool_calls=[{"index": -1, "id": "c"}]),
    chunk(tool_calls=[{"index": 0, "function": "f"}]), chunk(tool_calls=[{"index": 0, "function": {"name": 5}}]),
    chunk(tool_calls=[{"index": 0, "function": {"arguments": {}}}]),
]  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG_CHUNKS, ids=lambda body: str(body)[:60])
def test_check_chunk_rejects_wrong_types(wrong: Any) -> None:
    progress = Progress()
    progress.feed(chunk(content="HELLO "))
    with pytest.raises(BadUpstreamResponseError) as caught:
        progress.feed(wrong)
    assert caught.value.failure is FailureClass.PROTOCOL
    assert progress.text == "HELLO "
    assert not progress.complete


@pytest.mark.parametrize("silent", [{}, {"type": "ping"}, {"choices": None}, {"choices": []}, {"choices": [], "usage": "lots"}])
def test_check_chunk_drops_empty_chunks(silent: Any) -> None:
    progress = Progress()
    assert not progress.feed(silent)
    assert not progress.has_content
    assert progress.usage is None


@pytest.mark.parametrize("finish", ["", " ", 5, ["stop"], True, {}])
def test_check_chunk_ignores_malformed_finish_reason(finish: Any) -> None:
    progress, last = Progress(), chunk(finish, content="HELLO")
    progress.feed(last)
    assert last["choices"][0]["finish_reason"] is None
    assert not progress.complete


def test_check_chunk_repairs_null_delta_and_index() -> None:
    progress, last = Progress(), {"choices": [{"index": None, "delta": None, "finish_reason": "stop"}]}
    assert progress.feed(last)
    assert last["choices"] == [{"index": 0, "delta": {}, "finish_reason": "stop"}]
    assert progress.complete


@pytest.mark.parametrize("usage", ["lots", {"prompt_tokens": "3"}, [1]])
def test_usage_of_malformed_stream_report_is_none(usage: Any) -> None:
    progress, last = Progress(), {**chunk("stop"), "usage": usage}
    progress.feed(last)
    assert progress.usage is None
    assert last["usage"] is None


@pytest.mark.parametrize("finish", ["tool_calls", "stop"])
def test_progress_truncated_arguments_are_incomplete(finish: str) -> None:
    progress = Progress()
    progress.feed(chunk(tool_calls=[{"index": 0, "id": "c", "function": {"name": "f", "arguments": '{"a": '}}]))
    with pytest.raises(BadUpstreamResponseError):
        progress.feed(chunk(finish))
    assert not progress.complete
    progress.feed(chunk("length"))
    assert progress.complete


def test_progress_call_without_arguments_ends_with_object() -> None:
    progress, last = Progress(TOOLS), chunk("tool_calls")
    progress.feed(chunk(tool_calls=[{"index": 0, "id": "c", "function": {"name": "now", "arguments": ""}}]))
    progress.feed(last)
    assert last["choices"][0]["delta"]["tool_calls"] == [{"index": 0, "function": {"arguments": "{}"}}]
    assert progress.tool_calls[0]["function"]["arguments"] == "{}"
