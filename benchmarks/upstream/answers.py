"""The bytes that the upstream server answers with, made once."""

from __future__ import annotations

import base64
import json
import random
from array import array
from collections.abc import Iterator
from functools import cache
from typing import Any

CHUNKS = 500
"""Chunks with content in one stream."""

SLOW_CHUNKS = 20
SLOW_SECONDS = 0.2
"""Length of a stream below ``/slow/``, in which the chunks are evenly spread."""

VECTORS, DIMENSIONS = 2048, 3072
"""Size of the answer to a request for embeddings."""

TEXT = "Hello there, this is an answer of moderate length."
MODEL = "gpt-4o-mini"

STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def answer(body: bytes, status: bytes = b"200 OK", media: bytes = b"application/json") -> bytes:
    """Return a whole answer."""
    return b"HTTP/1.1 %b\r\ncontent-type: %b\r\ncontent-length: %d\r\n\r\n%b" % (status, media, len(body), body)


def piece(data: bytes) -> bytes:
    """Return a chunk of the transfer encoding."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def event(data: Any, name: str = "") -> bytes:
    """Return a server-sent event."""
    head = b"event: %b\n" % name.encode() if name else b""
    return head + b"data: " + json.dumps(data, separators=(",", ":")).encode() + b"\n\n"


def stream(first: bytes, events: Iterator[bytes], last: bytes) -> list[bytes]:
    """Return the writes of a stream: one for each event with content."""
    writes = [piece(one) for one in events]
    head = STREAM_HEAD + (piece(first) if first else b"")
    return [head + writes[0], *writes[1:], piece(last) + b"0\r\n\r\n"]


def tokens(count: int) -> Iterator[str]:
    """Yield the text of each chunk."""
    return (f"token{n} " for n in range(count))


# -- OpenAI

_BASE = {"id": "chatcmpl-benchmark", "created": 1763700000, "model": MODEL}
_MESSAGE = {"role": "assistant", "content": TEXT}
_USAGE = {"prompt_tokens": 10, "completion_tokens": 10, "total_tokens": 20}
_CHOICES = [{"index": 0, "message": _MESSAGE, "finish_reason": "stop"}]


def _openai_chunk(delta: dict[str, str], finish: str | None = None) -> bytes:
    choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
    return event({**_BASE, "object": "chat.completion.chunk", "choices": choices})


def _openai_events(count: int) -> list[bytes]:
    events = [_openai_chunk({"content": text}) for text in tokens(count)]
    return [*events, _openai_chunk({}, "stop") + b"data: [DONE]\n\n"]


def _openai_stream(count: int) -> list[bytes]:
    *events, last = _openai_events(count)
    return stream(b"", iter(events), last)


OPENAI_BODY = json.dumps({**_BASE, "object": "chat.completion", "choices": _CHOICES, "usage": _USAGE}).encode()
OPENAI = answer(OPENAI_BODY)
OPENAI_EVENTS = _openai_events(CHUNKS)
OPENAI_STREAM = _openai_stream(CHUNKS)
OPENAI_SLOW = _openai_stream(SLOW_CHUNKS)
SERVER_ERROR = answer(b'{"error":{"message":"no","type":"server_error"}}', b"500 Internal Server Error")


@cache
def embeddings(encoding: str) -> bytes:
    """Return the vectors as ``base64`` or as ``float``."""
    rng = random.Random(0)
    vector = array("f", (rng.uniform(-1, 1) for _ in range(DIMENSIONS)))
    written = base64.b64encode(vector.tobytes()).decode() if encoding == "base64" else vector.tolist()
    rest = json.dumps(written)
    rows = ",".join(f'{{"object":"embedding","index":{n},"embedding":{rest}}}' for n in range(VECTORS))
    usage = json.dumps({"prompt_tokens": VECTORS, "total_tokens": VECTORS})
    return answer(f'{{"object":"list","model":"{MODEL}","usage":{usage},"data":[{rows}]}}'.encode())


TRANSCRIPT = answer(b'{"text":"Hello"}')
SPEECH = answer(bytes(10_000_000), media=b"audio/mpeg")


# -- Anthropic


def _anthropic_message(content: list[dict[str, Any]], stop: str | None) -> dict[str, Any]:
    usage = {"input_tokens": 10, "output_tokens": 10}
    base = {"id": "msg_benchmark", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5"}
    return {**base, "content": content, "stop_reason": stop, "stop_sequence": None, "usage": usage}


def _anthropic(type_: str, **more: Any) -> bytes:
    return event({"type": type_, **more}, type_)


def _anthropic_stream() -> list[bytes]:
    opened = _anthropic("message_start", message=_anthropic_message([], None))
    opened += _anthropic("content_block_start", index=0, content_block={"type": "text", "text": ""})
    events = (_anthropic("content_block_delta", index=0, delta={"type": "text_delta", "text": text}) for text in tokens(CHUNKS))
    closed = _anthropic("content_block_stop", index=0)
    closed += _anthropic("message_delta", delta={"stop_reason": "end_turn", "stop_sequence": None}, usage={"output_tokens": 10})
    return stream(opened, events, closed + _anthropic("message_stop"))


ANTHROPIC = answer(json.dumps(_anthropic_message([{"type": "text", "text": TEXT}], "end_turn")).encode())
ANTHROPIC_STREAM = _anthropic_stream()


# -- Google


def _google(text: str, finish: str | None = None) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": [{"text": text}]}, "index": 0}
    if finish is not None:
        candidate["finishReason"] = finish
    usage = {"promptTokenCount": 10, "candidatesTokenCount": 10, "totalTokenCount": 20}
    version = {"modelVersion": "gemini-2.5-flash", "responseId": "benchmark"}
    return {"candidates": [candidate], "usageMetadata": usage, **version}


GOOGLE = answer(json.dumps(_google(TEXT, "STOP")).encode())
GOOGLE_STREAM = stream(b"", (event(_google(text)) for text in tokens(CHUNKS)), event(_google("", "STOP")))
