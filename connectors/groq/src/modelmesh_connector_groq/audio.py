"""Groq's speech and transcriptions where they differ from OpenAI's.

Parameters and formats of transcriptions are those of the groq package 1.7.0 (``types/audio``), voices those of
console.groq.com/docs as the integration barneyonline/ha-groq lists them (2026-07-06). Orpheus refuses every format but WAV, and
a request without one: "response_format must be one of [wav]" in many public clients of it. All read 2026-11-30.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh_cdk import OperationCodec, WhisperTranscriptions, WireRequest, drop_parameters, unsupported_parameter

VOICES = {
    "alloy": "hannah", "ash": "austin", "ballad": "daniel", "cedar": "daniel", "coral": "autumn", "echo": "troy",
    "fable": "troy", "marin": "diana", "nova": "autumn", "onyx": "austin", "sage": "diana", "shimmer": "hannah",
    "verse": "daniel",
}  # fmt: skip
"""A voice of Orpheus in English for each voice of OpenAI. Other names are sent unchanged."""

FORMATS = ("json", "text", "verbose_json")
"""Formats of transcriptions."""

SOUNDS = ("flac", "mp3", "mulaw", "ogg", "wav")
"""Formats of speech that the API names."""

_ONLY_WAV = "orpheus"
"""Part of the names of the models that return WAV only."""


class Speech(OperationCodec):
    """Codec of ``audio.speech``."""

    def build_payload(self, provider: Any, request: WireRequest) -> dict[str, Any]:
        """Return the body.

        Raises:
            ProviderError: Groq does not have the requested format.
        """
        payload: dict[str, Any] = provider._build_request_payload(request)  # noqa: SLF001 - a hook
        wanted, sounds = payload.get("response_format"), ("wav",) if _ONLY_WAV in request.model else SOUNDS
        if wanted is None and sounds == ("wav",):
            payload["response_format"] = "wav"
            request.adapted.append(f"response_format wav added: {request.model} has no mp3")
        elif wanted is not None and wanted not in sounds:
            raise unsupported_parameter("response_format", f"is {str(wanted)[:40]!r}, and Groq has {', '.join(sounds)}")
        own = VOICES.get(str(payload.get("voice"))) if "english" in request.model else None
        if own is not None:
            request.adapted.append(f"voice {payload['voice']} sent as {own}: Groq has other voices")
            payload["voice"] = own
        drop_parameters(request, payload, ("instructions",), "Groq", harmless=("",))
        payload.pop("stream_format", None)
        return payload


class Translations(WhisperTranscriptions):
    """Codec of ``audio.translations``."""

    def build_payload(self, provider: Any, request: WireRequest) -> Any:
        """Return the fields of the form.

        Raises:
            ProviderError: The model only transcribes (console.groq.com/docs/speech-to-text).
        """
        if request.model.endswith("-turbo"):
            raise unsupported_parameter("model", f"is {request.model!r}, which does not translate")
        return super().build_payload(provider, request)


CODECS: Mapping[str, OperationCodec] = {
    "audio.speech": Speech(),
    "audio.transcriptions": WhisperTranscriptions("Groq", FORMATS),
    "audio.translations": Translations("Groq", FORMATS),
}
