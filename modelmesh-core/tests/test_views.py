"""Views and replies: attributes, items, JSON, copies and pickles."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelmesh import ModelMesh, create
from modelmesh.client.attribute_dict import AttributeDict
from modelmesh.client.shapes.chat import ChatCompletionChunk, Choice, Message, ToolCall, Usage
from modelmesh.client.shapes.models import ModelList
from modelmesh.contracts import ModelInfo

DATA: dict[str, Any] = {
    "id": "chatcmpl-test",
    "model": "m",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": None, "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
            "finish_reason": "tool_calls",
        }
    ],
    "usage": {"prompt_tokens": 1, "vendor_tokens": 9},
    "vendor": {"deep": [{"x": 1}, 2]},
    "items": [1],
}  # fmt: skip


@pytest.fixture
def reply(scripted: Any) -> Any:
    with create(
        config={"providers": {"a": {"instance": scripted("m", answer=lambda *_: copy.deepcopy(DATA))}}, "pools": {"chat": {}}}
    ) as client:
        yield client.chat.completions.create(model="chat", messages=[])


def test_view_attributes_equal_items(reply: Any) -> None:
    assert reply.choices[0].message.tool_calls[0].function.name == "f"
    assert reply["choices"][0]["message"]["tool_calls"][0]["function"]["name"] == "f"
    assert reply.choices is reply["choices"]
    assert reply.usage is reply["usage"] is reply.get("usage")
    assert [
        type(one) for one in (reply.choices[0], reply.choices[0].message, reply.usage, reply.choices[0].message.tool_calls[0])
    ] == [Choice, Message, Usage, ToolCall]


def test_view_keeps_unknown_fields(reply: Any) -> None:
    assert reply.usage.vendor_tokens == 9
    assert reply.vendor.deep[0].x == 1
    assert reply.vendor.deep[1] == 2


def test_view_known_field_absent_is_none(reply: Any) -> None:
    assert reply.service_tier is None
    assert reply.usage.total_tokens is None
    assert reply.choices[0].message.refusal is None
    assert "service_tier" not in reply
    assert reply.get("service_tier", "x") == "x"
    with pytest.raises(KeyError):
        reply["service_tier"]


def test_view_unknown_attribute_raises(reply: Any) -> None:
    with pytest.raises(AttributeError, match="'ChatCompletion' object has no attribute 'choises'"):
        _ = reply.choises
    assert not hasattr(reply, "choises")
    assert getattr(reply, "choises", 5) == 5


def test_view_dict_method_name_is_read_as_item(reply: Any) -> None:
    assert reply["items"] == [1]
    assert ("id", "chatcmpl-test") in reply.items()


def test_reply_mesh_attributes_are_not_in_the_data(reply: Any) -> None:
    assert (reply.provider, reply.content, len(reply.attempts)) == ("a", None, 1)
    assert reply.latency_ms >= 0
    assert reply.metadata["pool"] == "chat"
    assert reply.explain().selected_model == "m"
    assert {"provider", "attempts", "metadata"}.isdisjoint(reply)


def test_view_assignment_changes_attributes_and_json(reply: Any) -> None:
    reply.choices[0].message.content = "changed"
    reply["model"] = "other"
    reply.note = {"a": 1}
    assert reply["choices"][0]["message"]["content"] == reply.content == "changed"
    assert reply.model == "other"
    assert reply.note.a == 1
    assert json.loads(reply.model_dump_json())["choices"][0]["message"]["content"] == "changed"


def test_view_equality_compares_the_data(reply: Any) -> None:
    plain = reply.model_dump()
    assert reply == plain
    _ = reply.choices[0].message  # an access does not change equality
    assert reply == plain
    assert reply != {**plain, "model": "other"}


def test_model_dump_returns_an_independent_plain_copy(reply: Any) -> None:
    _ = reply.choices[0].message.tool_calls
    dumped = reply.model_dump()
    stack: list[Any] = [dumped]
    while stack:
        one = stack.pop()
        assert type(one) in (dict, list, str, int, type(None))
        stack += one.values() if isinstance(one, dict) else one if isinstance(one, list) else []
    dumped["choices"].clear()
    assert reply.choices[0].index == 0
    assert {name: reply.to_dict()[name] for name in DATA} == DATA


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"exclude_none": True}, {"a": 1, "c": {"d": [{"e": 2}, {}]}}),
        ({"exclude": {"a"}}, {"b": None, "c": {"d": [{"e": 2}, {"e": None}]}}),
        ({"include": {"a", "b"}}, {"a": 1, "b": None}),
        ({"exclude": {"c": {"d": {"__all__": {"e"}}}, "b": True}}, {"a": 1, "c": {"d": [{}, {}]}}),
        ({"exclude": {"c": {"d": {0: {"e"}}}}}, {"a": 1, "b": None, "c": {"d": [{}, {"e": None}]}}),
        ({"mode": "json", "exclude_unset": True, "warnings": False}, {"a": 1, "b": None, "c": {"d": [{"e": 2}, {"e": None}]}}),
    ],
)
def test_model_dump_options(options: dict[str, Any], expected: Any) -> None:
    view = AttributeDict({"a": 1, "b": None, "c": {"d": [{"e": 2}, {"e": None}]}})
    assert view.model_dump(**options) == expected
    assert json.loads(view.to_json(**options)) == expected
    assert view == {"a": 1, "b": None, "c": {"d": [{"e": 2}, {"e": None}]}}


def test_view_json_round_trip(reply: Any) -> None:
    assert json.loads(json.dumps(reply)) == reply
    assert json.loads(reply.model_dump_json()) == reply
    assert "\n" not in reply.model_dump_json()
    assert "\n" in reply.to_json()
    assert AttributeDict({"a": "é"}).model_dump_json() == '{"a":"é"}'


def test_reply_copy_keeps_history(reply: Any) -> None:
    deep = copy.deepcopy(reply)
    deep.choices[0].message.content = "changed"
    assert reply.content is None
    usage = copy.copy(reply.usage)
    assert type(usage) is Usage
    assert usage == reply.usage


def test_reply_pickle_keeps_history(reply: Any) -> None:
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        again = pickle.loads(pickle.dumps(reply, protocol))
        assert again == reply
        assert again.choices[0].message.tool_calls[0].function.name == "f"
        assert again.service_tier is None
        assert again.content is None
        assert (again.provider, again.attempts) == (reply.provider, reply.attempts)
    chunk = ChatCompletionChunk({"choices": [{"delta": {"content": "x"}}]})
    assert pickle.loads(pickle.dumps(chunk)).choices[0].delta.content == "x"
    assert type(pickle.loads(pickle.dumps(chunk))) is ChatCompletionChunk


def test_view_repr_and_dir_list_fields(reply: Any) -> None:
    assert repr(reply.usage) == "Usage(prompt_tokens=1, vendor_tokens=9)"
    assert {"id", "vendor", "service_tier", "model_dump", "attempts"} <= set(dir(reply))


def test_model_list_iterates_over_its_data(reply: Any) -> None:
    listed = ModelList({"data": [{"id": "a"}, {"id": "b"}]})
    assert [card.id for card in listed] == ["a", "b"]


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=10,
)


@given(st.dictionaries(st.text(max_size=5), JSON, max_size=4))
def test_view_reading_any_json_leaves_it_equal(data: dict[str, Any]) -> None:
    before = json.dumps(data)
    view = AttributeDict(copy.deepcopy(data))
    for name in data:
        _ = view[name]
    assert view == data
    assert view.model_dump() == data
    assert json.dumps(view.model_dump()) == json.dumps(view) == before
    assert pickle.loads(pickle.dumps(view)) == data
    repr(view)


# -- media ---------------------------------------------------------------------------------------------------------------------


MEDIA = [
    ("text-to-speech", {"per_1k_characters": 0.015}, {"input": "Hello", "voice": "alloy"}),
    ("speech-to-text", {"per_audio_minute": 0.006}, {"file": b"sound"}),
    ("text-to-image", {"per_image": 0.04}, {"prompt": "A lighthouse", "n": 2}),
    ("text-embeddings", {"input_per_1k_tokens": 0.001}, {"input": ["a"]}),
]


@pytest.mark.parametrize(("capability", "pricing", "arguments"), MEDIA)
def test_explanation_of_media_uses_the_prices_of_the_operation(
    scripted: Any, capability: str, pricing: dict[str, float], arguments: dict[str, Any]
) -> None:
    vendor = scripted(ModelInfo("m", capabilities=(capability,)))
    config = {
        "providers": {"a": {"instance": vendor, "budget": {"daily_limit": 1}}},
        "models": {"m": {"provider": "a", "capabilities": [capability], "pricing": pricing}},
        "pools": {capability: {}},
    }
    with ModelMesh(config) as mesh:
        for found in (mesh.explain(capability), mesh.client.explain(capability), mesh.client.explain(capability, **arguments)):
            assert (found.selected_provider, found.selected_model) == ("a", "m"), found
        current = mesh.pool_status(capability)[capability].current_model
        assert current == "m"
