"""Encoding of streams as server-sent events, and of their failures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelmesh._engine.foundation.lazy_import import LazyModule
from modelmesh._engine.gateway import json_codec
from modelmesh._engine.gateway.answer_responses import COST
from modelmesh._engine.gateway.error_responses import anthropic_error, google_error, openai_error
from modelmesh._engine.gateway.model_names import ModelName
from modelmesh._engine.mesh.answer_bodies import is_translated
from modelmesh.contracts.operations import GENERATE_CONTENT, MESSAGES, RESPONSES, StreamKind
from modelmesh.contracts.text_chunk import TextChunk

if TYPE_CHECKING:
    from modelmesh._engine import translation
    from modelmesh._engine.routing.steps import Served
    from modelmesh._engine.translation import StreamTranslation
    from modelmesh.contracts.call import Call
else:  # only a translated answer needs it
    translation = LazyModule(globals(), "translation", "modelmesh._engine.translation")

EVENT_STREAM = "text/event-stream; charset=utf-8"
DONE = b"data: [DONE]\n\n"


class EventEncoder:
    """Encodes the items of one stream. The results are pieces of the body, possibly empty."""

    def __init__(self, served: Served, call: Call, request_id: str) -> None:
        self._kind, self._operation, self._request_id = call.stream_kind, call.operation, request_id
        self._named = call.operation in (RESPONSES, MESSAGES)
        self._served = served
        self._translation: StreamTranslation | None = None
        if is_translated(served, call):
            self._translation = translation.TRANSLATIONS[call.operation.name].stream(call)
        self._model: ModelName | None = ModelName(served.candidate.model_id) if call.relay else None

    @property
    def breaks_off(self) -> bool:
        """Whether the connection must break off after a failure, because Google's clients ignore the event with the error."""
        return self._operation is GENERATE_CONTENT

    def encode(self, item: dict[str, Any] | TextChunk) -> bytes:
        """Encode one item."""
        if self._model is not None:
            return _relayed(item, self._model) if isinstance(item, TextChunk) else encode_chunk(item)
        assert isinstance(item, dict)
        return self._join([item] if self._translation is None else self._translation.feed(item))

    def end(self) -> bytes:
        """Encode the end of a complete stream."""
        last = b"" if self._translation is None else self._join(self._translation.end())
        if self._operation is GENERATE_CONTENT:  # Google's clients read comments as JSON
            return last
        last += self._cost()
        return last + DONE if self._kind in (StreamKind.CHUNKS, StreamKind.TEXTS) else last

    def _cost(self) -> bytes:
        """Return a comment with the cost, which is known at the end only. Empty without a known cost."""
        cost = self._served.attempts[-1].cost
        return b"" if cost is None else f": {COST}={cost:.9f}\n\n".encode()

    def fail(self, error: Exception) -> bytes:
        """Encode an interruption: one event with the error, and no end."""
        if self._operation is GENERATE_CONTENT:
            return encode_chunk(google_error(error))
        if self._translation is not None:
            events = self._translation.fail(error)
            if events:
                return self._join(events)
        if self._operation is MESSAGES:
            return _named(anthropic_error(error, self._request_id))
        body = openai_error(error)
        if self._kind is StreamKind.EVENTS:
            fields = {name: body[name] for name in ("code", "message", "param")}
            return _named({"type": "error", **fields, "error": body})
        return encode_chunk({"error": body})

    def _join(self, items: list[dict[str, Any]]) -> bytes:
        return b"".join(map(_named if self._named else encode_chunk, items))


def _relayed(chunk: TextChunk, model: ModelName) -> bytes:
    data = model.put(chunk.data, chunk.model)
    return encode_chunk({**chunk.to_dict(), "model": model.name}) if data is None else b"data: %b\n\n" % data


def encode_chunk(item: dict[str, Any]) -> bytes:
    """Encode one event without a name."""
    return b"data: %b\n\n" % json_codec.encode(item)


def _named(item: dict[str, Any]) -> bytes:
    kind = item.get("type")
    if not isinstance(kind, str) or not kind.isprintable():
        return encode_chunk(item)
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), json_codec.encode(item))
