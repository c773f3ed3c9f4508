"""Streams of chunks in OpenAI's format, ended by ``[DONE]``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from modelmesh.errors import ProviderError
from modelmesh_cdk.provider.provider_errors import bad_hook_result, broken_generation
from modelmesh_cdk.provider.tool_calls import ToolCallIndexer
from modelmesh_cdk.wire import json_codec
from modelmesh_cdk.wire.sse import ServerSentEvent

if TYPE_CHECKING:
    from modelmesh.contracts.text_chunk import TextChunk


class ChunkDecoder:
    """Decoder of one stream. Chunks keep every field of the vendor."""

    __slots__ = ("_calls", "_failure", "_kind", "_parse", "decode_text", "done")

    def __init__(
        self,
        parse: Callable[[str], dict[str, Any] | None] | None,
        failure: Callable[[Mapping[str, Any]], ProviderError],
        *,
        kind: str = "chat.completion.chunk",
        decode_text: Callable[[ServerSentEvent], TextChunk | None] | None = None,
    ) -> None:
        """Store the callbacks.

        Args:
            parse: The connector's hook for the data of an event. ``None`` for JSON.
            failure: Returns the error of an error body.
            kind: The ``object`` of a chunk that lacks it.
            decode_text: Reads an event as a chunk that only adds text, ``None`` where all chunks are dictionaries.
        """
        self.decode_text = decode_text
        self._kind = kind
        self._parse = parse
        self._failure = failure
        self._calls = ToolCallIndexer()
        self.done = False

    def decode(self, event: ServerSentEvent) -> Sequence[dict[str, Any]]:
        """Return the chunks of one event.

        Raises:
            ValueError: The event is not JSON.
            ProviderError: The event is an error.
        """
        data = event.data
        if len(data) < _SHORT and data.strip() == b"[DONE]":
            self.done = True
            return ()
        if event.name == "error":
            raise event_error(self._failure, error_in(data))
        if self._parse is None:
            chunk = json_codec.decode(data)
            if not isinstance(chunk, dict):
                message = "an event is not a JSON object"
                raise ValueError(message)
        else:
            chunk = self._parsed(data)
            if chunk is None:
                return ()
        if chunk.get("error") or chunk.get("object") == "error":
            raise event_error(self._failure, chunk)
        if "object" not in chunk:
            chunk["object"] = self._kind
        choices = chunk.get("choices")
        if isinstance(choices, list) and _has_tool_calls(choices):
            self._calls.assign_indices(chunk)
        return (chunk,)

    def _parsed(self, data: bytes) -> Any:
        """Return what the connector's hook makes of the data of an event."""
        hook: Any = self._parse
        parsed = hook(data.decode())
        if parsed is None or isinstance(parsed, dict):
            return parsed
        raise bad_hook_result(hook.__self__, "_parse_sse_chunk", parsed, "one chunk as a dict, or None to skip the event")


_SHORT = 32


def text_decoder() -> Callable[[ServerSentEvent], TextChunk | None] | None:
    """Return the reader of chunks that only add text, ``None`` without msgspec."""
    try:
        from modelmesh_cdk.provider.text_chunks import TextChunkDecoder  # noqa: PLC0415 - only for relayed streams
    except ImportError:
        return None
    return TextChunkDecoder().decode


def _has_tool_calls(choices: list[Any]) -> bool:
    """Return whether a delta has tool calls.

    Raises:
        ProviderError: The vendor failed during generation.
    """
    found = False
    for choice in choices:
        if isinstance(choice, dict):
            if choice.get("finish_reason") == "error":
                raise broken_generation()
            delta = choice.get("delta")
            if isinstance(delta, dict) and "tool_calls" in delta:
                found = True
    return found


def error_in(data: bytes) -> Mapping[str, Any]:
    """Return the body of an event named ``error`` in OpenAI's format."""
    try:
        body = json_codec.decode(data)
    except ValueError:
        body = data.decode("utf-8", "replace")
    return body if isinstance(body, dict) and body.get("error") else {"error": body}


def event_error(failure: Callable[[Mapping[str, Any]], ProviderError], body: Mapping[str, Any]) -> ProviderError:
    """Return the error of an error event, with the token usage that some vendors report there.

    Args:
        failure: Returns the error of an error body.
        body: The error body.
    """
    made = failure(body)
    usage = body.get("usage")
    if isinstance(usage, Mapping):
        made.usage = usage
    return made
