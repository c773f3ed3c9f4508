"""Messages as objects of other packages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import modelmesh


def sent(vendor: Any, messages: list[Any]) -> list[Any]:
    config = {"providers": {vendor.name: vendor.settings}, "pools": {"chat-completion": {}}}
    with modelmesh.create(config=config) as client:
        client.chat.completions.create(model="chat-completion", messages=messages)
    return vendor.bodies[-1]["messages"]


def test_langchain_messages_are_accepted(vendor: Callable[[str], Any]) -> None:
    said = pytest.importorskip("langchain_core.messages")
    call = {"name": "weather", "args": {"city": "Oslo"}, "id": "lc_1"}
    history = [
        said.SystemMessage("Be brief."),
        said.HumanMessage("Where is it cold?"),
        said.AIMessage("", tool_calls=[call]),
        said.ToolMessage("3 degrees", tool_call_id="lc_1"),
        said.AIMessage("In Oslo."),
        said.HumanMessage("Thank you."),
    ]
    messages = sent(vendor("groq"), history)
    assert [one["role"] for one in messages] == ["system", "user", "assistant", "tool", "assistant", "user"]
    assert messages[2]["tool_calls"] == [
        {"id": "lc_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Oslo"}'}}
    ]
    assert messages[3] == {"role": "tool", "content": "3 degrees", "tool_call_id": "lc_1"}


def test_openai_package_messages_are_accepted(vendor: Callable[[str], Any]) -> None:
    types = pytest.importorskip("openai.types.chat")
    answer = types.ChatCompletionMessage(role="assistant", content="Hi", refusal=None, annotations=[])
    messages = sent(vendor("groq"), [{"role": "user", "content": "Hello"}, answer, {"role": "user", "content": "Thank you."}])
    assert messages[1] == {"role": "assistant", "content": "Hi"}


def test_message_class_keeps_its_role(vendor: Callable[[str], Any]) -> None:
    pydantic = pytest.importorskip("pydantic")
    kind = pydantic.create_model("UserMessage", role=(str, "user"), content=(str, ...))
    assert sent(vendor("groq"), [kind(content="Thank you.")]) == [{"role": "user", "content": "Thank you."}]
