"""Together's images and speech where they differ from OpenAI's.

Parameters are those of the together package 3.1.1 (``types/image_generate_params.py``, ``types/audio/speech_create_params.py``),
read 2026-11-30.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from modelmesh_cdk import (
    OperationCodec,
    UnservedOperation,
    WhisperTranscriptions,
    WireRequest,
    drop_parameters,
    read_image_size,
    required_part,
    unsupported_parameter,
)

_DROPPED = ("background", "moderation", "output_compression", "partial_images", "quality", "safety_identifier", "style", "user")
_FORMATS = {"jpg": "jpeg", "jpeg": "jpeg", "png": "png"}
SPOKEN = {"mp3": "mp3", "wav": "wav", "pcm": "raw"}
"""Together's name of an audio format."""


class Images(OperationCodec):
    """Codec of ``images.generate``."""

    def build_payload(self, provider: Any, request: WireRequest) -> dict[str, Any]:
        """Return the body.

        Raises:
            ProviderError: Together cannot serve a parameter.
        """
        if request.stream:
            raise unsupported_parameter("stream", "is true, and Together returns an image at once")
        payload: dict[str, Any] = provider._build_request_payload(request)  # noqa: SLF001 - a hook
        if payload.get("background") == "transparent":
            raise unsupported_parameter("background", "is 'transparent', unsupported by Together")
        drop_parameters(request, payload, _DROPPED, "Together", harmless=("auto",))
        size = read_image_size(request)
        payload.pop("size", None)
        if size is not None:
            payload["width"], payload["height"] = size
        if payload.get("response_format") == "b64_json":
            payload["response_format"] = "base64"
        wanted = payload.get("output_format")
        if wanted is not None and wanted not in _FORMATS:
            raise unsupported_parameter("output_format", f"is {str(wanted)[:40]!r}, and Together has png and jpeg")
        if wanted is not None:
            payload["output_format"] = _FORMATS[wanted]
        return payload

    def parse_response(self, provider: Any, request: WireRequest, data: Any) -> dict[str, Any]:
        """Return the images in OpenAI's format.

        Raises:
            ValueError: The reply has no list of images.
        """
        del provider, request
        required_part(data, "data", list)
        return {"created": int(time.time()), **data}


class Speech(OperationCodec):
    """Codec of ``audio.speech``."""

    def build_payload(self, provider: Any, request: WireRequest) -> dict[str, Any]:
        """Return the body.

        Raises:
            ProviderError: Together does not have the requested format.
        """
        payload: dict[str, Any] = provider._build_request_payload(request)  # noqa: SLF001 - a hook
        wanted = payload.get("response_format")
        if wanted is not None and wanted not in (*SPOKEN, *SPOKEN.values()):
            raise unsupported_parameter("response_format", f"is {str(wanted)[:40]!r}, and Together has {', '.join(SPOKEN)}")
        if wanted == "pcm":
            payload.setdefault("response_encoding", "pcm_s16le")
        if wanted is not None:
            payload["response_format"] = SPOKEN.get(wanted, wanted)
        drop_parameters(request, payload, ("instructions", "speed"), "Together", harmless=(1,))
        payload.pop("stream_format", None)
        return payload


CODECS: Mapping[str, OperationCodec] = {
    "images.generate": Images(),
    "images.edit": UnservedOperation("image", "is a file, and Together takes images by address (image_url)"),
    "audio.speech": Speech(),
    "audio.transcriptions": WhisperTranscriptions("Together"),
    "audio.translations": WhisperTranscriptions("Together"),
}
