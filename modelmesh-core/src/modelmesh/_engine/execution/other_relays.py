"""Relays of the streams that are not made of chunks: events and bytes."""

from __future__ import annotations

from typing import Any

from modelmesh._engine.execution.stream_relay import ChunkRelay, StreamRelay
from modelmesh._engine.foundation.resource_ids import qualify_fields
from modelmesh._engine.routing.other_streams import EventProgress
from modelmesh._engine.routing.reasoning_items import qualify_event, qualify_output
from modelmesh._engine.routing.steps import Served
from modelmesh.contracts.operations import StreamKind


def make_relay(served: Served, *, asked_usage: bool) -> StreamRelay:
    """Return the relay for an open stream.

    Args:
        served: The open stream.
        asked_usage: Whether the caller requested a usage chunk.
    """
    kind = served.sent.stream_kind
    if kind in (StreamKind.CHUNKS, StreamKind.TEXTS):
        return ChunkRelay(served, asked_usage=asked_usage)
    return ByteRelay(served) if kind is StreamKind.BYTES else EventRelay(served)


class ByteRelay(StreamRelay):
    """Passes the pieces of a body."""

    __slots__ = ()

    def pass_text(self, item: Any) -> bool:
        """Take one piece. An empty one is dropped."""
        return self._progress.feed_text(item)


class EventRelay(StreamRelay):
    """Passes events with the real model and with qualified IDs. The last event is delayed until the attempt is settled."""

    __slots__ = ("_last",)

    def __init__(self, served: Served) -> None:
        super().__init__(served)
        self._last: dict[str, Any] | None = None

    def pass_text(self, item: Any) -> bool:
        """Take an event that adds text, unless an event is delayed. The ID of a reasoning item has to be qualified."""
        if self._last is not None or (item.__class__ is dict and str(item.get("type")).startswith("response.reasoning")):
            return False
        return self._progress.feed_text(item)

    def _shape(self, item: dict[str, Any]) -> tuple[Any, ...]:
        response, message = item.get("response"), item.get("message")
        if response.__class__ is dict:
            response["model"] = self._model
            qualify_fields(response, self._served.candidate.provider_id)
            qualify_output(response, self._served.candidate.provider_id)
        elif message.__class__ is dict and "role" in message:
            message["model"] = self._model
        elif "item" in item or "item_id" in item:
            qualify_event(item, self._served.candidate.provider_id)
        progress, last = self._progress, self._last
        assert isinstance(progress, EventProgress)
        self._last = item if progress.is_final(item) else None
        passed = (item,) if self._last is None else ()
        return passed if last is None else (last, *passed)

    def remaining(self) -> tuple[Any, ...]:
        """Return the last event after the end of the stream."""
        last, self._last = self._last, None
        return () if last is None else (last,)
