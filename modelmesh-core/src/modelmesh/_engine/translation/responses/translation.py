"""The translation of ``responses``."""

from __future__ import annotations

from typing import Any

from modelmesh._engine.translation.chat_answers import caller_payload
from modelmesh._engine.translation.interfaces import ChatTranslation, Translation
from modelmesh._engine.translation.responses.events import ResponseEvents
from modelmesh._engine.translation.responses.reply import response_of
from modelmesh._engine.translation.responses.request import chat_request
from modelmesh.contracts.call import Call


class ResponsesTranslation:
    """Responses API ↔ chat completions."""

    operation = "responses"

    def to_chat(self, call: Call) -> ChatTranslation:
        """Translate a request."""
        return chat_request(call)

    def from_chat(self, body: dict[str, Any], call: Call) -> dict[str, Any]:
        """Translate a complete chat answer."""
        return response_of(body, caller_payload(call))

    def stream(self, call: Call) -> ResponseEvents:
        """Return the translation of one stream."""
        return ResponseEvents(caller_payload(call))


TRANSLATION: Translation = ResponsesTranslation()
