"""Provenance of messages: vendor fields go to their own connector and to no other."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from modelmesh.contracts import messages_for_connector
from modelmesh.contracts.conversation import PROVENANCE, StreamMarker, tag_answer

HI = {"role": "user", "content": "Hello", "connector": "a user's own word"}
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
SIGNED = {**CALL, "extra_content": {"google": {"thought_signature": "c2lnbmVk"}}}
PLAIN = {"role": "assistant", "content": "Hi", "refusal": None, "annotations": [], "tool_calls": [CALL]}
ADDED: list[dict[str, Any]] = [
    {**PLAIN, "reasoning_content": "Hm."},
    {**PLAIN, "thinking_blocks": [{"type": "thinking"}], "of_next_year": 1},
    {**PLAIN, "tool_calls": [CALL, SIGNED]},
]


def marked(message: dict[str, Any], connector: str = "a.b.v1") -> dict[str, Any]:
    body = {"choices": [{"index": 0, "message": copy.deepcopy(message)}]}
    tag_answer(body, connector)
    return dict(body["choices"][0]["message"])


@pytest.mark.parametrize("message", [PLAIN, {**PLAIN, "reasoning": None}, {"role": "assistant", "content": None}])
def test_tag_answer_without_vendor_fields_adds_nothing(message: dict[str, Any]) -> None:
    assert marked(message) == message


@pytest.mark.parametrize("message", ADDED, ids=["thought", "unknown", "signed call"])
def test_messages_for_own_connector_keep_vendor_fields(message: dict[str, Any]) -> None:
    kept = marked(message)
    assert kept == {**message, PROVENANCE: "a.b.v1"}
    adapted: list[str] = []
    assert messages_for_connector("a.b.v1", [HI, kept], adapted) == [HI, message]
    assert adapted == []


@pytest.mark.parametrize("message", ADDED, ids=["thought", "unknown", "signed call"])
def test_messages_for_other_connector_drop_and_report_fields(message: dict[str, Any]) -> None:
    conversation = [HI, marked(message)]
    before = copy.deepcopy(conversation)
    adapted: list[str] = []
    seen = messages_for_connector("c.d.v1", conversation, adapted)
    assert conversation == before
    calls = [{name: value for name, value in call.items() if name != "extra_content"} for call in message["tool_calls"]]
    assert seen == [HI, {**PLAIN, "tool_calls": calls}]
    (line,) = adapted
    assert line.endswith("of messages[1] dropped: specific to a.b.v1")
    extra = {f"tool_calls.{name}" for call in message["tool_calls"] for name in call.keys() - CALL.keys()}
    assert set(line.partition(" of ")[0].split(", ")) == (message.keys() - PLAIN.keys()) | extra


def test_messages_for_other_connector_omit_empty_message() -> None:
    adapted: list[str] = []
    picture = marked({"role": "assistant", "content": None, "content_parts": [{"inlineData": {}}]})
    assert messages_for_connector("c.d.v1", [HI, picture, HI], adapted) == [HI, HI]
    assert len(adapted) == 1


@pytest.mark.parametrize("messages", [None, "text", [], [HI], [PLAIN, {**PLAIN, "reasoning": "of an older time"}]])
def test_messages_without_provenance_are_unchanged(messages: Any) -> None:
    assert messages_for_connector("a.b.v1", messages, []) == copy.deepcopy(messages)


DELTAS = some.lists(some.sampled_from([{"content": "x"}, {"reasoning": "y"}, {"tool_calls": [{**SIGNED, "index": 0}]}, {}]))


@given(deltas_by_choice=some.lists(some.tuples(some.integers(0, 2), DELTAS), max_size=6))
def test_stream_marker_marks_first_vendor_field_per_choice(deltas_by_choice: list[tuple[int, list[dict[str, Any]]]]) -> None:
    marker, found = StreamMarker("a.b.v1"), []
    for index, deltas in deltas_by_choice:
        for delta in deltas:
            chunk = {"choices": [{"index": index, "delta": copy.deepcopy(delta)}]}
            marker.mark(chunk)
            found.append((index, chunk["choices"][0]["delta"], delta))
    for index in range(3):
        own = [(delta, before) for place, delta, before in found if place == index]
        adding = [place for place, (_, before) in enumerate(own) if {"reasoning", "tool_calls"} & before.keys()]
        assert [place for place, (delta, _) in enumerate(own) if PROVENANCE in delta] == adding[:1]
        assert all({name: value for name, value in delta.items() if name != PROVENANCE} == before for delta, before in own)


@pytest.mark.parametrize("odd", [{}, {"choices": None}, {"choices": ["x", {"delta": None}, {"message": "x"}]}])
def test_tag_answer_ignores_malformed_body(odd: dict[str, Any]) -> None:
    before = copy.deepcopy(odd)
    tag_answer(odd, "a.b.v1")
    StreamMarker("a.b.v1").mark(odd)
    assert odd == before
