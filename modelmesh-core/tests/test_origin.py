"""What a vendor adds to a message goes back through its own connector and through no other."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from modelmesh.contracts import addressed_to
from modelmesh.contracts.conversation import ORIGIN, StreamMarker, mark_answer

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
    mark_answer(body, connector)
    return dict(body["choices"][0]["message"])


@pytest.mark.parametrize("message", [PLAIN, {**PLAIN, "reasoning": None}, {"role": "assistant", "content": None}])
def test_openais_own_fields_need_no_origin(message: dict[str, Any]) -> None:
    assert marked(message) == message


@pytest.mark.parametrize("message", ADDED, ids=["thought", "unknown", "signed call"])
def test_through_its_own_connector_a_message_goes_as_it_came(message: dict[str, Any]) -> None:
    kept = marked(message)
    assert kept == {**message, ORIGIN: "a.b.v1"}
    adapted: list[str] = []
    assert addressed_to("a.b.v1", [HI, kept], adapted) == [HI, message]
    assert adapted == []


@pytest.mark.parametrize("message", ADDED, ids=["thought", "unknown", "signed call"])
def test_through_another_openais_fields_go_and_the_rest_is_named(message: dict[str, Any]) -> None:
    conversation = [HI, marked(message)]
    before = copy.deepcopy(conversation)
    adapted: list[str] = []
    seen = addressed_to("c.d.v1", conversation, adapted)
    assert conversation == before
    calls = [{name: value for name, value in call.items() if name != "extra_content"} for call in message["tool_calls"]]
    assert seen == [HI, {**PLAIN, "tool_calls": calls}]
    (line,) = adapted
    assert line.endswith("of messages[1] left out: they are for a.b.v1")
    extra = {f"tool_calls.{name}" for call in message["tool_calls"] for name in call.keys() - CALL.keys()}
    assert set(line.partition(" of ")[0].split(", ")) == (message.keys() - PLAIN.keys()) | extra


def test_a_message_that_says_nothing_in_openais_fields_is_left_out() -> None:
    adapted: list[str] = []
    picture = marked({"role": "assistant", "content": None, "content_parts": [{"inlineData": {}}]})
    assert addressed_to("c.d.v1", [HI, picture, HI], adapted) == [HI, HI]
    assert len(adapted) == 1


@pytest.mark.parametrize("messages", [None, "text", [], [HI], [PLAIN, {**PLAIN, "reasoning": "of an older time"}]])
def test_without_an_origin_nothing_is_touched(messages: Any) -> None:
    assert addressed_to("a.b.v1", messages, []) == copy.deepcopy(messages)


DELTAS = some.lists(some.sampled_from([{"content": "x"}, {"reasoning": "y"}, {"tool_calls": [{**SIGNED, "index": 0}]}, {}]))


@given(said=some.lists(some.tuples(some.integers(0, 2), DELTAS), max_size=6))
def test_a_stream_is_marked_once_a_choice_where_the_first_such_field_comes(said: list[tuple[int, list[dict[str, Any]]]]) -> None:
    marker, found = StreamMarker("a.b.v1"), []
    for index, deltas in said:
        for delta in deltas:
            chunk = {"choices": [{"index": index, "delta": copy.deepcopy(delta)}]}
            marker.mark(chunk)
            found.append((index, chunk["choices"][0]["delta"], delta))
    for index in range(3):
        own = [(delta, before) for place, delta, before in found if place == index]
        adding = [place for place, (_, before) in enumerate(own) if {"reasoning", "tool_calls"} & before.keys()]
        assert [place for place, (delta, _) in enumerate(own) if ORIGIN in delta] == adding[:1]
        assert all({name: value for name, value in delta.items() if name != ORIGIN} == before for delta, before in own)


@pytest.mark.parametrize("odd", [{}, {"choices": None}, {"choices": ["x", {"delta": None}, {"message": "x"}]}])
def test_what_is_no_answer_is_left_alone(odd: dict[str, Any]) -> None:
    before = copy.deepcopy(odd)
    mark_answer(odd, "a.b.v1")
    StreamMarker("a.b.v1").mark(odd)
    assert odd == before
