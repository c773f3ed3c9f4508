"""Chunks of a stream that only add text, read without a dictionary.

A typed decoder reads the few fields that the mesh needs. A chunk with anything else in its delta, with a finish reason, usage or
an error does not fit the types, and is decoded as a dictionary.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from modelmesh.contracts.text_chunk import TextChunk
from modelmesh_cdk.wire.sse import ServerSentEvent


class _Delta(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    content: Annotated[str, msgspec.Meta(min_length=1)]
    role: Literal["assistant"] | None = None
    refusal: None = None
    reasoning: None = None
    reasoning_content: None = None
    tool_calls: None = None
    function_call: None = None


class _Choice(msgspec.Struct, gc=False):
    index: Annotated[int, msgspec.Meta(ge=0)]
    delta: _Delta
    finish_reason: None = None


class _Chunk(msgspec.Struct, gc=False):
    object: str
    choices: tuple[_Choice]
    model: str
    usage: None = None
    error: None = None


_decode = msgspec.json.Decoder(_Chunk).decode
_MAX_MISSES = 8


class TextChunkDecoder:
    """Decoder of the chunks of one stream that only add text.

    It gives up when too many chunks in a row do not fit, such as those of tool calls, because a chunk that does not fit is
    decoded twice.
    """

    __slots__ = ("_misses",)

    def __init__(self) -> None:
        self._misses = 0

    def decode(self, event: ServerSentEvent) -> TextChunk | None:
        """Return the chunk of an event, ``None`` for any other event."""
        name, data = event
        if self._misses > _MAX_MISSES or name != "message":
            return None
        try:
            found = _decode(data)
        except ValueError:
            self._misses += 1
            return None
        choice = found.choices[0]
        if found.object == "error" or b"\n" in data:
            return None
        self._misses = 0
        return TextChunk(data, found.model, choice.index, choice.delta.content)
