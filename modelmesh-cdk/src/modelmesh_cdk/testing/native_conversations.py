"""Tests of conversations from other formats, for connectors with a native wire format."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import pytest

from modelmesh.contracts import CHAT, FailureClass
from modelmesh.contracts.call import Call
from modelmesh.errors import ProviderError
from modelmesh_cdk.testing.dialects.conversations import CONVERSATIONS
from modelmesh_cdk.wire.request import WireRequest


class NativeConversations:
    """Derive a test class and set the three class variables.

    Attributes:
        provider_class: The connector.
        model: Model of the requests.
        violations: Function that returns the vendor's rules that a request body breaks.
    """

    provider_class: ClassVar[Any]
    model: ClassVar[str]
    violations: ClassVar[Callable[[Mapping[str, Any]], list[str]]]

    def encode(self, payload: dict[str, Any], *, strict: bool = False) -> tuple[dict[str, Any], list[str]]:
        """Return the encoded body of a request and the notes on its adaptation."""
        before = copy.deepcopy(payload)
        request = WireRequest(Call(CHAT, "chat", payload, strict=strict), self.model)
        body = json.loads(self.provider_class({"api_key": "test"})._encode_request(request)[2])  # noqa: SLF001 - a hook of the kit
        assert payload == before, "the connector changed the caller's payload"
        return body, request.adapted

    @pytest.mark.parametrize("name", CONVERSATIONS)
    def test_conversation_is_valid_or_unsupported(self, name: str) -> None:
        """The encoded request obeys the vendor's rules, or the connector raises before it sends anything."""
        try:
            body, _ = self.encode(dict(CONVERSATIONS[name]))
        except ProviderError as error:
            failure, message = error.failure, str(error)
        else:
            assert type(self).violations(body) == []
            return
        assert failure is FailureClass.CAPABILITY, message
        assert "Nothing was sent" in message

    def test_strict_request_accepts_values_without_effect(self) -> None:
        """A value without effect is dropped without a note, so that a strict pool accepts the request."""
        payload = dict(CONVERSATIONS["values that say nothing"])
        assert [note for note in self.encode(payload, strict=True)[1] if not note.startswith("max_tokens")] == []

    def test_message_rules_have_sources(self) -> None:
        """Each rule that the connector states has a source."""
        assert self.provider_class.message_rules is not None
        assert self.provider_class.message_rules.rules_without_source() == []
