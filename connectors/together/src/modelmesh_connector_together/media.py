"""Together's images and speech where they differ from OpenAI's.

Parameters are those of the together package 3.1.1 (``types/image_generate_params.py``, ``types/audio/speech_create_params.py``),
voices those of docs.together.ai/docs/text-to-speech and docs.together.ai/reference/audio-speech, read 2026-11-30.
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

_OPENAI_VOICES = (
    "alloy", "ash", "ballad", "cedar", "coral", "echo", "fable", "marin", "nova", "onyx", "sage", "shimmer", "verse",
)  # fmt: skip
_VOICES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("orpheus", ("tara", "leo", "dan", "zac", "leah", "dan", "leo", "mia", "zoe", "zac", "jess", "mia", "leo")),
    (
        "kokoro",
        (
            "af_alloy", "am_adam", "am_eric", "am_michael", "af_bella", "am_echo", "bm_fable", "af_sarah", "af_nova", "am_onyx",
            "af_kore", "af_sky", "am_puck",
        ),
    ),
    (
        "cartesia",
        (
            "laidback woman", "polite man", "polite man", "polite man", "laidback woman", "polite man", "polite man",
            "storyteller lady", "storyteller lady", "polite man", "laidback woman", "storyteller lady", "polite man",
        ),
    ),
)  # fmt: skip
"""Voices of the models whose names contain a word, in the order of OpenAI's."""


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
        if payload.get("response_format") in (None, "b64_json"):  # the models of OpenAI return nothing else
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
        if wanted is None:
            payload["response_format"] = "mp3"  # OpenAI's default. Together's is wav.
        if wanted == "pcm":
            payload.setdefault("response_encoding", "pcm_s16le")
        if wanted is not None:
            payload["response_format"] = SPOKEN.get(wanted, wanted)
        drop_parameters(request, payload, ("instructions", "speed"), "Together", harmless=(1,))
        payload.pop("stream_format", None)
        own = _own_voice(request.model, payload.get("voice"))
        if own is not None:
            request.adapted.append(f"voice {payload['voice']} sent as {own}: {request.model} has other voices")
            payload["voice"] = own
        return payload


def _own_voice(model: str, voice: Any) -> str | None:
    """Return the voice of a model for one of OpenAI's, ``None`` for another voice and for an unknown model."""
    if voice not in _OPENAI_VOICES:
        return None
    return next((own[_OPENAI_VOICES.index(voice)] for word, own in _VOICES if word in model.lower()), None)


CODECS: Mapping[str, OperationCodec] = {
    "images.generate": Images(),
    "images.edit": UnservedOperation("image", "is a file, and Together takes images by address (image_url)"),
    "audio.speech": Speech(),
    "audio.transcriptions": WhisperTranscriptions("Together"),
    "audio.translations": WhisperTranscriptions("Together"),
}
