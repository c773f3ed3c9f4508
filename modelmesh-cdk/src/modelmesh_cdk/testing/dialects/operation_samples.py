"""Sample requests, answers and events of the operations other than chat completions and embeddings, in OpenAI's format.

Paths, fields and events are those of the openai package 3.52.0, of ``messages`` those of the anthropic package 2.11.0, of
``rerank`` those of the cohere package 7.3.1 (all read 2026-11-30).
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from attrs import frozen

from modelmesh.contracts import OPERATIONS
from modelmesh.contracts.files import FileUpload
from modelmesh.contracts.operations import Operation

AUDIO = b"RIFF\x24\x00\x00\x00WAVEfmt \x00\xff test"
PNG = b"\x89PNG\r\n\x1a\n test"
FILENAME = "Grüße 1.wav"
_TEXT = "Grüß dich!"
_USAGE = {"input_tokens": 11, "output_tokens": 3, "total_tokens": 14}
_CHAT_USAGE = {"prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14}


def upload(content: bytes = AUDIO, filename: str = FILENAME, content_type: str = "audio/wav") -> FileUpload:
    """Return a file of a request."""
    return FileUpload(filename, len(content), content_type, open=lambda: io.BytesIO(content))


@frozen
class OperationSample:
    """One operation, with a request and what the vendor returns for it.

    Attributes:
        payload: Parameters of the request, without the model.
        answer: Answer without a stream: an object, or bytes.
        media: Media type of the answer.
        events: Items of a stream. Empty for an operation without one.
    """

    payload: Mapping[str, Any]
    answer: Any
    media: str = "application/json"
    events: tuple[Any, ...] = ()


_RESPONSE = {
    "id": "resp_test", "object": "response", "created_at": 1_700_000_000, "model": "test-model", "status": "completed",
    "error": None, "parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "usage": _USAGE,
    "output": [
        {
            "id": "msg_test", "type": "message", "role": "assistant", "status": "completed",
            "content": [{"type": "output_text", "text": _TEXT, "annotations": []}],
        }
    ],
}  # fmt: skip
_MESSAGE = {
    "id": "msg_test", "type": "message", "role": "assistant", "model": "test-model", "content": [{"type": "text", "text": _TEXT}],
    "stop_reason": "end_turn", "stop_sequence": None, "usage": {"input_tokens": 11, "output_tokens": 3},
}  # fmt: skip
_TEXTS = {"id": "cmpl-test", "object": "text_completion", "created": 1_700_000_000, "model": "test-model"}
_FILE = {"id": "file-test", "object": "file", "bytes": 4, "created_at": 1_700_000_000, "filename": "a", "purpose": "batch"}
_BATCH = {
    "id": "batch_test",
    "object": "batch",
    "endpoint": "/v1/responses",
    "status": "validating",
    "input_file_id": "file-test",
}
_UPLOAD = {"id": "upload_test", "object": "upload", "status": "pending", "filename": "a", "purpose": "batch", "bytes": 4}
_PART = {"id": "part_test", "object": "upload.part", "upload_id": "upload_test", "created_at": 1_700_000_000}
_IMAGES = {"created": 1_700_000_000, "data": [{"b64_json": "iVBORw0KGgo="}], "usage": _USAGE}
_LIST = {"object": "list", "data": [], "has_more": False}


def _image_events(name: str) -> tuple[Any, ...]:
    return (
        {"type": f"{name}.partial_image", "b64_json": "AAAA", "partial_image_index": 0},
        {"type": f"{name}.completed", "b64_json": "AAAA", "usage": _USAGE},
    )


OPERATION_SAMPLES: Mapping[str, OperationSample] = {
    "completions": OperationSample(
        {"prompt": _TEXT},
        {**_TEXTS, "choices": [{"index": 0, "text": _TEXT, "finish_reason": "stop", "logprobs": None}], "usage": _CHAT_USAGE},
        events=(
            {**_TEXTS, "choices": [{"index": 0, "text": _TEXT, "finish_reason": None}]},
            {**_TEXTS, "choices": [{"index": 0, "text": "", "finish_reason": "stop"}]},
        ),
    ),
    "responses": OperationSample(
        {"input": _TEXT, "store": False},
        _RESPONSE,
        events=(
            {"type": "response.created", "sequence_number": 0, "response": {**_RESPONSE, "status": "in_progress", "output": []}},
            {"type": "response.output_text.delta", "sequence_number": 1, "item_id": "msg_test", "delta": _TEXT},
            {"type": "response.completed", "sequence_number": 2, "response": _RESPONSE},
        ),
    ),
    "messages": OperationSample(
        {"messages": [{"role": "user", "content": _TEXT}], "max_tokens": 16},
        _MESSAGE,
        events=(
            {"type": "message_start", "message": {**_MESSAGE, "content": []}},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": _TEXT}},
            {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 3}},
            {"type": "message_stop"},
        ),
    ),
    "audio.speech": OperationSample({"input": _TEXT, "voice": "alloy"}, AUDIO, "audio/wav", (AUDIO[:9], AUDIO[9:])),
    "audio.transcriptions": OperationSample(
        {"file": upload(), "language": "de", "temperature": 0},
        {"text": _TEXT, "usage": {"type": "duration", "seconds": 2}},
        events=(
            {"type": "transcript.text.delta", "delta": _TEXT},
            {"type": "transcript.text.done", "text": _TEXT, "usage": {"type": "tokens", **_USAGE}},
        ),
    ),
    "audio.translations": OperationSample({"file": upload(), "temperature": 0}, {"text": "Hello!"}),
    "images.generate": OperationSample({"prompt": _TEXT, "n": 1}, _IMAGES, events=_image_events("image_generation")),
    "images.edit": OperationSample(
        {"image": upload(PNG, "a.png", "image/png"), "prompt": _TEXT, "n": 1}, _IMAGES, events=_image_events("image_edit")
    ),
    "moderations": OperationSample(
        {"input": _TEXT},
        {
            "id": "modr-test",
            "model": "test-model",
            "results": [{"flagged": False, "categories": {"violence": False}, "category_scores": {"violence": 0.25}}],
        },
    ),
    "rerank": OperationSample(
        {"query": _TEXT, "documents": ["a", "b"], "top_n": 1}, {"id": "r", "results": [{"index": 1, "relevance_score": 0.5}]}
    ),
    "search": OperationSample(
        {"query": _TEXT}, {"id": "s", "results": [{"title": "T", "url": "https://test.example", "snippet": _TEXT}]}
    ),
    "documents.parse": OperationSample(
        {"document": {"type": "document_url", "document_url": "https://test.example/a.pdf"}},
        {"pages": [{"index": 0, "markdown": _TEXT}], "model": "test-model", "usage_info": {"pages_processed": 1}},
    ),
    "files.create": OperationSample({"file": upload(b'{"a": 1}', "a.jsonl", "application/jsonl"), "purpose": "batch"}, _FILE),
    "files.list": OperationSample({"purpose": "batch", "limit": 2}, {**_LIST, "data": [_FILE]}),
    "files.retrieve": OperationSample({"file_id": "file-test"}, _FILE),
    "files.delete": OperationSample({"file_id": "file-test"}, {"id": "file-test", "object": "file", "deleted": True}),
    "files.content": OperationSample(
        {"file_id": "file-test"}, b'{"a": 1}\n{"b": 2}\n', "application/octet-stream", (b'{"a"', b": 1}\n")
    ),
    "batches.create": OperationSample(
        {"input_file_id": "file-test", "endpoint": "/v1/responses", "completion_window": "24h"}, _BATCH
    ),
    "batches.retrieve": OperationSample({"batch_id": "batch_test"}, _BATCH),
    "batches.list": OperationSample({"limit": 2}, {**_LIST, "data": [_BATCH]}),
    "batches.cancel": OperationSample({"batch_id": "batch_test"}, {**_BATCH, "status": "cancelling"}),
    "uploads.create": OperationSample(
        {"filename": "a.jsonl", "purpose": "batch", "bytes": 8, "mime_type": "application/jsonl"}, _UPLOAD
    ),
    "uploads.complete": OperationSample(
        {"upload_id": "upload_test", "part_ids": ["part_test"]}, {**_UPLOAD, "status": "completed"}
    ),
    "uploads.cancel": OperationSample({"upload_id": "upload_test"}, {**_UPLOAD, "status": "cancelled"}),
    "uploads.parts.create": OperationSample({"upload_id": "upload_test", "data": upload(b"part", "upload")}, _PART),
    "responses.retrieve": OperationSample({"response_id": "resp_test", "include": ["message.output_text.logprobs"]}, _RESPONSE),
    "responses.delete": OperationSample({"response_id": "resp_test"}, {"id": "resp_test", "object": "response", "deleted": True}),
    "responses.cancel": OperationSample({"response_id": "resp_test"}, {**_RESPONSE, "status": "cancelled"}),
    "responses.input_items.list": OperationSample({"response_id": "resp_test", "order": "asc"}, _LIST),
}
"""Samples by the name of the operation."""


def path_arguments(operation: Operation) -> tuple[str, ...]:
    """Return the names of the arguments in the path of an operation."""
    return tuple(part[1:-1] for part in operation.path.split("/") if part.startswith("{"))


def sent_path(name: str) -> str:
    """Return the path of the sample request of an operation, with its arguments."""
    return OPERATIONS[name].path.format_map(OPERATION_SAMPLES[name].payload)
