"""Conversations from anywhere: what is sent obeys the vendor's rules, or nothing is sent and another vendor may be tried."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from modelmesh_connector_anthropic import AnthropicProvider

from modelmesh.contracts import CHAT, FailureClass
from modelmesh.contracts.call import Call
from modelmesh.errors import ProviderError
from modelmesh_cdk import WireRequest
from modelmesh_cdk.testing.dialects.anthropic_rules import anthropic_breaches
from modelmesh_cdk.testing.dialects.conversations import CONVERSATIONS


def sent(payload: dict[str, Any], *, strict: bool = False) -> tuple[dict[str, Any], list[str]]:
    """Return the body of a request as it would travel, and what was adapted."""
    before = copy.deepcopy(payload)
    request = WireRequest(Call(CHAT, "chat", payload, strict=strict), "claude-sonnet-5-5")
    body = json.loads(AnthropicProvider({"api_key": "test"})._encode_request(request)[2])
    assert payload == before, "the caller's payload was changed"
    return body, request.adapted


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_a_conversation_obeys_the_vendor_s_rules_or_is_another_vendor_s(name: str) -> None:
    try:
        body, _ = sent(dict(CONVERSATIONS[name]))
    except ProviderError as error:
        assert error.failure is FailureClass.CAPABILITY, repr(error)
        assert "Nothing was sent" in str(error)
        return
    assert anthropic_breaches(body) == []


def test_a_strict_pool_takes_what_says_nothing() -> None:
    payload = dict(CONVERSATIONS["values that say nothing"])
    assert [note for note in sent(payload, strict=True)[1] if not note.startswith("max_tokens")] == []


def test_rules_have_sources() -> None:
    assert AnthropicProvider.message_rules is not None
    assert AnthropicProvider.message_rules.unsourced() == []
