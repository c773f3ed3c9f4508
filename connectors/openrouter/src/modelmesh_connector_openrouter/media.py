"""OpenRouter's images and audio where they differ from OpenAI's.

Paths and fields are those of the openrouter package 1.3.84 (``images.py``, ``tts.py``, ``stt.py``), read 2026-11-30.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from modelmesh.contracts import BodyKind, FileUpload
from modelmesh_cdk import (
    DataUrl,
    JsonWithFiles,
    OperationCodec,
    WhisperTranscriptions,
    WireRequest,
    drop_parameters,
    unsupported_parameter,
)

_DROPPED = ("input_fidelity", "moderation", "partial_images", "response_format", "style")


class Images(OperationCodec):
    """Codec of ``images.generate`` and ``images.edit``, which are one operation at OpenRouter."""

    body: ClassVar[BodyKind | None] = BodyKind.JSON

    def endpoint(self, provider: Any, request: WireRequest) -> str:
        """Return the address of images."""
        del request
        return f"{provider.api_root}/images"

    def build_payload(self, provider: Any, request: WireRequest) -> Any:
        """Return the body.

        Raises:
            ProviderError: OpenRouter cannot serve a parameter.
        """
        if request.stream:
            raise unsupported_parameter("stream", "is true, which this connector does not send to OpenRouter for images")
        payload: dict[str, Any] = provider._build_request_payload(request)  # noqa: SLF001 - a hook
        if payload.pop("mask", None) is not None:
            raise unsupported_parameter("mask", "is unsupported by OpenRouter")
        drop_parameters(request, payload, _DROPPED, "OpenRouter", harmless=("auto", "b64_json"))
        if payload.get("size") == "auto":
            del payload["size"]
        given = payload.pop("image", None)
        if given is None:
            return payload
        images = list(given) if isinstance(given, list | tuple) else [given]
        if not all(isinstance(one, FileUpload) for one in images):
            raise unsupported_parameter("image", "is no file")
        references = [{"type": "image_url", "image_url": {"url": DataUrl(one)}} for one in images]
        return JsonWithFiles({**payload, "input_references": references})


class Speech(OperationCodec):
    """Codec of ``audio.speech``."""

    def build_payload(self, provider: Any, request: WireRequest) -> dict[str, Any]:
        """Return the body. OpenRouter's default format is ``pcm``, that of OpenAI ``mp3``."""
        payload: dict[str, Any] = provider._build_request_payload(request)  # noqa: SLF001 - a hook
        payload.setdefault("response_format", "mp3")
        payload.pop("stream_format", None)
        return payload


CODECS: Mapping[str, OperationCodec] = {
    "images.generate": Images(),
    "images.edit": Images(),
    "audio.speech": Speech(),
    "audio.transcriptions": WhisperTranscriptions("OpenRouter"),
}
