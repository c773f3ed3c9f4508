"""Operations: one row for each endpoint of OpenAI's API that the mesh can serve."""

from __future__ import annotations

from enum import StrEnum

from attrs import frozen


class ReplyKind(StrEnum):
    """Kind of a non-streamed reply."""

    JSON = "json"
    BYTES = "bytes"


@frozen
class Operation:
    """One endpoint.

    Attributes:
        name: Dotted name as on the client, e.g. ``chat.completions``.
        path: Path after the API version, e.g. ``/chat/completions``.
        capability: Short name of the default capability.
        reply: Kind of a non-streamed reply.
        required_keys: JSON keys that a non-streamed reply must have.
        required_arguments: Arguments that a request must have.
        streams: Whether ``stream=True`` returns server-sent events.
    """

    name: str
    path: str
    capability: str
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
# Clients do not have these operations. The router needs them to reject a chat request at a pool of such models.
SPEECH = Operation("audio.speech", "/audio/speech", "text-to-speech", reply=ReplyKind.BYTES)
TRANSCRIPTIONS = Operation("audio.transcriptions", "/audio/transcriptions", "speech-to-text", required_keys=("text",))
IMAGES = Operation("images.generate", "/images/generations", "text-to-image", required_keys=("data",))

OPERATIONS: dict[str, Operation] = {row.name: row for row in (CHAT, EMBEDDINGS, SPEECH, TRANSCRIPTIONS, IMAGES)}
