"""The translation of ``messages``."""

from __future__ import annotations

from typing import Any

from modelmesh._engine.translation.chat_answers import caller_payload
from modelmesh._engine.translation.interfaces import ChatTranslation, Translation
from modelmesh._engine.translation.messages.events import MessageEvents
from modelmesh._engine.translation.messages.reply import message_of
from modelmesh._engine.translation.messages.request import chat_request
from modelmesh.contracts.call import Call


class MessagesTranslation:
    """Messages API ↔ chat completions."""

    operation = "messages"

    def to_chat(self, call: Call) -> ChatTranslation:
        """Translate a request."""
        return chat_request(call)

    def from_chat(self, body: dict[str, Any], call: Call) -> dict[str, Any]:
        """Translate a complete chat answer."""
        return message_of(body, caller_payload(call))

    def stream(self, call: Call) -> MessageEvents:
        """Return the translation of one stream."""
        return MessageEvents(caller_payload(call))


TRANSLATION: Translation = MessagesTranslation()
