"""The operations other than chat completions in the fault matrix: how a client calls each one, and how a vendor answers it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from attrs import frozen

FIRST, SECOND = "HELLO ", "WORLD"
GOOD = ("FALL", "BACK")
AUDIO_START = b"ID3\x04\x00\x00\x00\x00\x00\x00"
SMALL_FILE, LARGE_FILE = b"RIFF" * 100, b"RIFF" * 4_000_000  # more than the buffers of a connection take


@frozen
class Way:
    """A call of one operation.

    Attributes:
        capability: The pool, empty for an operation of an account, which has no other account to fail over to.
        path: End of the vendor's path.
        ask: Calls the operation.
        said: Returns the text of an answer, from a reply or from the items of a stream.
        streams: Whether the reply is a stream.
        uploads: Whether the request has a file.
        has_own_path: Whether the operation differs from others in how it is sent or received. Those that do not run each fault
            in a thread or in a task, and none that only waits.
    """

    capability: str
    path: str
    ask: Callable[..., Any]
    said: Callable[[list[Any]], str]
    streams: bool = False
    uploads: bool = False
    has_own_path: bool = True

    @property
    def has_events(self) -> bool:
        """Whether the vendor streams events, and not bytes."""
        return self.streams and self.path != "audio/speech"


def _file(large: bool) -> tuple[str, bytes, str]:
    return "a.wav", LARGE_FILE if large else SMALL_FILE, "audio/wav"


def _spoken(parts: list[Any]) -> str:
    return b"".join(parts).removeprefix(AUDIO_START).strip(b"\0").decode()


WAYS: dict[str, Way] = {
    "speech": Way(
        "text-to-speech",
        "audio/speech",
        lambda c, _: c.audio.speech.create(model="text-to-speech", input="Hi", voice="alloy"),
        _spoken,
    ),
    "speech stream": Way(
        "text-to-speech",
        "audio/speech",
        lambda c, _: c.audio.speech.with_streaming_response.create(model="text-to-speech", input="Hi", voice="alloy"),
        _spoken,
        streams=True,
    ),
    "transcription": Way(
        "speech-to-text",
        "audio/transcriptions",
        lambda c, large: c.audio.transcriptions.create(model="speech-to-text", file=_file(large)),
        lambda parts: parts[0].text,
        uploads=True,
    ),
    "images": Way(
        "text-to-image",
        "images/generations",
        lambda c, _: c.images.generate(model="text-to-image", prompt="Hi"),
        lambda parts: parts[0].data[0].b64_json,
        has_own_path=False,
    ),
    "moderations": Way(
        "content-moderation",
        "moderations",
        lambda c, _: c.moderations.create(model="content-moderation", input="Hi"),
        lambda parts: next(iter(parts[0].results[0].category_scores.to_dict())),
        has_own_path=False,
    ),
    "rerank": Way(
        "reranking",
        "rerank",
        lambda c, _: c.rerank.create(model="reranking", query="Hi", documents=["a"]),
        lambda parts: parts[0].results[0].document.text,
        has_own_path=False,
    ),
    "responses": Way(
        "chat-completion",
        "responses",
        lambda c, _: c.responses.create(model="chat-completion", input="Hi"),
        lambda parts: parts[0].output_text,
        has_own_path=False,
    ),
    "responses stream": Way(
        "chat-completion",
        "responses",
        lambda c, _: c.responses.create(model="chat-completion", input="Hi", stream=True),
        lambda parts: "".join(p.delta for p in parts if p.type == "response.output_text.delta"),
        streams=True,
    ),
    "files upload": Way(
        "",
        "files",
        lambda c, large: c.with_options(max_retries=0).files.create(file=_file(large), purpose="batch"),
        lambda parts: parts[0].filename,
        uploads=True,
    ),
}
OF_PATH = {way.path: way for way in WAYS.values()}


def whole(path: str, first: str, second: str) -> tuple[str, bytes]:
    """Return the media type and the body of a correct answer."""
    text = first + second
    if path == "audio/speech":
        return "audio/mpeg", AUDIO_START + text.encode() + b"\0" * 4000
    return "application/json", json.dumps(_json(path, text)).encode()


def _json(path: str, text: str) -> dict[str, Any]:
    if path == "responses":
        return _response("completed", text)
    return {
        "audio/transcriptions": {"text": text},
        "images/generations": {"created": 1, "data": [{"b64_json": text}]},
        "moderations": {
            "id": "x",
            "model": "m",
            "results": [{"flagged": False, "categories": {text: False}, "category_scores": {text: 0.1}}],
        },
        "rerank": {"id": "x", "results": [{"index": 0, "relevance_score": 0.5, "document": {"text": text}}]},
        "files": {"id": "file-1", "object": "file", "bytes": 1, "created_at": 1, "filename": text, "purpose": "batch"},
    }[path]


def _response(status: str, text: str) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": []}]
    message = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": content}
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "model": "m",
        "status": status,
        "output": [message] if text else [],
        "usage": {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5},
    }


def events(first: str, second: str) -> list[dict[str, Any]]:
    """Return the events of a correct stream: beginning, two pieces, end."""
    delta = {"type": "response.output_text.delta", "item_id": "msg_1", "output_index": 0, "content_index": 0}
    return [
        {"type": "response.created", "sequence_number": 0, "response": _response("in_progress", "")},
        {**delta, "sequence_number": 1, "delta": first},
        {**delta, "sequence_number": 2, "delta": second},
        {"type": "response.completed", "sequence_number": 3, "response": _response("completed", first + second)},
    ]


COMMON = (
    "reset-at-once",
    "status-401",
    "status-429-html",
    "status-500",
    "redirect-elsewhere",
    "html-200",
    "error-200",
    "wrong-encoding",
    "gzip",
)
OF_A_BODY = ("empty-200", "json-list", "json-cut", "json-nan", "body-short", "body-reset", "gzip-cut")
OF_EVENTS = (
    "stream-empty",
    "stream-role-only",
    "stream-error-first",
    "stream-bad-json-first",
    "text-clean-end",
    "text-done-no-finish",
    "text-error",
    "text-bad-json",
    "text-cut-event",
    "text-reset",
    "gzip-stream-cut",
    "finish-no-done",
    "finish-then-open",
    "one-byte-chunks",
)
OF_UPLOADS = ("upload-refused", "upload-refused-and-closed", "upload-reset")
WAITING = {
    "no-headers": (),
    "body-stall": OF_A_BODY,
    "stream-silent": OF_EVENTS,
    "text-stall": OF_EVENTS,
    "upload-stall": OF_UPLOADS,
}
AFTER_CONTENT = ("body-short", "body-reset", "body-stall", "gzip-cut")
"""Faults after the first bytes of a body, which the caller of a stream of bytes has received."""


def faults_of(way: Way) -> list[str]:
    """Return the faults that apply to a call."""
    tables = [COMMON, OF_EVENTS if way.has_events else OF_A_BODY, OF_UPLOADS if way.uploads else ()]
    waiting = [name for name, table in WAITING.items() if way.has_own_path and (not table or table in tables)]
    return [*(name for table in tables for name in table), *waiting]


def expected(name: str, way: Way, expect: str) -> str:
    """Return the expected result of a fault whose result for chat completions is known."""
    if not way.capability and expect == "fallback":
        return "typed"
    if way.streams and not way.has_events and name in AFTER_CONTENT:
        return "interrupted"
    return expect
