"""Conversations that started at other vendors, converted for DeepSeek."""

from __future__ import annotations

import json
from typing import Any

import pytest
from modelmesh_connector_deepseek import DeepSeekProvider
from modelmesh_connector_deepseek.message_rules import rules_of

from modelmesh.contracts import CHAT
from modelmesh.contracts.call import Call
from modelmesh_cdk import WireRequest
from modelmesh_cdk.message_rules import find_violations

HI = {"role": "user", "content": "Hello"}
CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
TOOL_CALL_MESSAGE = {"role": "assistant", "content": None, "tool_calls": [CALL]}
RESULT = {"role": "tool", "tool_call_id": "call_1", "content": "x"}


def sent(*messages: Any, model: str = "deepseek-v4-pro", address: str = "", **payload: Any) -> tuple[list[Any], list[str]]:
    request = WireRequest(Call(CHAT, "chat", {"messages": list(messages), **payload}), model)
    body = json.loads(DeepSeekProvider(api_key="test", base_url=address)._encode_request(request)[2])
    assert find_violations(body, rules_of(model, body)) == []
    return body["messages"], request.adapted


def test_messages_developer_role_is_sent_as_system() -> None:
    messages, adapted = sent({"role": "developer", "content": "Be brief."}, HI)
    assert messages[0] == {"role": "system", "content": "Be brief."}
    assert len(adapted) == 1


@pytest.mark.parametrize("given", [{}, {"reasoning_content": ""}, {"reasoning_content": None}])
def test_messages_tool_call_gets_reasoning_placeholder(given: dict[str, Any]) -> None:
    messages, adapted = sent(HI, {**TOOL_CALL_MESSAGE, **given}, RESULT)
    assert messages[1]["reasoning_content"] == " "
    assert adapted == []


def test_messages_own_reasoning_is_sent_unchanged() -> None:
    messages, _ = sent(HI, {**TOOL_CALL_MESSAGE, "reasoning_content": "Hm."}, RESULT)
    assert messages[1]["reasoning_content"] == "Hm."


def test_messages_without_tools_are_sent_unchanged() -> None:
    messages = [HI, {"role": "assistant", "content": "Hi"}, HI]
    assert sent(*messages) == (messages, [])


def test_messages_for_reasoner_omit_reasoning() -> None:
    messages, _ = sent({"role": "assistant", "content": "Hi"}, HI, HI, model="deepseek-reasoner", tools=[{"type": "function"}])
    assert messages == [
        {"role": "user", "content": "Hello."},
        {"role": "assistant", "content": "Hi"},
        {"role": "user", "content": "Hello\n\nHello"},
    ]


@pytest.mark.parametrize(("address", "last"), [("", "user"), ("https://api.deepseek.com/beta", "assistant")])
def test_messages_prefix_is_sent_to_beta_address_only(address: str, last: str) -> None:
    messages, _ = sent(HI, {"role": "assistant", "content": "It is", "prefix": True}, address=address)
    assert messages[-1]["role"] == last
    assert any("prefix" in one for one in messages) is (last == "assistant")


def test_messages_image_in_tool_result_moves_to_user() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
    messages, _ = sent(HI, TOOL_CALL_MESSAGE, {**RESULT, "content": [{"type": "text", "text": "a"}, image]})
    assert messages[2]["content"] == "a"
    assert messages[3] == {"role": "user", "content": [image]}
