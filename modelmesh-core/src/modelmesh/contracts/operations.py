"""Operations: one row for each endpoint of OpenAI's API that the mesh can serve, and for the few that OpenAI lacks.

Paths, methods, bodies and event types are those of the openai package 3.52.0, of ``messages`` those of the anthropic package
2.11.0, of ``rerank`` those of the cohere package 7.3.1 (all read 2026-11-30).
"""

from __future__ import annotations

from enum import StrEnum

from attrs import frozen


class BodyKind(StrEnum):
    """Encoding of a request body."""

    JSON = "json"
    MULTIPART = "multipart"
    NONE = "none"


class ReplyKind(StrEnum):
    """Kind of a non-streamed reply."""

    JSON = "json"
    BYTES = "bytes"


class StreamKind(StrEnum):
    """Kind of the items of a streamed reply.

    Attributes:
        CHUNKS: Chat completion chunks.
        TEXTS: Chunks of the legacy completions, with ``text`` in each choice.
        EVENTS: Objects with a ``type``, such as ``response.output_text.delta``.
        BYTES: Pieces of the body as received, such as audio.
    """

    CHUNKS = "chunks"
    TEXTS = "texts"
    EVENTS = "events"
    BYTES = "bytes"


class OperationScope(StrEnum):
    """What serves an operation.

    Attributes:
        MODEL: A model of a pool.
        ACCOUNT: An account at a vendor, which owns the resource: a file, a batch, an upload, a stored response.
    """

    MODEL = "model"
    ACCOUNT = "account"


@frozen
class Operation:
    """One endpoint.

    Attributes:
        name: Dotted name as on the client, e.g. ``chat.completions``.
        path: Path after the API version, e.g. ``/chat/completions``. ``{file_id}`` stands for the argument of that name.
        capability: Short name of the default capability. Empty for an operation of an account.
        reply: Kind of a non-streamed reply.
        required_keys: JSON keys that a non-streamed reply must have.
        required_arguments: Arguments that a request must have.
        stream: Kind of the items of a streamed reply, ``None`` for an operation that does not stream.
        method: HTTP method.
        body: Encoding of the request body.
        scope: What serves the operation.
        translates: Whether a provider that does not serve the operation natively gets it as a chat completion.
        final_events: Types of the events that end a stream of events. Any other end is an interruption.
        content_events: Beginnings of the types of events that carry a part of the answer.
    """

    name: str
    path: str
    capability: str
    reply: ReplyKind = ReplyKind.JSON
    required_keys: tuple[str, ...] = ()
    required_arguments: tuple[str, ...] = ()
    stream: StreamKind | None = None
    method: str = "POST"
    body: BodyKind = BodyKind.JSON
    scope: OperationScope = OperationScope.MODEL
    translates: bool = False
    final_events: tuple[str, ...] = ()
    content_events: tuple[str, ...] = ()

    @property
    def streams(self) -> bool:
        """Whether ``stream=True`` returns server-sent events."""
        return self.stream not in (None, StreamKind.BYTES)


CHAT = Operation(
    "chat.completions",
    "/chat/completions",
    "chat-completion",
    required_keys=("choices",),
    required_arguments=("messages",),
    stream=StreamKind.CHUNKS,
)
COMPLETIONS = Operation(
    "completions",
    "/completions",
    "chat-completion",
    required_keys=("choices",),
    required_arguments=("prompt",),
    stream=StreamKind.TEXTS,
    translates=True,
)
RESPONSES = Operation(
    "responses",
    "/responses",
    "chat-completion",
    required_keys=("output",),
    required_arguments=(),
    stream=StreamKind.EVENTS,
    translates=True,
    final_events=("response.completed", "response.incomplete", "response.failed"),
    content_events=(
        "response.output",
        "response.content_part",
        "response.refusal",
        "response.reasoning",
        "response.function_call",
    ),
)
MESSAGES = Operation(
    "messages",
    "/messages",
    "chat-completion",
    required_keys=("content",),
    required_arguments=("messages", "max_tokens"),
    stream=StreamKind.EVENTS,
    translates=True,
    final_events=("message_stop",),
    content_events=("content_block",),
)
GENERATE_CONTENT = Operation(
    "generate_content",
    "/models/{model}:generateContent",
    "chat-completion",
    required_keys=("candidates",),
    required_arguments=("contents",),
    stream=StreamKind.EVENTS,
    translates=True,
)
"""Google's format of a chat, which the HTTP interface accepts. Clients have no method for it, so it is not in :data:`OPERATIONS`.

A provider with the operation in its ``native_operations`` receives Google's body as the payload of a chat completion. It
returns a chat completion with the vendor's further fields.
"""
REALTIME = Operation(
    "realtime",
    "/realtime",
    "realtime-conversation",
    stream=StreamKind.EVENTS,
    method="GET",
    body=BodyKind.NONE,
    final_events=("response.done",),
    content_events=("response.",),
)
"""A session with events in both directions, over a WebSocket. Only the proxy serves it, so it is not in :data:`OPERATIONS`."""
EMBEDDINGS = Operation("embeddings", "/embeddings", "text-embeddings", required_keys=("data",), required_arguments=("input",))
SPEECH = Operation(
    "audio.speech",
    "/audio/speech",
    "text-to-speech",
    reply=ReplyKind.BYTES,
    required_arguments=("input",),
    stream=StreamKind.BYTES,  # events with stream_format="sse"
    final_events=("speech.audio.done",),
    content_events=("speech.audio.delta",),
)
TRANSCRIPTIONS = Operation(
    "audio.transcriptions",
    "/audio/transcriptions",
    "speech-to-text",
    required_keys=("text",),
    required_arguments=("file",),
    stream=StreamKind.EVENTS,
    body=BodyKind.MULTIPART,
    final_events=("transcript.text.done",),
    content_events=("transcript.text",),
)
TRANSLATIONS = Operation(
    "audio.translations",
    "/audio/translations",
    "speech-to-text",
    required_keys=("text",),
    required_arguments=("file",),
    body=BodyKind.MULTIPART,
)
IMAGES = Operation(
    "images.generate",
    "/images/generations",
    "text-to-image",
    required_keys=("data",),
    required_arguments=("prompt",),
    stream=StreamKind.EVENTS,
    final_events=("image_generation.completed",),
    content_events=("image_generation.",),
)
IMAGE_EDITS = Operation(
    "images.edit",
    "/images/edits",
    "image-to-image",
    required_keys=("data",),
    required_arguments=("image", "prompt"),
    stream=StreamKind.EVENTS,
    body=BodyKind.MULTIPART,
    final_events=("image_edit.completed",),
    content_events=("image_edit.",),
)
MODERATIONS = Operation(
    "moderations", "/moderations", "content-moderation", required_keys=("results",), required_arguments=("input",)
)
RERANK = Operation("rerank", "/rerank", "reranking", required_keys=("results",), required_arguments=("query", "documents"))
SEARCH = Operation("search", "/search", "web-search", required_keys=("results",), required_arguments=("query",))
DOCUMENTS = Operation("documents.parse", "/ocr", "document-parsing", required_arguments=("document",))


