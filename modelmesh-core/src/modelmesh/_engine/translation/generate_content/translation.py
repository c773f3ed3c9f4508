"""The translation of ``generate_content``."""

from __future__ import annotations

from typing import Any

from modelmesh._engine.translation.generate_content.events import ContentEvents
from modelmesh._engine.translation.generate_content.reply import answer_of
from modelmesh._engine.translation.generate_content.request import chat_request
from modelmesh._engine.translation.interfaces import ChatTranslation, Translation
from modelmesh.contracts.call import Call


class ContentTranslation:
    """Google's generateContent ↔ chat completions."""

    operation = "generate_content"

    def to_chat(self, call: Call) -> ChatTranslation:
        """Translate a request."""
        return chat_request(call)

    def from_chat(self, body: dict[str, Any], call: Call) -> dict[str, Any]:
        """Translate a complete chat answer."""
        del call
        return answer_of(body)

    def stream(self, call: Call) -> ContentEvents:
        """Return the translation of one stream."""
        del call
        return ContentEvents()


TRANSLATION: Translation = ContentTranslation()
