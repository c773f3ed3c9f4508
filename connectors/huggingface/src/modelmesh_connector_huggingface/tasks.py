"""Images and transcriptions as tasks of the provider ``hf-inference``.

Paths, bodies and fields are those of the huggingface-hub package 2.4.0 (``inference/_providers/hf_inference.py``,
``inference/_generated/types/text_to_image.py``, ``automatic_speech_recognition.py``), read 2026-11-30. An image is returned as
its bytes. Audio is sent as its bytes, or in base64 where the request has parameters.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import quote

from modelmesh.contracts import FileUpload, ReplyKind
from modelmesh_cdk import (
    FileBody,
    JsonWithFiles,
    OperationCodec,
    Transcript,
    TranscriptionCodec,
    UnservedOperation,
    WireRequest,
    drop_parameters,
    read_image_size,
    required_part,
    unsupported_parameter,
)

_DROPPED = (
    "background", "moderation", "output_compression", "output_format", "partial_images", "quality", "response_format",
    "safety_identifier", "style", "user",
)  # fmt: skip
_DROPPED_OF_SPEECH = ("chunking_strategy", "include", "language", "prompt", "timestamp_granularities")
_KINDS = ((b"\x89PNG", "png"), (b"\xff\xd8", "jpeg"), (b"RIFF", "webp"))


def task_address(provider: Any, request: WireRequest) -> str:
    """Return the address of a model's task. Its path does not contain the API version."""
    root: str = provider.api_root.removesuffix(provider.api_version)
    return f"{root}/hf-inference/models/{quote(request.model)}"


class Images(OperationCodec):
    """Codec of ``images.generate``."""

    reply: ClassVar[ReplyKind | None] = ReplyKind.BYTES

    def endpoint(self, provider: Any, request: WireRequest) -> str:
        """Return the address of the task."""
        return task_address(provider, request)

    def build_payload(self, provider: Any, request: WireRequest) -> dict[str, Any]:
        """Return the body.

        Raises:
            ProviderError: The task cannot serve a parameter.
        """
        del provider
        payload = {name: value for name, value in request.payload.items() if value is not None}
        if request.stream:
            raise unsupported_parameter("stream", "is true, and the task text-to-image returns an image at once")
        if payload.pop("n", 1) != 1:
            raise unsupported_parameter("n", "is not 1, and the task text-to-image returns one image")
        if payload.get("background") == "transparent":
            raise unsupported_parameter("background", "is 'transparent', unsupported by the task text-to-image")
        drop_parameters(request, payload, _DROPPED, "the task text-to-image", harmless=("auto", "b64_json"))
        size = read_image_size(request)
        payload.pop("size", None)
        if size is not None:
            payload["width"], payload["height"] = size
        prompt = payload.pop("prompt", None)
        return {"inputs": prompt, **({"parameters": payload} if payload else {})}

    def parse_response(self, provider: Any, request: WireRequest, data: Any) -> dict[str, Any]:
        """Return the image in OpenAI's format."""
        del provider, request
        kind = next((kind for start, kind in _KINDS if data.startswith(start)), None)
        form = {"output_format": kind} if kind else {}
        return {"created": int(time.time()), **form, "data": [{"b64_json": base64.b64encode(data).decode()}]}


class Transcriptions(TranscriptionCodec):
    """Codec of ``audio.transcriptions``."""

    def endpoint(self, provider: Any, request: WireRequest) -> str:
        """Return the address of the task."""
        return task_address(provider, request)

    def build_payload(self, provider: Any, request: WireRequest) -> FileBody | JsonWithFiles:
        """Return the audio, or JSON with the audio and parameters.

        Raises:
            ProviderError: The task cannot serve a parameter.
        """
        del provider
        if request.stream:
            raise unsupported_parameter("stream", "is true, and the task returns a transcription at once")
        form = self.check_format(request, "this task")
        payload = dict(request.payload)
        file = payload.pop("file", None)
        if not isinstance(file, FileUpload):
            raise unsupported_parameter("file", "is no file")
        payload.pop("response_format", None)
        drop_parameters(request, payload, _DROPPED_OF_SPEECH, "the task automatic-speech-recognition")
        parameters: dict[str, Any] = {"return_timestamps": True} if form not in ("json", "text") else {}
        temperature = payload.pop("temperature", None)
        if temperature is not None:
            parameters["generation_parameters"] = {"temperature": temperature}
        parameters |= payload
        return JsonWithFiles({"inputs": file, "parameters": parameters}) if parameters else FileBody(file)

    def read_transcript(self, request: WireRequest, data: dict[str, Any]) -> Transcript:
        """Return the transcription in a reply."""
        del request
        text = required_part(data, "text", str)
        chunks = data.get("chunks")
        segments = [_segment(chunk) for chunk in (chunks if isinstance(chunks, list) else ())]
        rest = {name: value for name, value in data.items() if name not in ("text", "chunks")}
        return Transcript(text.strip(), segments=segments, extra=rest)


def _segment(chunk: Any) -> dict[str, Any]:
    try:
        start, end = chunk["timestamp"]
        return {"start": start, "end": start if end is None else end, "text": chunk["text"]}
    except (TypeError, KeyError, ValueError):
        message = "a chunk of the transcription has no times"
        raise ValueError(message) from None


CODECS: Mapping[str, OperationCodec] = {
    "images.generate": Images(),
    "audio.transcriptions": Transcriptions(),
    "audio.translations": UnservedOperation("model", "only transcribes"),
}
