"""Parallel tool calls stay separate calls whatever a server numbers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from modelmesh_cdk.provider.tool_calls import ToolCallIndexer, complete_message


def piece(arguments: str | None = None, **more: Any) -> dict[str, Any]:
    function = {name: more.pop(name) for name in ("name",) if name in more}
    return {**more, "function": {**function, **({} if arguments is None else {"arguments": arguments})}}


def joined(*chunks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Join pieces as clients do: by index, texts one after the other."""
    numbers, calls = ToolCallIndexer(), {}
    for pieces in chunks:
        chunk = {"id": "chatcmpl-1", "choices": [{"index": 0, "delta": {"tool_calls": pieces}}]}
        numbers.assign_indices(chunk)
        for one in pieces:
            call = calls.setdefault(one["index"], {"id": "", "name": "", "arguments": ""})
            call["id"] += one.get("id") or ""
            call["name"] += one["function"].get("name") or ""
            call["arguments"] += one["function"].get("arguments") or ""
    assert sorted(calls) == list(range(len(calls)))
    return [calls[place] for place in sorted(calls)]


A, B = '{"city": "Oslo"}', '{"city": "Rome"}'
STREAMS: dict[str, list[list[dict[str, Any]]]] = {
    "as OpenAI sends them": [
        [piece("", index=0, id="a", type="function", name="weather")], [piece(A[:5], index=0)], [piece(A[5:], index=0)],
        [piece("", index=1, id="b", type="function", name="weather")], [piece(B, index=1)],
    ],
    "in turns": [
        [piece("", index=0, id="a", name="weather"), piece("", index=1, id="b", name="weather")],
        [piece(A[:5], index=0), piece(B[:5], index=1)], [piece(B[5:], index=1)], [piece(A[5:], index=0)],
    ],
    "under one index with IDs": [[piece(A, index=0, id="a", name="weather")], [piece(B, index=0, id="b", name="weather")]],
    "under one index in one chunk": [[piece(A, index=0, id="a", name="weather"), piece(B, index=0, id="b", name="weather")]],
    "under one index in pieces": [
        [piece(A[:5], index=0, id="a", name="weather")], [piece(A[5:], index=0)],
        [piece(B[:5], index=0, id="b", name="weather")], [piece(B[5:], index=0)],
    ],
    "without IDs": [[piece(A, index=0, name="weather")], [piece(B, index=0, name="weather")]],
    "without IDs, an index each": [[piece(A, index=0, name="weather")], [piece(B, index=1, name="weather")]],
    "with empty IDs": [[piece(A, index=0, id="", name="weather")], [piece(B, index=0, id="", name="weather")]],
    "index null": [[piece(A, index=None, id="a", name="weather")], [piece(B, index=None, id="b", name="weather")]],
    "no index, in pieces": [
        [piece(A[:5], id="a", name="weather")], [piece(A[5:])], [piece(B[:5], id="b", name="weather")], [piece(B[5:])],
    ],
    "no index, no ID": [[piece(A, name="weather"), piece(B, name="weather")]],
    "ID and name in each chunk": [
        [piece(A[:5], index=0, id="a", name="weather")], [piece(A[5:], index=0, id="a", name="weather")],
        [piece(B[:5], index=1, id="b", name="weather")], [piece(B[5:], index=1, id="b", name="weather")],
    ],
    "name in each chunk, no ID": [
        [piece(A[:5], index=0, name="weather")], [piece(A[5:], index=0, name="weather")], [piece(B, index=0, name="weather")],
    ],
    "one-based": [[piece(A, index=1, id="a", name="weather")], [piece(B, index=2, id="b", name="weather")]],
    "the index changes": [[piece(A[:5], index=0, id="a", name="weather")], [piece(A[5:], index=3, id="a")],
                          [piece(B, index=4, id="b", name="weather")]],
}  # fmt: skip


@pytest.mark.parametrize("chunks", STREAMS.values(), ids=STREAMS)
def test_parallel_calls_keep_distinct_indexes(chunks: list[list[dict[str, Any]]]) -> None:
    calls = joined(*json.loads(json.dumps(chunks)))
    assert [(call["name"], call["arguments"]) for call in calls] == [("weather", A), ("weather", B)]
    assert len({call["id"] for call in calls}) == 2
    assert all(call["id"] for call in calls)


def test_calls_are_numbered_per_choice() -> None:
    numbers = ToolCallIndexer()
    choices = [{"index": n, "delta": {"tool_calls": [piece(A, index=0, id=f"c{n}", name="weather")]}} for n in range(2)]
    numbers.assign_indices({"id": "x", "choices": choices})
    assert [choice["delta"]["tool_calls"][0]["index"] for choice in choices] == [0, 0]


@pytest.mark.parametrize(
    "odd", [None, {}, {"choices": None}, {"choices": [None, {"delta": 1}, {"delta": {"tool_calls": [1, None]}}]}]
)
def test_invalid_tool_calls_are_unchanged(odd: Any) -> None:
    ToolCallIndexer().assign_indices(odd or {})


def test_message_calls_receive_ids_and_content() -> None:
    calls: list[Any] = [{"function": {"name": "f", "arguments": "{}"}}, {"id": "a", "function": {}}, {"id": "a", "function": {}}]
    message = {"role": "assistant", "tool_calls": calls}
    complete_message(message, "chatcmpl-1")
    assert message["content"] is None
    assert len({call["id"] for call in calls}) == 3
    assert {call["type"] for call in calls} == {"function"}


def test_message_without_calls_is_unchanged() -> None:
    message: dict[str, Any] = {"role": "assistant"}
    complete_message(message, "x")
    assert message == {"role": "assistant"}