def _account(name: str, path: str, method: str, **fields: object) -> Operation:
    return Operation(name, path, "", method=method, scope=OperationScope.ACCOUNT, **fields)  # type: ignore[arg-type]


FILES = _account("files.create", "/files", "POST", body=BodyKind.MULTIPART, required_arguments=("file", "purpose"))
RESOURCES: tuple[Operation, ...] = (
    FILES,
    _account("files.list", "/files", "GET", body=BodyKind.NONE, required_keys=("data",)),
    _account("files.retrieve", "/files/{file_id}", "GET", body=BodyKind.NONE, required_arguments=("file_id",)),
    _account("files.delete", "/files/{file_id}", "DELETE", body=BodyKind.NONE, required_arguments=("file_id",)),
    _account(
        "files.content",
        "/files/{file_id}/content",
        "GET",
        body=BodyKind.NONE,
        required_arguments=("file_id",),
        reply=ReplyKind.BYTES,
        stream=StreamKind.BYTES,
    ),
    _account("batches.create", "/batches", "POST", required_arguments=("input_file_id", "endpoint", "completion_window")),
    _account("batches.retrieve", "/batches/{batch_id}", "GET", body=BodyKind.NONE, required_arguments=("batch_id",)),
    _account("batches.list", "/batches", "GET", body=BodyKind.NONE, required_keys=("data",)),
    _account("batches.cancel", "/batches/{batch_id}/cancel", "POST", required_arguments=("batch_id",)),
    _account("uploads.create", "/uploads", "POST", required_arguments=("filename", "purpose", "bytes", "mime_type")),
    _account("uploads.complete", "/uploads/{upload_id}/complete", "POST", required_arguments=("upload_id", "part_ids")),
    _account("uploads.cancel", "/uploads/{upload_id}/cancel", "POST", required_arguments=("upload_id",)),
    _account(
        "uploads.parts.create",
        "/uploads/{upload_id}/parts",
        "POST",
        body=BodyKind.MULTIPART,
        required_arguments=("upload_id", "data"),
    ),
    _account("responses.retrieve", "/responses/{response_id}", "GET", body=BodyKind.NONE, required_arguments=("response_id",)),
    _account("responses.delete", "/responses/{response_id}", "DELETE", body=BodyKind.NONE, required_arguments=("response_id",)),
    _account("responses.cancel", "/responses/{response_id}/cancel", "POST", required_arguments=("response_id",)),
    _account(
        "responses.input_items.list",
        "/responses/{response_id}/input_items",
        "GET",
        body=BodyKind.NONE,
        required_keys=("data",),
        required_arguments=("response_id",),
    ),
)
"""Operations on resources of an account."""

OPERATIONS: dict[str, Operation] = {
    row.name: row
    for row in (
        CHAT,
        EMBEDDINGS,
        COMPLETIONS,
        RESPONSES,
        MESSAGES,
        SPEECH,
        TRANSCRIPTIONS,
        TRANSLATIONS,
        IMAGES,
        IMAGE_EDITS,
        MODERATIONS,
        RERANK,
        SEARCH,
        DOCUMENTS,
        *RESOURCES,
    )
}

MODEL_REQUIRED = frozenset(
    {CHAT.name, COMPLETIONS.name, EMBEDDINGS.name, RESPONSES.name, MESSAGES.name}
    | {SPEECH.name, TRANSCRIPTIONS.name, TRANSLATIONS.name}
)
"""Operations whose ``model`` is required, as in the official SDKs."""


def operation_of_capability(path: str) -> Operation:
    """Return the operation of a capability: a row of :data:`OPERATIONS`, else an operation with the name of the capability.

    Args:
        path: Short name or canonical path. Connectors receive an operation without a row as ``call.operation.name == path``.
    """
    last = path.rpartition(".")[2]
    for row in OPERATIONS.values():
        if row.capability == last and row.scope is OperationScope.MODEL and not row.translates:
            return row
    return Operation(path, "", path)
