"""One request for each operation, as users write it, and the text of its reply that names the vendor and the file."""

from __future__ import annotations

import base64
import io
import wave
from collections.abc import Callable
from typing import Any

from attrs import frozen
from fakevendors import VENDORS
from fakevendors.services import mark

TEXT = "The quick brown fox."
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40


def _wav() -> bytes:
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(range(250)) * 480)
    return target.getvalue()


WAV = _wav()


@frozen
class Ask:
    """How a client is asked for one operation.

    Attributes:
        capability: As in ``create()``.
        method: The object on the client with the method. Empty for a capability without one.
        given: Its arguments without ``model``.
        read: Returns the text of a reply. That of a stream gets the list of the items.
        file: The file in the request, which must arrive whole.
        streams: Whether the operation streams, by ``stream`` or as bytes.
        in_sdk: Whether the official SDK has the operation.
        owners: The vendors of an operation of accounts, which names no model.
    """

    capability: str
    method: str
    given: dict[str, Any]
    read: Callable[[Any], str]
    file: bytes = b""
    streams: str = ""
    in_sdk: bool = True
    owners: tuple[str, ...] = ()

    @property
    def vendors(self) -> list[str]:
        """The vendors with a row for the capability in the shipped catalogues."""
        return [*self.owners] or [name for name, one in VENDORS.items() if any(self._has(row) for row in one.catalogue)]

    def streaming(self) -> list[str]:
        """The vendors whose rows do not exclude streams."""
        has = {
            name: [
                row for row in VENDORS[name].catalogue if self._has(row) and row.get("delivery", {}).get("streaming") is not False
            ]
            for name in self.vendors
        }
        return [name for name, rows in has.items() if rows]

    def _has(self, row: dict[str, Any]) -> bool:
        return any(one.rpartition(".")[2] == self.capability for one in row["capabilities"])

    def is_from(self, vendor: str, text: str) -> bool:
        """Return whether a reply is that of a vendor, which received the whole file."""
        return vendor in text and (not self.file or mark(self.file) in text)


def _image(reply: Any) -> str:
    if isinstance(reply, list):
        return base64.b64decode(reply[-1].b64_json).decode("latin-1")
    return base64.b64decode(reply.data[0].b64_json).decode("latin-1")


def _events(reply: Any) -> str:
    return reply[-1].text if isinstance(reply, list) else reply.text


def _audio(reply: Any) -> str:
    return (b"".join(reply) if isinstance(reply, list) else reply.content).decode("latin-1")


ASKS: dict[str, Ask] = {
    "audio.speech": Ask(
        "text-to-speech", "audio.speech", {"input": TEXT, "voice": "alloy", "response_format": "wav"}, _audio, streams="bytes"
    ),
    "audio.transcriptions": Ask(
        "speech-to-text", "audio.transcriptions", {"file": ("a.wav", WAV, "audio/wav"), "language": "en"}, _events, WAV, "events"
    ),
    "images.generate": Ask("text-to-image", "images.generate", {"prompt": TEXT}, _image),
    "images.edit": Ask("image-to-image", "images.edit", {"prompt": TEXT, "image": ("a.png", PNG, "image/png")}, _image, PNG),
    "moderations": Ask("content-moderation", "moderations", {"input": TEXT}, lambda reply: reply.id),
    "rerank": Ask("reranking", "rerank", {"query": "fox", "documents": [TEXT, "x"]}, lambda reply: reply.id, in_sdk=False),
    "documents.parse": Ask(
        "document-parsing",
        "",
        {"document": ("a.png", PNG, "image/png")},
        lambda reply: reply.pages[0].markdown,
        PNG,
        in_sdk=False,
    ),
    "files.create": Ask(
        "chat-completion",
        "files",
        {"file": ("ü.jsonl", PNG, "application/jsonl"), "purpose": "batch"},
        lambda reply: reply.id,
        PNG,
        owners=("openai", "groq", "mistral", "xai"),
    ),
    "search": Ask("web-search", "search", {"query": "fox"}, lambda reply: reply.id, in_sdk=False),
}
