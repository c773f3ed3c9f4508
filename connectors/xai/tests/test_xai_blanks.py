"""Messages without content, which xAI rejects: "Each message must have at least one content element"."""

from __future__ import annotations

from typing import Any

import pytest
from modelmesh_connector_xai.message_rules import RULES

from modelmesh_cdk.message_rules import adapt

CALL = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
CALLING = {"role": "assistant", "content": None, "tool_calls": [CALL]}
HI = {"role": "user", "content": "Hello"}


@pytest.mark.parametrize(
    "messages",
    [
        [{"role": "user", "content": ""}],
        [{"role": "system", "content": " "}, HI],
        [HI, {"role": "assistant", "content": [], "reasoning_content": "hm"}, HI],
        [HI, {"role": "assistant", "content": None}, HI],
        [HI, CALLING, {"role": "tool", "tool_call_id": "a", "content": ""}],
        [{"role": "user", "content": [{"type": "text", "text": ""}, {"type": "text", "text": "Hello"}]}],
    ],
)
def test_messages_without_content_are_filled_or_dropped(messages: list[dict[str, Any]]) -> None:
    sent = adapt({"messages": messages}, RULES).payload["messages"]
    spoken = [one["content"] for one in sent if not one.get("tool_calls")]
    texts = [part["text"] for content in spoken if isinstance(content, list) for part in content]
    assert all(spoken)
    assert all(text.strip() for text in [*texts, *(one for one in spoken if isinstance(one, str))])
