"""Answers of the mock provider in OpenAI's format, one for each operation. The text of the response fills them."""

from __future__ import annotations

import base64
import struct
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from modelmesh.contracts.operations import StreamKind

if TYPE_CHECKING:
    from modelmesh.contracts.call import Call
    from modelmesh.testing.mock import MockResponse

VECTOR = (1.0, 0.0, 0.0)
"""Embedding of every text."""

SECONDS_PER_WORD = 0.5
"""Length of a spoken word in transcriptions with times."""


def answer_of(response: MockResponse, call: Call) -> Any:
    """Return the body of an answer: a dictionary, ``bytes`` for speech, ``str`` for a transcription as text."""
    build: Callable[[Any, Mapping[str, Any]], Any] = _ANSWERS.get(call.operation.name, _other)
    return build(response, call.payload)


def items_of(response: MockResponse, call: Call) -> Iterator[Any]:
    """Yield the items of a streamed answer that is not a chat completion."""
    kind, name, text = call.stream_kind, call.operation.name, response.content or ""
    if kind is StreamKind.BYTES:
        yield from (line.encode() for line in text.splitlines(keepends=True))
    elif name == "audio.speech":
        for line in text.splitlines(keepends=True):
            yield {"type": "speech.audio.delta", "audio": _base64(line)}
        yield {"type": "speech.audio.done", "usage": _input_output(response)}
    elif name == "audio.transcriptions":
        for line in text.splitlines(keepends=True):
            yield {"type": "transcript.text.delta", "delta": line}
        yield {"type": "transcript.text.done", "text": text}
    else:
        event = "image_edit" if name == "images.edit" else "image_generation"
        form = {"background": "auto", "output_format": "png", "quality": "auto", "size": "auto"}
        picture = {"b64_json": _base64(text), "created_at": int(time.time()), **form}
        for number in range(call.payload.get("partial_images") or 0):
            yield {"type": f"{event}.partial_image", "partial_image_index": number, **picture}
        yield {"type": f"{event}.completed", "usage": _input_output(response), **picture}


def _embeddings(response: MockResponse, payload: Mapping[str, Any]) -> dict[str, Any]:
    texts = payload["input"]
    count = len(texts) if isinstance(texts, list) and texts and isinstance(texts[0], str | list) else 1
    vector: Any = list(VECTOR)
    if payload.get("encoding_format") == "base64":
        vector = base64.b64encode(struct.pack(f"<{len(VECTOR)}f", *VECTOR)).decode()
    rows = [{"object": "embedding", "index": place, "embedding": vector} for place in range(count)]
    usage = {"prompt_tokens": response.tokens, "total_tokens": response.tokens}
    return {"object": "list", "model": response.model, "data": rows, "usage": usage}


def _speech(response: MockResponse, _payload: Mapping[str, Any]) -> bytes:
    return (response.content or "").encode()


def _transcription(response: MockResponse, payload: Mapping[str, Any]) -> Any:
    text, form = response.content or "", payload.get("response_format") or "json"
    words = [
        {"word": word, "start": place * SECONDS_PER_WORD, "end": (place + 1) * SECONDS_PER_WORD}
        for place, word in enumerate(text.split())
    ]
    end = len(words) * SECONDS_PER_WORD
    if form == "text":
        return f"{text}\n"
    if form == "srt":
        return f"1\n00:00:00,000 --> {_clock(end, ',')}\n{text}\n\n"
    if form == "vtt":
        return f"WEBVTT\n\n00:00:00.000 --> {_clock(end, '.')}\n{text}\n\n"
    if form == "json":
        return {"text": text}
    numbers = {"seek": 0, "tokens": [], "temperature": 0.0, "avg_logprob": 0.0, "compression_ratio": 1.0, "no_speech_prob": 0.0}
    segment = {"id": 0, "start": 0.0, "end": end, "text": text, **numbers}
    return {"task": "transcribe", "language": "english", "duration": end, "text": text, "segments": [segment], "words": words}


def _clock(seconds: float, separator: str) -> str:
    whole, rest = divmod(round(seconds * 1000), 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}{separator}{rest:03}"


def _images(response: MockResponse, payload: Mapping[str, Any]) -> dict[str, Any]:
    data = _base64(response.content or "")
    image = {"b64_json": data} if payload.get("response_format") == "b64_json" else {"url": f"data:image/png;base64,{data}"}
    return {"created": int(time.time()), "data": [dict(image) for _ in range(payload.get("n") or 1)]}


def _moderations(response: MockResponse, payload: Mapping[str, Any]) -> dict[str, Any]:
    given = payload["input"]
    count = len(given) if isinstance(given, list) and given and isinstance(given[0], str) else 1
    empty: dict[str, Any] = {"categories": {}, "category_scores": {}, "category_applied_input_types": {}}
    results = [{"flagged": False, **{name: {} for name in empty}} for _ in range(count)]
    return {"id": _id("modr"), "model": response.model, "results": results}


def _rerank(response: MockResponse, payload: Mapping[str, Any]) -> dict[str, Any]:
    documents = payload["documents"]
    count = min(payload.get("top_n") or len(documents), len(documents))
    results = [{"index": place, "relevance_score": 1 / (place + 1)} for place in range(count)]
    return {"id": _id("rerank"), "model": response.model, "results": results}


def _search(response: MockResponse, _payload: Mapping[str, Any]) -> dict[str, Any]:
    page = {"title": "Mock page", "url": "https://example.com/", "snippet": response.content or ""}
    return {"id": _id("search"), "results": [page]}


def _other(response: MockResponse, _payload: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": _id("mock"), "model": response.model, "content": response.content}


def _documents(response: MockResponse, _payload: Mapping[str, Any]) -> dict[str, Any]:
    pages = [{"index": 0, "markdown": response.content or ""}]
    return {"model": response.model, "pages": pages, "usage_info": {"pages_processed": 1}}


def _input_output(response: MockResponse) -> dict[str, Any]:
    used = response.usage
    details = {"text_tokens": used["prompt_tokens"], "image_tokens": 0}
    return {
        "input_tokens": used["prompt_tokens"],
        "output_tokens": used["completion_tokens"],
        "total_tokens": used["total_tokens"],
        "input_tokens_details": details,
    }


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _id(kind: str) -> str:
    return f"{kind}-{uuid4().hex[:8]}"


_ANSWERS: Mapping[str, Callable[[Any, Mapping[str, Any]], Any]] = {
    "embeddings": _embeddings,
    "audio.speech": _speech,
    "audio.transcriptions": _transcription,
    "audio.translations": _transcription,
    "images.generate": _images,
    "images.edit": _images,
    "moderations": _moderations,
    "rerank": _rerank,
    "search": _search,
    "documents.parse": _documents,
}
