"""A chunk of a chat completion that adds text to one choice and contains nothing else that the mesh reads."""

from __future__ import annotations

import json
from typing import Any


class TextChunk:
    """Text of one choice, with the JSON that the vendor sent. A stream yields it for a call with :attr:`.Call.relay`.

    Attributes:
        data: The JSON of the chunk, without line breaks.
        model: ``model`` in it.
        index: Index of the choice.
        text: The text, not empty.
    """

    __slots__ = ("data", "index", "model", "text")

    def __init__(self, data: bytes, model: str, index: int, text: str) -> None:
        self.data, self.model, self.index, self.text = data, model, index, text

    def to_dict(self) -> dict[str, Any]:
        """Return the whole chunk."""
        found: dict[str, Any] = json.loads(self.data)
        return found
