"""xAI's images and transcriptions where they differ from OpenAI's.

Parameters are those of docs.x.ai (``developers/model-capabilities/images``, ``images/generation``), the JSON of edits that of
ex-takashima/grok-imagine-image-mcp-server (``docs/xai-grok-image-api-guide.md``), the address ``/stt`` and its reply those of
the litellm package 1.109.1, all read 2026-11-30. The xai-sdk package has no HTTP API.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, ClassVar

from modelmesh.contracts import BodyKind, FileUpload
from modelmesh_cdk import (
    DataUrl,
    JsonWithFiles,
    OperationCodec,
    Transcript,
    TranscriptionCodec,
    UnservedOperation,
    WireRequest,
    drop_parameters,
    nearest_ratio,
    read_image_size,
    required_part,
    segments_of_words,
    unsupported_parameter,
)

RATIOS = ("1:1", "3:4", "4:3", "9:16", "16:9", "2:3", "3:2", "9:19.5", "19.5:9", "9:20", "20:9", "1:2", "2:1")
_DROPPED = (
    "background", "input_fidelity", "moderation", "output_compression", "output_format", "partial_images", "safety_identifier",
    "style", "user",
)  # fmt: skip
_LARGE = 1536
"""Longest side in pixels above which a size is sent with the resolution 2k."""


class Images(OperationCodec):
    """Codec of ``images.generate`` and ``images.edit``. Edits are JSON at xAI."""

    body: ClassVar[BodyKind | None] = BodyKind.JSON

    def build_payload(self, provider: Any, request: WireRequest) -> Any:
        """Return the body.

        Raises:
            ProviderError: xAI cannot serve a parameter.
        """
        if request.stream:
            raise unsupported_parameter("stream", "is true, and xAI returns images at once")
        payload: dict[str, Any] = provider._build_request_payload(request)  # noqa: SLF001 - a hook
        for name, value in (("mask", payload.get("mask")), ("background", payload.get("background") == "transparent")):
            if value:
                raise unsupported_parameter(name, "is unsupported by xAI")
        drop_parameters(request, payload, (*_DROPPED, "mask"), "xAI", harmless=("auto",))
        _convert_quality(request, payload)
        payload.setdefault("response_format", "b64_json")  # the models of OpenAI return nothing else
        is_edit = payload.get("image") is not None
        size = read_image_size(request)
        payload.pop("size", None)
        if size is not None and is_edit:
            request.adapted.append("size dropped: an edited image keeps the aspect ratio at xAI")
        elif size is not None:
            payload["aspect_ratio"] = nearest_ratio(*size, RATIOS)
            payload.setdefault("resolution", "2k" if max(size) > _LARGE else "1k")
            converted = f"aspect ratio {payload['aspect_ratio']} in {payload['resolution']}"
            request.adapted.append(f"size {request.payload['size']} sent as {converted}")
        if not is_edit:
            return payload
        return JsonWithFiles({**payload, "image": _image(payload["image"])})

    def parse_response(self, provider: Any, request: WireRequest, data: Any) -> dict[str, Any]:
        """Return the images in OpenAI's format.

        Raises:
            ValueError: The reply has no list of images.
        """
        del provider, request
        required_part(data, "data", list)
        return {"created": int(time.time()), **data}


def _convert_quality(request: WireRequest, payload: dict[str, Any]) -> None:
    """Convert the quality to one of those of xAI: low and medium, of the models from 2.0."""
    given = payload.pop("quality", None)
    if given in (None, "auto"):
        return
    if not request.model.startswith("grok-imagine-image-2"):
        request.adapted.append(f"quality dropped: {request.model} has no such parameter")
    elif given in ("low", "medium"):
        payload["quality"] = given
    else:
        payload["quality"] = "medium"
        request.adapted.append(f"quality {given} sent as medium, the highest of xAI")


def _image(given: Any) -> dict[str, Any]:
    images = list(given) if isinstance(given, list | tuple) else [given]
    if len(images) != 1 or not isinstance(images[0], FileUpload):
        raise unsupported_parameter("image", "is not one file, which this connector sends to xAI")
    return {"url": DataUrl(images[0]), "type": "image_url"}


class Transcriptions(TranscriptionCodec):
    """Codec of ``audio.transcriptions``."""

    def endpoint(self, provider: Any, request: WireRequest) -> str:
        """Return the address of transcriptions."""
        del request
        return f"{provider.api_root}/stt"

    def build_payload(self, provider: Any, request: WireRequest) -> dict[str, Any]:
        """Return the fields of the form.

        Raises:
            ProviderError: xAI cannot serve a parameter.
        """
        if request.stream:
            raise unsupported_parameter("stream", "is true, and xAI returns a transcription at once")
        self.check_format(request, "xAI")
        payload: dict[str, Any] = provider._build_request_payload(request)  # noqa: SLF001 - a hook
        payload.pop("response_format", None)
        payload.pop("timestamp_granularities", None)  # every reply has the times of its words
        drop_parameters(request, payload, ("chunking_strategy", "include", "prompt", "temperature"), "xAI")
        return payload

    def read_transcript(self, request: WireRequest, data: dict[str, Any]) -> Transcript:
        """Return the transcription in a reply."""
        del request
        text = required_part(data, "text", str)
        given = data.get("words")
        words = [
            {"word": one.get("text"), **{name: value for name, value in one.items() if name != "text"}}
            for one in (given if isinstance(given, list) else ())
            if isinstance(one, dict)
        ]
        seconds = data.get("duration")
        usage = {"type": "duration", "seconds": seconds} if isinstance(seconds, int | float) else None
        rest = {name: value for name, value in data.items() if name not in ("text", "words", "language", "duration")}
        return Transcript(text, data.get("language"), seconds, segments_of_words(words), words, usage, rest)


CODECS: Mapping[str, OperationCodec] = {
    "images.generate": Images(),
    "images.edit": Images(),
    "audio.transcriptions": Transcriptions(),
    "audio.translations": UnservedOperation("model", "only transcribes"),
}
