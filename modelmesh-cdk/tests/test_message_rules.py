"""Adaptation of conversations to a vendor's rules: messages, notes, and unmodified input."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest

from modelmesh.contracts import FailureClass
from modelmesh.errors import ProviderError
from modelmesh_cdk.message_rules import (
    Arguments,
    Blank,
    CallIds,
    ContentWithCalls,
    LastAssistant,
    MessageRules,
    SystemPlace,
    adapt,
    find_violations,
)
from modelmesh_cdk.message_rules.fast_path import needs_no_change

OPEN = MessageRules(vendor="Acme")
CLOSED = {
    "system": ("role", "content"),
    "user": ("role", "content"),
    "assistant": ("role", "content", "tool_calls"),
    "tool": ("role", "content", "tool_call_id"),
}
STRICT = MessageRules(
    vendor="Acme",
    roles=("system", "user", "assistant", "tool"),
    replaced_roles={"developer": "system"},
    functions=False,
    keys=CLOSED,
    call_keys=("id", "type", "function"),
    parts={"user": ("text", "image_url"), "assistant": ("text",), "tool": ("text",), "system": ("text",)},
    part_keys={"text": ("type", "text"), "image_url": ("type", "image_url")},
    text_only_roles=("system", "assistant", "tool"),
    blank={"user": Blank.STAND_IN, "assistant": Blank.LEAVE_OUT, "tool": Blank.STAND_IN, "system": Blank.LEAVE_OUT,
           "part": Blank.LEAVE_OUT},
    content_with_calls=ContentWithCalls.NULL,
    system=SystemPlace.FIRST,
    system_alone=False,
    alternating=True,
    opening="Hello.",
    bridge="OK.",
    last_assistant=LastAssistant.ASK_TO_CONTINUE,
    arguments=Arguments.JSON_OBJECT,
    call_ids=CallIds("[a-z0-9A-Z]{9}", 9),
    images=("image/png", "image/jpeg"),
    accepts_blank_stops=False,
    max_stop_sequences=4,
    ranges={"temperature": (0, 1)},
    unsupported=("logit_bias",),
)  # fmt: skip
HI = {"role": "user", "content": "Hello"}


def call(name: str = "f", arguments: Any = "{}", given: Any = "call_1") -> dict[str, Any]:
    return {"id": given, "type": "function", "function": {"name": name, "arguments": arguments}}


def asks(*calls: dict[str, Any], content: Any = None) -> dict[str, Any]:
    return {"role": "assistant", "content": content, "tool_calls": list(calls)}


def result(content: Any = "x", given: Any = "call_1", **more: Any) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": given, "content": content, **more}


def sent(rules: MessageRules, *messages: Any, **payload: Any) -> tuple[list[Any], list[str]]:
    given = {"messages": list(messages), **payload}
    before = deepcopy(given)
    fitted = adapt(given, rules)
    assert given == before
    assert find_violations(fitted.payload, rules) == []
    return fitted.payload["messages"], list(fitted.notes)


@pytest.mark.parametrize(
    "messages",
    [
        [HI],
        [{"role": "system", "content": "Be brief."}, HI],
        [HI, {"role": "assistant", "content": "Hi"}, HI],
        [HI, asks(call()), result()],
        [HI, {"role": "assistant", "content": "x", "of_next_year": {"a": None}}, {**HI, "metadata": 1}],
        [HI, asks(call("f", "not JSON")), result()],
    ],
)
def test_open_rules_keep_valid_conversation(messages: list[Any]) -> None:
    assert sent(OPEN, *messages) == (messages, [])


@pytest.mark.parametrize(
    ("key", "value"),
    [("name", None), ("tool_calls", None), ("tool_calls", []), ("refusal", None), ("annotations", []), ("audio", None)],
)
def test_keys_without_effect_are_dropped_silently(key: str, value: Any) -> None:
    assert sent(OPEN, HI, {"role": "assistant", "content": "x", key: value}, HI) == (
        [HI, {"role": "assistant", "content": "x"}, HI],
        [],
    )


def test_unknown_keys_are_dropped_with_a_note() -> None:
    messages, notes = sent(STRICT, {**HI, "id": "u1", "metadata": None, "timestamp": 7})
    assert messages == [HI]
    assert notes == [
        "id of messages left out: Acme refuses it (messages[0])",
        "timestamp of messages left out: Acme refuses it (messages[0])",
    ]


@pytest.mark.parametrize(
    ("role", "becomes"), [("developer", "system"), ("human", "user"), ("model", "assistant"), ("ai", "assistant")]
)
def test_roles_are_renamed_for_vendor(role: str, becomes: str) -> None:
    messages, notes = sent(STRICT, HI, {"role": "assistant", "content": "a"}, HI, {"role": role, "content": "b"})
    assert becomes in [one["role"] for one in messages if "b" in one["content"]]
    assert notes


def test_unknown_role_raises_capability_error() -> None:
    with pytest.raises(ProviderError, match=r"messages\[0\].role is 'critic'") as caught:
        adapt({"messages": [{"role": "critic", "content": "x"}]}, STRICT)
    assert caught.value.failure is FailureClass.CAPABILITY


def test_function_calls_become_tool_calls() -> None:
    asked = {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}}
    messages, notes = sent(STRICT, HI, asked, {"role": "function", "name": "f", "content": "x"})
    assert [one["role"] for one in messages] == ["user", "assistant", "tool"]
    assert messages[1]["tool_calls"][0]["id"] == messages[2]["tool_call_id"]
    assert len(notes) == 3


@pytest.mark.parametrize(
    ("given", "becomes", "noted"),
    [
        ({"a": 1}, '{"a": 1}', False),
        ("", "{}", False),
        (None, "{}", False),
        ("  ", "{}", False),
        ('{"a": ', '{"arguments": "{\\"a\\": "}', True),
        ("[1]", '{"arguments": "[1]"}', True),
        ('{"a": 1}', '{"a": 1}', False),
    ],
)
def test_arguments_become_a_json_object(given: Any, becomes: str, noted: bool) -> None:
    messages, notes = sent(STRICT, HI, asks(call(arguments=given, given="abcdefghi")), result(given="abcdefghi"))
    assert messages[1]["tool_calls"][0]["function"]["arguments"] == becomes
    assert bool(notes) is noted


def test_tool_results_follow_their_calls() -> None:
    messages, notes = sent(OPEN, HI, asks(call(given="a"), call(given="b")), HI, result(given="b"), result(given="a"))
    assert [one.get("tool_call_id") for one in messages] == [None, None, "b", "a", None]
    assert notes == ["tool results moved to their calls (messages[4], messages[3])"]


def test_unpaired_calls_and_results_are_completed() -> None:
    messages, notes = sent(OPEN, result("lost", "z"), HI, asks(call()), HI)
    assert messages[0] == {"role": "user", "content": "Result of z: lost"}
    assert messages[3] == {"role": "tool", "tool_call_id": "call_1", "content": "(no result)"}
    assert len(notes) == 2


@pytest.mark.parametrize("given", [None, "", 7])
def test_call_ids_of_other_types_are_replaced(given: Any) -> None:
    messages, _ = sent(OPEN, HI, asks(call(given=given), call("g", given=given)), result("1", given), result("2", given))
    ids = [one["id"] for one in messages[1]["tool_calls"]]
    assert len(set(ids)) == 2
    assert [(one["tool_call_id"], one["content"]) for one in messages[2:]] == [(ids[0], "1"), (ids[1], "2")]


def test_repeated_call_ids_match_their_own_turn() -> None:
    turn = [HI, asks(call()), result("1")]
    messages, notes = sent(OPEN, *turn, {"role": "assistant", "content": "ok"}, *turn[:2], result("2"))
    assert [one["content"] for one in messages if one["role"] == "tool"] == ["1", "2"]
    assert notes == []


@pytest.mark.parametrize("blank", ["", " \n", None, [], [{"type": "text", "text": ""}]])
def test_blank_content_is_replaced_or_dropped(blank: Any) -> None:
    messages, _ = sent(STRICT, {"role": "user", "content": blank}, {"role": "assistant", "content": blank}, HI)
    assert messages == [{"role": "user", "content": "(empty)\n\nHello"}]
    silent, _ = sent(STRICT, HI, asks(call(given="abcdefghi"), content=blank), result(blank, "abcdefghi"))
    assert silent[1]["content"] is None
    assert silent[2]["content"] == "(empty)"


def test_open_rules_replace_null_content() -> None:
    assert sent(OPEN, HI, {"role": "assistant", "content": None}, HI)[0][1]["content"] == ""


def test_system_messages_come_first_and_not_alone() -> None:
    system = {"role": "system", "content": "b"}
    messages, notes = sent(STRICT, {"role": "system", "content": "a"}, HI, {"role": "assistant", "content": "x"}, system, HI)
    assert [one["role"] for one in messages] == ["system", "system", "user", "assistant", "user"]
    assert notes == ["system messages moved to the top (messages[3])"]
    messages, notes = sent(STRICT, system)
    assert messages == [{"role": "user", "content": "b"}]
    assert len(notes) == 1


def test_order_alternates_and_ends_with_user() -> None:
    messages, notes = sent(STRICT, {"role": "assistant", "content": "Hi"}, HI, HI, {"role": "assistant", "content": "x"})
    assert [one["content"] for one in messages] == ["Hello.", "Hi", "Hello\n\nHello", "x", "Continue."]
    assert len(notes) == 3


def test_bridge_follows_tool_result() -> None:
    messages, _ = sent(STRICT, HI, asks(call(given="abcdefghi")), result(given="abcdefghi"), HI)
    assert messages[3] == {"role": "assistant", "content": "OK."}


PNG = "iVBORw0KGgo="


@pytest.mark.parametrize(
    ("url", "becomes"),
    [
        (f"data:image/png;base64,{PNG}", f"data:image/png;base64,{PNG}"),
        (f"data:image/jpeg;base64,{PNG}", f"data:image/png;base64,{PNG}"),
        (f"data:;base64,{PNG}", f"data:image/png;base64,{PNG}"),
        ("data:image/jpg;base64,AAAA", "data:image/jpeg;base64,AAAA"),
        ("https://example.com/a.svg", "https://example.com/a.svg"),
    ],
)
def test_image_url_has_media_type_of_bytes(url: str, becomes: str) -> None:
    for image in (url, {"url": url}):
        part = {"type": "image_url", "image_url": image}
        assert sent(STRICT, {"role": "user", "content": [part]}) == (
            [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": becomes}}]}],
            [],
        )


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": "data:image/svg+xml;base64,PHN2Zz4="}},
        {"type": "video_url", "video_url": {"url": "https://example.com/a.mp4"}},
        {"type": "document_url", "document_url": "https://example.com/a.pdf"},
        {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
    ],
)
def test_unsupported_part_raises_capability_error(part: dict[str, Any]) -> None:
    with pytest.raises(ProviderError, match="Acme accepts") as caught:
        adapt({"messages": [{"role": "user", "content": [part]}]}, STRICT)
    assert caught.value.failure is FailureClass.CAPABILITY


def test_image_in_tool_result_moves_to_user_message() -> None:
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}
    content = [{"type": "text", "text": "A screenshot"}, image]
    messages, notes = sent(STRICT, HI, asks(call(given="abcdefghi")), result(content, "abcdefghi"))
    assert messages[2]["content"] == "A screenshot"
    assert [one["role"] for one in messages[2:]] == ["tool", "assistant", "user"]
    assert messages[-1]["content"] == [image]
    assert len(notes) == 2


@pytest.mark.parametrize(
    ("stop", "becomes", "noted"),
    [
        ([None, "a"], ["a"], False),
        ("\n", None, True),
        (["\n"], None, True),
        (["", "END"], ["END"], False),
        ([], None, False),
        (list("abcde"), list("abcd"), True),
    ],
)
def test_stop_sequences_are_limited(stop: Any, becomes: Any, noted: bool) -> None:
    fitted = adapt({"messages": [HI], "stop": stop}, STRICT)
    assert fitted.payload.get("stop") == becomes
    assert bool(fitted.notes) is noted


@pytest.mark.parametrize(
    ("parameters", "becomes", "noted"),
    [
        ({"temperature": 1.5}, {"temperature": 1}, True),
        ({"temperature": 0}, {"temperature": 0}, False),
        ({"logit_bias": {}}, {}, False),
        ({"logit_bias": {"1": 5}}, {}, True),
        ({"tools": [], "tool_choice": "auto", "parallel_tool_calls": True}, {}, False),
        ({"n": 1, "presence_penalty": 0}, {"n": 1, "presence_penalty": 0}, False),
    ],
)
def test_parameters_are_adapted_to_ranges(parameters: dict[str, Any], becomes: dict[str, Any], noted: bool) -> None:
    fitted = adapt({"messages": [HI], **parameters}, STRICT)
    assert {name: value for name, value in fitted.payload.items() if name != "messages"} == becomes
    assert bool(fitted.notes) is noted


@pytest.mark.parametrize("messages", ["Hello!", None, ["Hello"], [None]])
def test_invalid_messages_are_passed_through(messages: Any) -> None:
    assert adapt({"messages": messages}, STRICT).payload["messages"] == messages


@pytest.mark.parametrize(
    ("content", "becomes"),
    [({"degrees": 3}, '{"degrees": 3}'), ([{"city": "Rome"}], '[{"city": "Rome"}]'), (21, "21"), (True, "true")],
)
def test_tool_result_of_other_type_becomes_json(content: Any, becomes: str) -> None:
    messages, notes = sent(OPEN, HI, asks(call()), result(content))
    assert messages[2]["content"] == becomes
    assert len(notes) == 1


@pytest.mark.parametrize("role", ["User", "USER", "human"])
def test_roles_in_other_spellings_are_normalized(role: str) -> None:
    assert sent(OPEN, {"role": role, "content": "Hello"})[0] == [HI]


@pytest.mark.parametrize("message", [{"content": "Hello"}, {"role": None, "content": "Hello"}, {"role": 3, "content": "Hello"}])
def test_message_without_role_raises_caller_error(message: dict[str, Any]) -> None:
    with pytest.raises(ProviderError, match="no role") as caught:
        adapt({"messages": [message]}, OPEN)
    assert caught.value.failure is FailureClass.CALLER


def test_parameters_null_or_empty_are_dropped() -> None:
    payload = {"messages": [HI], "temperature": None, "stop": [], "tools": [], "tool_choice": None, "a_new_one": None, "seed": 0}
    assert adapt(payload, OPEN).payload == {"messages": [HI], "a_new_one": None, "seed": 0}


def test_tool_calls_become_text_without_tools() -> None:
    rules = MessageRules(vendor="Acme", tools=False, roles=("system", "user", "assistant"))
    messages, notes = sent(rules, HI, asks(call("weather", '{"city": "Oslo"}'), content="I look."), result("rain"))
    assert [one["role"] for one in messages] == ["user", "assistant", "user"]
    assert messages[1]["content"] == 'I look.\nCalled weather({"city": "Oslo"}).'
    assert messages[2]["content"] == "Result of call_1: rain"
    assert len(notes) == 1


def test_system_messages_are_joined() -> None:
    rules = MessageRules(vendor="Acme", system=SystemPlace.ONE_FIRST)
    system = [{"role": "system", "content": text} for text in "ab"]
    messages, notes = sent(rules, system[0], HI, {"role": "assistant", "content": "x"}, system[1], HI)
    assert messages[0] == {"role": "system", "content": "a\n\nb"}
    assert len(messages) == 4
    assert len(notes) == 2


PLAIN = [
    {"role": "system", "content": "Be brief."},
    HI,
    asks(call("f", '{"a": 1}', "abcdefghi"), call("g", "{}", "jklmnopqr")),
    result("1", "jklmnopqr"),
    result("2", "abcdefghi"),
    {"role": "assistant", "content": "Done."},
    HI,
    asks(call(given="abcdefghi"), content="I look."),
    result(given="abcdefghi"),
]


@pytest.mark.parametrize("rules", [OPEN, STRICT], ids=["open", "strict"])
def test_fast_path_equals_the_rules(rules: MessageRules, monkeypatch: pytest.MonkeyPatch) -> None:
    assert needs_no_change(PLAIN, rules)
    monkeypatch.setattr("modelmesh_cdk.message_rules.adaptation.needs_no_change", lambda *_: False)
    assert sent(rules, *PLAIN) == (PLAIN, [])


@pytest.mark.parametrize(
    "messages",
    [
        [HI, HI],
        [HI, {"role": "assistant", "content": "x"}],
        [{"role": "assistant", "content": "x"}, HI],
        [HI, asks(call())],
        [HI, asks(call(given="a"), call(given="a")), result(given="a")],
        [HI, asks(call(arguments={})), result()],
        [HI, asks(call("a.b")), result()],
        [HI, asks(call(), content=" "), result()],
        [HI, {**asks(call()), "name": None}, result()],
        [HI, asks(call()), result(given="other")],
        [HI, asks(call()), result("")],
        [HI, {"role": "system", "content": "x"}, HI],
        [{"role": "user", "content": [{"type": "text", "text": "x"}]}],
    ],
)
def test_fast_path_rejects_other_conversations(messages: list[Any]) -> None:
    assert not needs_no_change(messages, OPEN)


def test_image_in_assistant_message_moves_to_user() -> None:
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}
    messages, notes = sent(STRICT, HI, {"role": "assistant", "content": [image]}, {"role": "user", "content": "Bluer."})
    assert [one["role"] for one in messages] == ["user", "assistant", "user"]
    assert messages[2]["content"] == [image, {"type": "text", "text": "Bluer."}]
    assert notes[0] == "image_url parts of the role assistant sent in a message of the user after it (messages[1])"


@pytest.mark.parametrize("calls", ["weather", ["weather"], [None], 3])
def test_invalid_tool_call_raises_caller_error(calls: Any) -> None:
    with pytest.raises(ProviderError, match="not the call of a tool") as caught:
        adapt({"messages": [HI, {"role": "assistant", "content": None, "tool_calls": calls}]}, OPEN)
    assert caught.value.failure is FailureClass.CALLER


def test_single_tool_call_becomes_a_list() -> None:
    messages, _ = sent(OPEN, HI, {"role": "assistant", "content": None, "tool_calls": call()}, result())
    assert messages[1]["tool_calls"] == [call()]


CUSTOM = {"id": "call_1", "type": "custom", "custom": {"name": "shell", "input": "ls"}}


def test_custom_call_becomes_function_call() -> None:
    messages, notes = sent(OPEN, HI, {"role": "assistant", "content": None, "tool_calls": [CUSTOM]}, result())
    function = {"name": "shell", "arguments": '{"input": "ls"}'}
    assert messages[1]["tool_calls"] == [{"id": "call_1", "type": "function", "function": function}]
    assert any("custom tools" in note for note in notes)


def test_custom_call_is_kept_if_supported() -> None:
    messages, _ = sent(
        MessageRules(vendor="Acme", custom_calls=True),
        HI,
        {"role": "assistant", "content": None, "tool_calls": [CUSTOM]},
        result(),
    )
    assert messages[1]["tool_calls"] == [CUSTOM]


@pytest.mark.parametrize("given", ['{"a": NaN}', '{"a": [-Infinity]}', {"a": float("nan")}])
def test_arguments_with_nan_become_valid_json(given: Any) -> None:
    messages, _ = sent(STRICT, HI, {"role": "assistant", "content": None, "tool_calls": [call(arguments=given)]}, result())
    json.loads(messages[1]["tool_calls"][0]["function"]["arguments"], parse_constant=pytest.fail)


def test_ai_sdk_parts_are_converted() -> None:
    used = {"type": "tool-call", "toolCallId": "t1", "toolName": "look", "input": {"q": "x"}}
    back = {"type": "tool-result", "toolCallId": "t1", "toolName": "look", "output": {"type": "json", "value": {"found": 1}}}
    image = {"type": "image", "image": "iVBORw0KGgo=", "mediaType": "image/png"}
    messages, _ = sent(
        OPEN,
        HI,
        {"role": "assistant", "content": [{"type": "step-start"}, {"type": "text", "text": "one moment"}, used]},
        {"role": "tool", "content": [back]},
        {"role": "user", "content": [image]},
    )
    function = {"name": "look", "arguments": '{"q": "x"}'}
    assert messages[1]["tool_calls"] == [{"id": "t1", "type": "function", "function": function}]
    assert messages[1]["content"] == [{"type": "text", "text": "one moment"}]
    assert messages[2] == {"role": "tool", "tool_call_id": "t1", "content": '{"found": 1}'}
    assert messages[3]["content"] == [{"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}]


def test_blocks_of_vendor_tools_are_dropped() -> None:
    ran = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "x"}}
    found = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}
    messages, notes = sent(STRICT, HI, {"role": "assistant", "content": [ran, found, {"type": "text", "text": "a"}]}, HI)
    assert messages[1]["content"] == "a"
    assert any("server_tool_use" in note for note in notes)


def test_document_in_tool_result_becomes_text() -> None:
    document = {"type": "document", "document": {"data": {"rain": True}, "id": "1"}}
    messages, _ = sent(
        STRICT,
        HI,
        {"role": "assistant", "content": None, "tool_calls": [call(arguments="{}")]},
        {**result(), "content": [document]},
    )
    assert messages[2]["content"] == '{"rain": true}'


@pytest.mark.parametrize("refusal", [3, "  ", {"a": 1}])
def test_refusal_of_other_type_is_ignored(refusal: Any) -> None:
    rules = MessageRules(vendor="Acme", blank={"assistant": Blank.LEAVE_OUT})
    said = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "", "refusal": refusal}]
    payload = adapt({"messages": said}, rules).payload
    assert find_violations(payload, rules) == []
    assert [one["role"] for one in payload["messages"]] == ["user"]
