"""Mistral's stream: OpenAI's chunks, except for content in Mistral's content chunks.

The decoder forwards the text of content chunks as it arrives. The joined content chunks come once, with the finish reason,
because a client that joins deltas cannot determine which pieces belong to one content chunk.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from modelmesh_cdk import ChunkDecoder, ServerSentEvent
from modelmesh_connector_mistral.shapes import CHUNKS, plain_choice


class EventDecoder:
    """Decodes one stream."""

    def __init__(self, inner: ChunkDecoder) -> None:
        """Store the callbacks and facts of the request.

        Args:
            inner: Reads events of OpenAI's format.
        """
        self._inner = inner
        self._said: dict[Any, list[dict[str, Any]]] = {}
        self._in_chunks: set[Any] = set()

    @property
    def done(self) -> bool:
        """Whether the vendor sent the last event."""
        return self._inner.done

    def decode(self, event: ServerSentEvent) -> Sequence[dict[str, Any]]:
        """Return the chunks of one event.

        Raises:
            ValueError: The event is not JSON.
            ProviderError: It is an error.
        """
        chunks = self._inner.decode(event)
        try:
            for chunk in chunks:
                for choice in chunk.get("choices") or ():
                    self._read(choice)
        except (TypeError, KeyError, AttributeError):
            message = "a chunk of content is not as Mistral documents it"
            raise ValueError(message) from None
        return chunks

    def _read(self, choice: Any) -> None:
        delta = choice.get("delta") if isinstance(choice, dict) else None
        if not isinstance(delta, dict):
            return
        index, content = choice.get("index"), delta.get("content")
        said = self._said.setdefault(index, [])
        plain_choice(choice, "delta")
        if isinstance(content, list):
            self._in_chunks.add(index)
            del delta[CHUNKS]
            for piece in content:
                _append(said, piece)
        elif content:
            _append(said, {"type": "text", "text": content})
        if choice.get("finish_reason") is not None and index in self._in_chunks:
            delta[CHUNKS] = said


def _append(said: list[dict[str, Any]], piece: Any) -> None:
    """Put a piece to the chunk that it goes on with, or begin another."""
    last = said[-1] if said else {}
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
        said.append(begun)
