"""DeepSeek's OpenAI-compatible API."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

from modelmesh_cdk import ErrorMapping, OpenAICompatibleProvider, WireRequest
from modelmesh_cdk.message_rules import MessageRules
from modelmesh_connector_deepseek.error_mappings import MAPPINGS
from modelmesh_connector_deepseek.message_rules import WITH_TOOLS, rules_of

OWN_ADDRESS = "https://api.deepseek.com"
CAPACITY_FINISH_REASON = "insufficient_system_resource"


class DeepSeekProvider(OpenAICompatibleProvider):
    """Chat completions at DeepSeek.

    Address, statuses and the finish reason ``insufficient_system_resource`` are those of api-docs.deepseek.com (quick start,
    error codes, chat completion), read 2026-11-21. Paths at DeepSeek's own address have no version. Other addresses get ``/v1``.
    """

    id: ClassVar[str] = "deepseek.api.v1"
    options: ClassVar[Collection[str]] = ()
    error_mappings: ClassVar[Sequence[ErrorMapping]] = MAPPINGS
    default_base_url: ClassVar[str] = OWN_ADDRESS
    api_key_variable: ClassVar[str | None] = "DEEPSEEK_API_KEY"
    message_rules: ClassVar[MessageRules | None] = WITH_TOOLS

    def _resolve_api_root(self) -> str:
        """Return the base address. Paths at DeepSeek's own address, ``/beta`` included, have no version."""
        root = super()._resolve_api_root()
        return root.removesuffix("/v1") if root.startswith(f"{OWN_ADDRESS}/") else root

    def _message_rules(self, request: WireRequest) -> MessageRules | None:
        """Return the message rules of a request, which depend on its tools and its model."""
        return rules_of(request.model, request.payload)

    def _own_messages(self, messages: list[Any]) -> list[Any]:
        """Return messages without ``prefix``, which only the beta address accepts (guides/chat_prefix_completion, 2026-11-30)."""
        if self.api_root.endswith("/beta") or not any(isinstance(one, Mapping) and "prefix" in one for one in messages):
            return messages
        return [_without_prefix(message) for message in messages]

    def _parse_response(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return the response. Raise an error if DeepSeek stopped the generation because of missing capacity."""
        if _is_cut_off(data):
            raise self._map_embedded_error(_capacity_error())
        return data

    def _parse_sse_chunk(self, data: str) -> dict[str, Any] | None:
        """Return a chunk. Add an error if DeepSeek stopped the generation because of missing capacity."""
        chunk = super()._parse_sse_chunk(data)
        if chunk is not None and _is_cut_off(chunk):
            chunk.setdefault("error", _capacity_error()["error"])
        return chunk


def _without_prefix(message: Any) -> Any:
    if not isinstance(message, Mapping) or "prefix" not in message:
        return message
    return {name: value for name, value in message.items() if name != "prefix"}


def _is_cut_off(data: Mapping[str, Any]) -> bool:
    choices = data.get("choices")
    return isinstance(choices, list) and any(
        isinstance(one, Mapping) and one.get("finish_reason") == CAPACITY_FINISH_REASON for one in choices
    )


def _capacity_error() -> dict[str, Any]:
    return {"error": {"message": "stopped before the end", "type": CAPACITY_FINISH_REASON, "code": 503}}
