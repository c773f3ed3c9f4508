"""The translation of ``completions``."""

from __future__ import annotations

from typing import Any

from modelmesh._engine.translation.chat_answers import caller_payload
from modelmesh._engine.translation.completions.reply import TextChunks, completion_of
from modelmesh._engine.translation.completions.request import chat_request
from modelmesh._engine.translation.interfaces import ChatTranslation, Translation
from modelmesh.contracts.call import Call


class CompletionsTranslation:
    """Text completions ↔ chat completions."""

    operation = "completions"

    def to_chat(self, call: Call) -> ChatTranslation:
        """Translate a request."""
        return chat_request(call)

    def from_chat(self, body: dict[str, Any], call: Call) -> dict[str, Any]:
        """Translate a complete chat answer."""
        return completion_of(body, caller_payload(call))

    def stream(self, call: Call) -> TextChunks:
        """Return the translation of one stream."""
        return TextChunks(caller_payload(call))


TRANSLATION: Translation = CompletionsTranslation()
