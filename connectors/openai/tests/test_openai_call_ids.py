"""IDs of other vendors' tool calls, which OpenAI limits to 40 characters."""

from __future__ import annotations

import json
from typing import Any

import pytest
from modelmesh_connector_openai import OpenAIProvider

from modelmesh.contracts import CHAT
from modelmesh.contracts.call import Call
from modelmesh_cdk import WireRequest


def sent(given: str) -> tuple[list[Any], list[str]]:
    call = {"id": given, "type": "function", "function": {"name": "f", "arguments": "{}"}}
    messages = [
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": given, "content": "x"},
    ]
    request = WireRequest(Call(CHAT, "chat", {"messages": messages}), "gpt-6.1-terra")
    body = json.loads(OpenAIProvider(api_key="sk-test")._encode_request(request)[2])
    return [body["messages"][0]["tool_calls"][0]["id"], body["messages"][1]["tool_call_id"]], request.adapted


@pytest.mark.parametrize("given", ["call_1", "x" * 40, "toolu_01", "with spaces: and more"])
def test_call_ids_short_id_is_unchanged(given: str) -> None:
    assert sent(given) == ([given, given], [])


@pytest.mark.parametrize("given", ["x" * 41, "look_up_the_customer_by_address_" + "0123456789"])
def test_call_ids_long_id_is_shortened_consistently(given: str) -> None:
    (call, result), adapted = sent(given)
    assert call == result
    assert call.startswith("call_")
    assert len(call) <= 40
    assert adapted == ["IDs of tool calls over 40 letters shortened"]
    assert sent(given + "y")[0][0] != call
