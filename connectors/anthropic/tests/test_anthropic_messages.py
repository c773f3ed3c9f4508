"""Conversion of messages, tools and content parts to Anthropic's format."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from modelmesh_connector_anthropic import AnthropicProvider

from modelmesh.contracts import CHAT, FailureClass
from modelmesh.contracts.call import Call
from modelmesh.errors import BadRequestError, ProviderError
from modelmesh_cdk import WireRequest

HI = [{"role": "user", "content": "Hello"}]
TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}


def sent(payload: dict[str, Any]) -> tuple[Any, list[str]]:
    """Return the body of a request as it would travel, and what was adapted."""
    provider = AnthropicProvider({"api_key": "test-key"})
    before = copy.deepcopy(payload)
    request = WireRequest(Call(CHAT, "chat", payload), "claude-sonnet-5-5")
    body = json.loads(provider._encode_request(request)[2])
    assert payload == before, "the caller's payload was changed"
    return body, request.adapted


def refused(payload: dict[str, Any]) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        sent(payload)
    assert caught.value.status == 400
    return caught.value


def turns(*messages: dict[str, Any]) -> tuple[Any, list[Any], list[str]]:
    body, adapted = sent({"max_tokens": 8, "messages": list(messages)})
    return body.get("system"), body["messages"], adapted


def test_messages_system_developer_and_native_are_joined() -> None:
    body, _ = sent(
        {
            "system": "a",
            "messages": [
                {"role": "developer", "content": "b"},
                {"role": "system", "content": [{"type": "text", "text": "c"}]},
                *HI,
            ],
        }
    )
    assert body["system"] == [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}, {"type": "text", "text": "c"}]
    assert body["messages"] == HI


def test_messages_late_system_is_moved_with_note() -> None:
    system, said, adapted = turns(*HI, {"role": "system", "content": "Late."})
    assert (system, said) == ("Late.", HI)
    assert adapted == ["system messages moved to the top (messages[1])"]


def test_messages_empty_system_is_dropped_with_note() -> None:
    system, said, adapted = turns({"role": "system", "content": ""}, *HI)
    assert (system, said) == (None, HI)
    assert adapted == ["blank messages left out: Anthropic refuses them (messages[0])"]


@pytest.mark.parametrize("content", ["", " \n", None, [], [{"type": "text", "text": ""}], [{"type": "text", "text": "\t"}] * 2])
def test_messages_blank_user_content_gets_placeholder(content: Any) -> None:
    _, said, adapted = turns({"role": "user", "content": content})
    assert said == [{"role": "user", "content": "(empty)"}]
    assert adapted == ["blank content sent as '(empty)': Anthropic refuses it (messages[0])"]


def call(arguments: Any, given: str = "toolu_1") -> dict[str, Any]:
    return {
        "role": "assistant",
        "content": "",
        "tool_calls": [{"id": given, "type": "function", "function": {"name": "f", "arguments": arguments}}],
    }


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [("", {}), ("  ", {}), (None, {}), ("{}", {}), ('{"a":0,"b":""}', {"a": 0, "b": ""}), ({"a": 1}, {"a": 1})],
)
def test_messages_tool_arguments_become_object(arguments: Any, expected: Any) -> None:
    _, said, _ = turns(*HI, call(arguments))
    assert said[1] == {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "f", "input": expected}]}


@pytest.mark.parametrize("arguments", ["{", "[1]", "null", "nonsense", 7, '{"a": NaN}'])
def test_messages_invalid_tool_arguments_are_wrapped(arguments: Any) -> None:
    _, said, adapted = turns(*HI, call(arguments), {"role": "tool", "tool_call_id": "toolu_1", "content": "x"})
    assert said[1]["content"][0]["input"] == {"arguments": arguments}
    assert [note.split(" (messages")[0] for note in adapted] == [
        "arguments of tool calls that are no JSON object sent within one"
    ]


def test_send_invalid_tool_call_raises_before_sending(vendor: Any, config: Any, way: Any) -> None:
    with pytest.raises(BadRequestError, match="has no ID|is not a function call"):
        way.ask(config(), messages=[*HI, {"role": "assistant", "content": None, "tool_calls": [{"id": "a"}]}])
    assert vendor.received == []


def test_messages_foreign_tool_call_ids_are_converted() -> None:
    _, said, adapted = turns(*HI, call("{}", "functions.f:0"), {"role": "tool", "tool_call_id": "functions.f:0", "content": "x"})
    assert said[1]["content"][0]["id"] == said[2]["content"][0]["tool_use_id"] == "functions_2e_f_3a_0"
    assert adapted == ["IDs of tool calls spelled in letters, digits, _ and -"]


def test_messages_tool_results_are_grouped_by_turn() -> None:
    result = {"role": "tool", "content": "x", "is_error": True}
    _, said, _ = turns(
        *HI,
        {**call("{}", "a"), "tool_calls": [*call("{}", "a")["tool_calls"], *call("{}", "b")["tool_calls"]]},
        {**result, "tool_call_id": "a"},
        {**result, "tool_call_id": "b"},
        call("{}", "c"),
        {**result, "tool_call_id": "c"},
    )
    assert [turn["role"] for turn in said] == ["user", "assistant", "user", "assistant", "user"]
    assert [block["tool_use_id"] for block in said[2]["content"]] == ["a", "b"]
    assert said[4]["content"] == [{"type": "tool_result", "tool_use_id": "c", "content": "x", "is_error": True}]


def test_messages_image_and_empty_tool_results_are_sent() -> None:
    image = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}
    _, said, _ = turns(
        *HI,
        {**call("{}", "a"), "tool_calls": [*call("{}", "a")["tool_calls"], *call("{}", "b")["tool_calls"]]},
        {"role": "tool", "tool_call_id": "a", "content": [image]},
        {"role": "tool", "tool_call_id": "b"},
    )
    assert said[2]["content"] == [
        {
            "type": "tool_result",
            "tool_use_id": "a",
            "content": [{"type": "image", "source": {"type": "url", "url": "https://example.org/a.png"}}],
        },
        {"type": "tool_result", "tool_use_id": "b", "content": ""},
    ]


def test_messages_legacy_functions_become_tools() -> None:
    body, adapted = sent(
        {
            "max_tokens": 8,
            "messages": [
                *HI,
                {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
                {"role": "function", "name": "f", "content": "x"},
            ],
            "functions": [{"name": "f", "parameters": {"type": "object"}}],
            "function_call": {"name": "f"},
        }
    )
    assert body["tools"] == [{"name": "f", "input_schema": {"type": "object"}}]
    assert body["tool_choice"] == {"type": "tool", "name": "f"}
    assert body["messages"][1]["content"][0]["id"] == body["messages"][2]["content"][0]["tool_use_id"]
    assert len(adapted) == 4


def test_tools_allowed_tools_limit_the_list() -> None:
    other = {"type": "function", "function": {"name": "other"}}
    allowed = {
        "type": "allowed_tools",
        "allowed_tools": {"mode": "required", "tools": [{"type": "function", "function": {"name": "weather"}}]},
    }
    body, adapted = sent({"tools": [TOOL, other], "tool_choice": allowed, "max_tokens": 8})
    assert [tool["name"] for tool in body["tools"]] == ["weather"]
    assert body["tool_choice"] == {"type": "any"}
    assert adapted == ["tool_choice.allowed_tools sent as a shorter list of tools"]


def test_tools_anthropic_fields_are_kept() -> None:
    function = {
        "name": "f",
        "description": None,
        "strict": None,
        "parameters": {"properties": {"a": {}}},
        "input_examples": [{"a": 1}],
    }
    body, _ = sent({"tools": [{"type": "function", "function": function, "cache_control": {"type": "ephemeral"}}]})
    assert body["tools"] == [
        {
            "name": "f",
            "input_examples": [{"a": 1}],
            "cache_control": {"type": "ephemeral"},
            "input_schema": {"type": "object", "properties": {"a": {}}},
        }
    ]


SIGNED = {"type": "thinking", "thinking": "t", "signature": "s"}
UNSIGNED = {"type": "thinking", "thinking": "t", "signature": ""}
REDACTED = {"type": "redacted_thinking", "data": "d"}


def test_messages_signed_thoughts_are_sent_first() -> None:
    _, said, adapted = turns(*HI, {"role": "assistant", "content": "x", "thinking_blocks": [SIGNED, UNSIGNED, REDACTED]})
    assert said[1]["content"] == [SIGNED, REDACTED, {"type": "text", "text": "x"}]
    assert adapted == ["a thinking block without a signature left out"]


def test_messages_reasoning_content_is_not_sent() -> None:
    _, said, _ = turns(
        *HI, {"role": "assistant", "content": "x", "reasoning_content": "t", "refusal": None, "annotations": [], "audio": None}
    )
    assert said[1] == {"role": "assistant", "content": "x"}


def test_messages_foreign_fields_are_dropped_with_note() -> None:
    _, said, adapted = turns(*HI, {"role": "assistant", "content": "x", "reasoning_details": [{"type": "x"}]})
    assert said[1] == {"role": "assistant", "content": "x"}
    assert adapted == ["reasoning_details of messages left out: Anthropic refuses it (messages[1])"]


def test_messages_native_thoughts_are_sent_once() -> None:
    content = [SIGNED, {"type": "text", "text": "x", "citations": []}]
    _, said, _ = turns(*HI, {"role": "assistant", "content": content, "thinking_blocks": [SIGNED]})
    assert said[1]["content"] == content


def test_messages_blocks_are_restored_unless_edited() -> None:
    blocks = [
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
        {"type": "text", "text": "x", "citations": [{"a": 1}]},
    ]
    message = {"role": "assistant", "content": "x", "content_blocks": blocks}
    assert turns(*HI, message)[1][1] == {"role": "assistant", "content": blocks}
    assert turns(*HI, {**message, "content": "changed"})[1][1] == {"role": "assistant", "content": "changed"}


def test_messages_empty_assistant_is_dropped_with_note() -> None:
    _, said, adapted = turns(*HI, {"role": "assistant", "content": None}, *HI)
    assert said == [*HI, *HI]
    assert adapted == ["messages[1] (assistant) left out: it is empty"]


def test_messages_image_url_is_unchanged() -> None:
    url = "HTTPS://example.org/A%20b.PNG?Sig=Xy"
    _, said, _ = turns({"role": "user", "content": [{"type": "image_url", "image_url": url}]})
    assert said[0]["content"] == [{"type": "image", "source": {"type": "url", "url": url}}]


def test_messages_refusal_is_sent_as_text() -> None:
    assert turns(*HI, {"role": "assistant", "content": None, "refusal": "No."})[1][1] == {
        "role": "assistant",
        "content": "No.",
    }


def test_messages_names_and_details_are_dropped_with_note() -> None:
    image = {"type": "image_url", "image_url": {"url": "https://example.org/a.png", "detail": "high"}}
    text = {"type": "text", "text": "x", "prompt_cache_breakpoint": {"mode": "explicit"}}
    _, said, adapted = turns({"role": "user", "name": "Ada", "content": [image, text, "plain"]})
    assert said[0]["content"][1:] == [{"type": "text", "text": "x"}, {"type": "text", "text": "plain"}]
    assert [line.split(" dropped")[0].split(" left")[0] for line in adapted] == [
        "name of messages",
        "image_url.detail",
        "prompt_cache_breakpoint",
    ]


@pytest.mark.parametrize("kind", ["text/plain", "text/plain;charset=utf-8"])
def test_messages_plain_text_file_becomes_document(kind: str) -> None:
    file = {"type": "file", "file": {"file_data": f"data:{kind};base64,UmVnZW4g4oCTIMOYcmUu", "filename": "a.txt"}}
    body, _ = sent({"messages": [{"role": "user", "content": [file]}]})
    source = {"type": "text", "media_type": "text/plain", "data": "Regen – Øre."}
    assert body["messages"][0]["content"] == [{"type": "document", "source": source, "title": "a.txt"}]


@pytest.mark.parametrize("data", ["/w==", "a", "*"], ids=["not UTF-8", "cut", "not base64"])
def test_messages_undecodable_text_file_is_caller_failure(data: str) -> None:
    file = {"type": "file", "file": {"file_data": f"data:text/plain;base64,{data}"}}
    assert refused({"messages": [{"role": "user", "content": [file]}]}).failure is FailureClass.CALLER


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ({"role": "user", "content": [{"type": "image_url", "image_url": {"url": "ftp://example.org/a"}}]}, FailureClass.CALLER),
        ({"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:,x"}}]}, FailureClass.CAPABILITY),
        ({"role": "user", "content": [{"type": "image_url"}]}, FailureClass.CALLER),
        ({"role": "user", "content": [{"type": "video_url", "video_url": {"url": "https://example.org/a.mp4"}}]}, FailureClass.CAPABILITY),
        ({"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/bmp;base64,Qk0="}}]}, FailureClass.CAPABILITY),
        ({"role": "assistant", "content": None, "tool_calls": [{"id": "a"}]}, FailureClass.CALLER),
        ({"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}]}, FailureClass.CAPABILITY),
        ({"role": "user", "content": [{"type": "file", "file": {"file_id": "file-1"}}]}, FailureClass.CAPABILITY),
        ({"role": "user", "content": [{"type": "file", "file": {"file_data": "data:text/csv;base64,YQ=="}}]}, FailureClass.CAPABILITY),
    ],
)  # fmt: skip
def test_messages_unsupported_content_is_rejected(message: dict[str, Any], kind: FailureClass) -> None:
    error = refused({"messages": [*HI, message]})
    assert error.failure is kind
    assert "messages[1]" in str(error)
    assert "Nothing was sent" in str(error)


CALLED = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
RESULT = {"role": "tool", "tool_call_id": "call_1", "content": "rain"}
SIGNED = {"type": "thinking", "thinking": "Hm.", "signature": "c2lnbmVk"}
BUDGET = {"type": "enabled", "budget_tokens": 1024}


def test_messages_thought_from_stream_loses_index() -> None:
    message = {"role": "assistant", "content": "x", "thinking_blocks": [{**SIGNED, "index": 0}]}
    _, said, adapted = turns(HI[0], message, HI[0])
    assert said[1]["content"] == [SIGNED, {"type": "text", "text": "x"}]
    assert adapted == []


@pytest.mark.parametrize(
    ("thinking", "thought", "after", "kept"),
    [
        (BUDGET, [], [RESULT], False),  # another vendor's model called: Anthropic requires thinking in both halves of a turn
        (BUDGET, [SIGNED], [RESULT], True),
        (BUDGET, [], [RESULT, {"role": "user", "content": "And now?"}], True),
        ({"type": "adaptive"}, [], [RESULT], True),
    ],
    ids=["called without a thought", "called with one", "another turn", "adaptive"],
)
def test_thinking_budget_waits_for_tool_result(
    thinking: dict[str, Any], thought: list[Any], after: list[Any], kept: bool
) -> None:
    message = {"role": "assistant", "content": None, "thinking_blocks": thought, "tool_calls": [CALLED]}
    body, adapted = sent({"max_tokens": 4096, "thinking": thinking, "messages": [*HI, message, *after]})
    assert body.get("thinking") == (thinking if kept else None)
    assert any(line.startswith("thinking dropped") for line in adapted) is not kept
