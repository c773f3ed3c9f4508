"""Mistral's stream: OpenAI's chunks, except that content may be a list of Mistral's content chunks.

The decoder returns their text immediately. It returns the assembled content chunks once, with the finish reason, because a
caller that joins deltas cannot determine which pieces belong to one content chunk.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from modelmesh_cdk import ChunkDecoder, ServerSentEvent
from modelmesh_connector_mistral.shapes import CHUNKS, flatten_choice


class EventDecoder:
    """Decoder of one stream."""

    def __init__(self, inner: ChunkDecoder) -> None:
        """Create the decoder.

        Args:
            inner: The decoder of OpenAI's event format.
        """
        self._inner = inner
        self._assembled: dict[Any, list[dict[str, Any]]] = {}
        self._in_chunks: set[Any] = set()

    @property
    def done(self) -> bool:
        """Whether the stream is complete."""
        return self._inner.done

    def decode(self, event: ServerSentEvent) -> Sequence[dict[str, Any]]:
        """Return the chunks of one event.

        Raises:
            ValueError: The event is not JSON.
            ProviderError: The event contains an error.
        """
        chunks = self._inner.decode(event)
        try:
            for chunk in chunks:
                for choice in chunk.get("choices") or ():
                    self._read(choice)
        except (TypeError, KeyError, AttributeError):
            message = "a content chunk does not have the documented format"
            raise ValueError(message) from None
        return chunks

    def _read(self, choice: Any) -> None:
        delta = choice.get("delta") if isinstance(choice, dict) else None
        if not isinstance(delta, dict):
            return
        index, content = choice.get("index"), delta.get("content")
        assembled = self._assembled.setdefault(index, [])
        flatten_choice(choice, "delta")
        if isinstance(content, list):
            self._in_chunks.add(index)
            del delta[CHUNKS]
            for piece in content:
                _append(assembled, piece)
        elif content:
            _append(assembled, {"type": "text", "text": content})
        if choice.get("finish_reason") is not None and index in self._in_chunks:
            delta[CHUNKS] = assembled


def _append(assembled: list[dict[str, Any]], piece: Any) -> None:
    """Append a piece to the last content chunk if it continues that chunk, else start another chunk."""
    last = assembled[-1] if assembled else {}
    kind = piece.get("type") if isinstance(piece, Mapping) else None
    if kind == "text" == last.get("type") and piece.keys() == last.keys() == {"type", "text"}:
        last["text"] += piece["text"]
    elif kind == "thinking" == last.get("type") and isinstance(piece.get("thinking"), list) and not last.get("signature"):
        for thought in piece["thinking"]:
            _append(last["thinking"], thought)
        last |= {name: value for name, value in piece.items() if name not in ("type", "thinking")}
    elif isinstance(piece, Mapping):
        inner = piece.get("thinking")
        begun: dict[str, Any] = {**piece, "thinking": []} if isinstance(inner, list) else dict(piece)
        for thought in inner if isinstance(inner, list) else ():
            _append(begun["thinking"], thought)
        assembled.append(begun)
