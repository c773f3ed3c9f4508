"""Base class of connectors for vendors with OpenAI's format."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from modelmesh.contracts import Secret
from modelmesh_cdk.message_rules import MessageRules
from modelmesh_cdk.provider.base import BaseProvider

if TYPE_CHECKING:
    from modelmesh.contracts.call import Call, Limits
    from modelmesh_cdk.provider.realtime import RealtimeConnection

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

    async def connect_realtime(
        self, call: Call, model: str, limits: Limits, *, subprotocols: Sequence[str] = (), max_size: int
    ) -> RealtimeConnection:
        """Open a realtime session, which needs the package ``websockets``. See :func:`modelmesh_cdk.provider.realtime.connect`.

        Raises:
            ProviderError: The vendor refused the session or cannot be reached.
        """
        from modelmesh_cdk.provider import realtime  # noqa: PLC0415 - an optional dependency

        return await realtime.connect(self, call, model, limits, subprotocols=subprotocols, max_size=max_size)
