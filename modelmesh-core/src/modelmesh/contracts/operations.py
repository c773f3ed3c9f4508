"""The table of operations: one row for each endpoint of the OpenAI surface that the mesh can serve."""

from __future__ import annotations

from enum import StrEnum

from attrs import frozen


class BodyKind(StrEnum):
    """How the request body travels."""

    JSON = "json"
    MULTIPART = "multipart"


class ReplyKind(StrEnum):
    """What comes back when the request was not streamed."""

    JSON = "json"
    BYTES = "bytes"


@frozen
class Operation:
    """One endpoint.

    Attributes:
        name: Dotted name as on the client, e.g. ``chat.completions``.
        path: Path below the API version, e.g. ``/chat/completions``.
        capability: Short name of the capability that serves it when a request names none.
        body: How the request body travels.
        reply: What a plain answer is.
        required_keys: JSON keys without which a plain answer is no answer.
        required_arguments: Arguments without which there is no request.
        streams: Whether ``stream=True`` gives server-sent events.
    """

    name: str
    path: str
    capability: str
    body: BodyKind = BodyKind.JSON
    reply: ReplyKind = ReplyKind.JSON
    required_keys: tuple[str, ...] = ()
    required_arguments: tuple[str, ...] = ()
    streams: bool = False


CHAT = Operation(
    "chat.completions",
    "/chat/completions",
    "chat-completion",
    required_keys=("choices",),
    required_arguments=("messages",),
    streams=True,
)
EMBEDDINGS = Operation("embeddings", "/embeddings", "text-embeddings", required_keys=("data",), required_arguments=("input",))
SPEECH = Operation("audio.speech", "/audio/speech", "text-to-speech", reply=ReplyKind.BYTES)
TRANSCRIPTIONS = Operation(
    "audio.transcriptions", "/audio/transcriptions", "speech-to-text", body=BodyKind.MULTIPART, required_keys=("text",)
)
IMAGES = Operation("images.generate", "/images/generations", "text-to-image", required_keys=("data",))

OPERATIONS: dict[str, Operation] = {row.name: row for row in (CHAT, EMBEDDINGS, SPEECH, TRANSCRIPTIONS, IMAGES)}
