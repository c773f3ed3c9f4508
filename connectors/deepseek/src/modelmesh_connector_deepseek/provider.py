"""DeepSeek's OpenAI-compatible API."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

from modelmesh_cdk import ErrorMapping, OpenAICompatibleProvider, WireRequest
from modelmesh_cdk.message_rules import MessageRules
from modelmesh_connector_deepseek import refusals
from modelmesh_connector_deepseek.message_rules import WITH_TOOLS, rules_of

OWN_ADDRESS = "https://api.deepseek.com"
CUT_OFF = "insufficient_system_resource"


class DeepSeekProvider(OpenAICompatibleProvider):
    """Chat completions at DeepSeek.

    Address, statuses and the finish reason ``insufficient_system_resource`` are those of api-docs.deepseek.com (quick start,
    error codes, chat completion), read 2026-11-21. DeepSeek's own paths have no version; other addresses get ``/v1``.
    """

    id: ClassVar[str] = "deepseek.api.v1"
    options: ClassVar[Collection[str]] = ()
    error_mappings: ClassVar[Sequence[ErrorMapping]] = refusals.MAPPINGS
    default_base_url: ClassVar[str] = OWN_ADDRESS
    api_key_variable: ClassVar[str | None] = "DEEPSEEK_API_KEY"
    message_rules: ClassVar[MessageRules | None] = WITH_TOOLS

    def _resolve_api_root(self) -> str:
        """Return the address. ``/beta`` of DeepSeek's address gets no version either."""
        root = super()._resolve_api_root()
        return root.removesuffix("/v1") if root.startswith(f"{OWN_ADDRESS}/") else root

    def _message_rules(self, request: WireRequest) -> MessageRules | None:
        """Return the message rules, which depend on tools and on the model."""
        return rules_of(request.model, request.payload)

    def _own_messages(self, messages: list[Any]) -> list[Any]:
        """Return messages without ``prefix``, which only the beta address accepts (guides/chat_prefix_completion, 2026-11-30)."""
        if self.api_root.endswith("/beta") or not any(isinstance(one, Mapping) and "prefix" in one for one in messages):
            return messages
        return [_without_prefix(message) for message in messages]

    def _parse_response(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return the answer. An answer that DeepSeek stopped for lack of resources is an error."""
        if _cut_off(data):
            raise self._map_embedded_error(_no_machines())
        return data

    def _parse_sse_chunk(self, data: str) -> dict[str, Any] | None:
        """Return a chunk. The finish reason of a lack of resources is an error."""
        chunk = super()._parse_sse_chunk(data)
        if chunk is not None and _cut_off(chunk):
            chunk.setdefault("error", _no_machines()["error"])
        return chunk


def _without_prefix(message: Any) -> Any:
    if not isinstance(message, Mapping) or "prefix" not in message:
        return message
    return {name: value for name, value in message.items() if name != "prefix"}


def _cut_off(data: Mapping[str, Any]) -> bool:
    choices = data.get("choices")
    return isinstance(choices, list) and any(isinstance(one, Mapping) and one.get("finish_reason") == CUT_OFF for one in choices)


def _no_machines() -> dict[str, Any]:
    return {"error": {"message": "stopped before the end", "type": CUT_OFF, "code": 503}}
