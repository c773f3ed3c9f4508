"""Correct in-process providers of embeddings, speech and transcriptions."""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable, Generator
from functools import partial
from typing import Any

from modelmesh.contracts import Call, FileUpload, ModelInfo
from modelmesh_cdk import InProcessConfig, InProcessProvider, InProcessTask, invalid_parameter, read_row
from modelmesh_cdk.testing import ScriptedModel

PRICE = {"source": "runs on this machine", "as_of": "2026-11-30"}
SEGMENT = {"id": 0, "start": 0.0, "end": 1.0}


class Local(InProcessProvider):
    """Correct provider. Classes of an operation define ``row``, ``read`` and ``items``."""

    id = "acme.honest.v1"
    label = "fake"
    config_class = InProcessConfig
    facts = {"source": "the model's card", "as_of": "2026-11-30"}
    known: frozenset[str]
    row: dict[str, Any]
    headers: dict[str, str] = {}

    def __init__(self, script: ScriptedModel) -> None:
        self.script = script
        super().__init__()

    def check_installed(self) -> None:
        pass

    def loader(self) -> Callable[[], ScriptedModel]:
        return self.script.load

    @classmethod
    def shipped_model(cls) -> ModelInfo:
        return read_row(cls.row, **cls.facts)

    def prepare(self, call: Call) -> InProcessTask:
        self.check(call.payload)
        adapted = [f"{name} dropped" for name in call.payload if name not in self.known]
        return InProcessTask.iterate(partial(self.items, dict(call.payload), stream=call.stream), adapted, self.headers)

    def check(self, payload: dict[str, Any]) -> None:
        raise NotImplementedError

    def items(self, payload: dict[str, Any], script: ScriptedModel, *, stream: bool) -> Generator[Any]:
        raise NotImplementedError


class HonestEmbeddings(Local):
    operations = ("embeddings",)
    known = frozenset({"input", "encoding_format"})
    row = {
        "id": "test-model",
        "capabilities": ["representation.embeddings.text-embeddings"],
        "pricing": {"input_per_1k_tokens": 0, **PRICE},
    }

    def check(self, payload):
        texts = [payload.get("input")] if isinstance(payload.get("input"), str) else payload.get("input")
        if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
            raise invalid_parameter("input", "is no text", "a text")
        if payload.get("encoding_format") not in (None, "float", "base64"):
            raise invalid_parameter("encoding_format", "is unknown", "another one")

    def items(self, payload, script, *, stream):
        yield from script.run()
        texts = [payload["input"]] if isinstance(payload["input"], str) else payload["input"]
        used = sum(map(len, texts))
        rows = [
            {"object": "embedding", "index": place, "embedding": self.encode(self.vector(text), payload.get("encoding_format"))}
            for place, text in enumerate(texts)
        ]
        yield self.body(
            {"object": "list", "data": rows, "model": self.name, "usage": {"prompt_tokens": used, "total_tokens": used}}
        )

    def vector(self, text):
        return [len(text) / 4, 0.5]

    def encode(self, vector, form):
        return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode() if form == "base64" else vector

    def body(self, body):
        return body


class HonestSpeech(Local):
    operations = ("audio.speech",)
    known = frozenset({"input", "voice", "response_format", "speed", "stream_format"})
    row = {
        "id": "test-model",
        "capabilities": ["generation.audio.text-to-speech"],
        "pricing": {"per_1k_characters": 0, **PRICE},
    }
    headers = {"content-type": "audio/pcm"}

    def check(self, payload):
        if not isinstance(payload.get("input"), str) or not payload["input"]:
            raise invalid_parameter("input", "is no text", "a text")
        if not isinstance(payload.get("speed", 1), int | float):
            raise invalid_parameter("speed", "is no number", "a number")

    def items(self, payload, script, *, stream):
        pieces = self.pieces(payload["input"], script)
        if not stream:
            yield from self.whole(pieces)
        elif payload.get("stream_format") == "sse":
            for piece in pieces:
                yield piece and {"type": "speech.audio.delta", "audio": base64.b64encode(piece).decode()}
            yield from self.final(len(payload["input"]))
        else:
            yield from pieces

    def pieces(self, text, script):
        words = text.split()
        yield words[0].encode()
        yield from script.run()
        for word in words[1:]:
            yield word.encode()

    def whole(self, pieces):
        found = []
        for piece in pieces:
            found.append(piece or b"")
            yield None
        yield b"".join(found)

    def final(self, letters):
        yield {"type": "speech.audio.done", "usage": {"input_tokens": letters, "output_tokens": 1, "total_tokens": letters + 1}}


class HonestTranscription(Local):
    operations = ("audio.transcriptions",)
    known = frozenset({"file", "response_format", "temperature"})
    row = {
        "id": "test-model",
        "capabilities": ["understanding.audio.speech-to-text"],
        "pricing": {"per_audio_minute": 0, **PRICE},
    }

    def check(self, payload):
        if not isinstance(payload.get("file"), FileUpload):
            raise invalid_parameter("file", "is no file", "a file")
        if not isinstance(payload.get("temperature", 1), int | float):
            raise invalid_parameter("temperature", "is no number", "a number")

    def items(self, payload, script, *, stream):
        deltas = self.deltas(payload["file"].size, script)
        usage = {"type": "duration", "seconds": payload["file"].size}
        found = []
        for delta in deltas:
            found.append(delta or "")
            yield {"type": "transcript.text.delta", "delta": delta} if stream and delta else None
        text = "".join(found)
        if stream:
            yield from self.final({"type": "transcript.text.done", "text": text, "usage": usage})
        else:
            yield self.body(text, usage, payload.get("response_format"))

    def deltas(self, size, script):
        yield "Heard "
        yield from script.run()
        yield f"{size} bytes."

    def final(self, event):
        yield event

    def body(self, text, usage, form):
        if form in ("text", "srt", "vtt"):
            return text + "\n"
        return {"text": text, "usage": usage, **({"duration": 1.0} if form == "verbose_json" else {})}
