"""Base class of connectors for vendors with OpenAI's format."""

from __future__ import annotations

from typing import ClassVar

from modelmesh.contracts import Secret
from modelmesh_cdk.message_rules import MessageRules
from modelmesh_cdk.provider.base import BaseProvider

OPEN_RULES = MessageRules(vendor="this vendor")
"""Rules of OpenAI's format. Unknown roles, keys and parts go to the vendor unchanged."""


class OpenAICompatibleProvider(BaseProvider):
    """A vendor with OpenAI's API. Its connector consists of class attributes.

    Example:
        A whole connector::

            class GroqProvider(OpenAICompatibleProvider):
                id = "groq.api.v1"
                default_base_url = "https://api.groq.com/openai/v1"
                api_key_variable = "GROQ_API_KEY"

    The options ``organization`` and ``project`` become OpenAI's headers of that name. A connector states in ``message_rules``
    which parts of OpenAI's format the vendor does not accept.
    """

    id: ClassVar[str] = "modelmesh.openai-compatible.v1"
    message_rules: ClassVar[MessageRules | None] = OPEN_RULES

    def _build_headers(self) -> dict[str, str]:
        """Return the headers of every request."""
        headers = super()._build_headers()
        for option, name in (("organization", "OpenAI-Organization"), ("project", "OpenAI-Project")):
            value = self.config.options.get(option)
            if value:
                headers[name] = value.reveal() if isinstance(value, Secret) else str(value)
        return headers
