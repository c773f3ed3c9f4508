"""OpenAI's speech at Gemini's ``generateContent``: PCM becomes a WAV file.

Voices, ``speechConfig``, ``speechMetadata`` and the media type ``audio/L16`` are those of the google-genai package 3.4.0
(``types.SpeechConfig``, ``types.SpeechMetadata``) and of ai.google.dev/gemini-api/docs/speech-generation, read 2026-11-30.
"""

from __future__ import annotations

import base64
import binascii
import io
import re
import struct
import wave
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from modelmesh.contracts import ReplyKind, StreamKind
from modelmesh_cdk import OperationCodec, ServerSentEvent, WireRequest, invalid_parameter, json_codec, unsupported_parameter
from modelmesh_connector_google import media

FORMATS = ("wav", "pcm")
_OURS = frozenset({"input", "instructions", "response_format", "speed", "stream_format", "voice"})
RATE = 24_000
"""Samples a second, unless the media type of the answer states others."""

_RATE = re.compile(r"rate=(\d+)")
_STYLED_BY_PROMPT = re.compile(r"gemini-(2|3\.[0-7])")
"""Models before ``speechMetadata``, which take a style as a sentence before the text."""

VOICES = {
    "alloy": "Kore", "ash": "Charon", "ballad": "Enceladus", "coral": "Aoede", "echo": "Puck", "fable": "Fenrir",
    "nova": "Leda", "onyx": "Orus", "sage": "Sulafat", "shimmer": "Zephyr", "verse": "Umbriel", "marin": "Callirrhoe",
    "cedar": "Algieba",
}  # fmt: skip
"""A voice of Gemini for each voice of OpenAI. Other names are sent unchanged."""


class Speech(OperationCodec):
    """Codec of ``audio.speech``."""

    reply: ClassVar[ReplyKind | None] = ReplyKind.JSON

    def endpoint(self, provider: Any, request: WireRequest) -> str:
        """Return the address of ``generateContent``."""
        method = "streamGenerateContent?alt=sse" if request.stream else "generateContent"
        return media.endpoint(provider, request.model, method)

    def build_payload(self, provider: Any, request: WireRequest) -> dict[str, Any]:
        """Return the body.

        Raises:
            ProviderError: Gemini cannot serve the requested format.
        """
        del provider
        payload = request.payload
        wanted = payload.get("response_format")
        if wanted is None:
            request.adapted.append("response_format wav added: Gemini has no mp3")
        elif wanted not in FORMATS:
            raise unsupported_parameter("response_format", f"is {str(wanted)[:40]!r}, and Gemini has {' and '.join(FORMATS)}")
        if payload.get("speed") not in (None, 1, 1.0):
            request.adapted.append("speed dropped: Gemini takes the pace from instructions")
        part, style = {"text": payload.get("input")}, payload.get("instructions")
        if style and _STYLED_BY_PROMPT.search(request.model):
            part = {"text": f"{style}:\n{payload.get('input')}"}
        elif style:
            part |= {"speechMetadata": {"style": style}}
        config = {
            "responseModalities": ["AUDIO"],
            "speechConfig": {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": _voice(request)}}},
        }
        return media.body_of(request, [part], config, _OURS)

    def parse_response(self, provider: Any, request: WireRequest, data: Any) -> bytes:
        """Return the audio as a WAV file, or as PCM.

        Raises:
            ProviderError: The audio was blocked.
            ValueError: The body is not in Gemini's format.
        """
        found = [_audio(part) for part in media.parts_of_answer(provider, data) if "inlineData" in part]
        if not found:
            message = "it has no audio"
            raise ValueError(message)
        kind, audio = found[0][0], b"".join(piece for _, piece in found)
        pcm, rate = _as_pcm(kind, audio)
        return pcm if request.payload.get("response_format") == "pcm" else _as_wav(pcm, rate)

    def stream_decoder(self, provider: Any, request: WireRequest) -> SpeechDecoder:
        """Return the decoder of a stream of audio, or of events with ``stream_format="sse"``."""
        return SpeechDecoder(provider, request)


class SpeechDecoder:
    """Decoder of Gemini's stream of PCM in events."""

    def __init__(self, provider: Any, request: WireRequest) -> None:
        self._provider, self._request = provider, request
        self._as_events = request.call.stream_kind is StreamKind.EVENTS
        self._needs_header = request.payload.get("response_format") != "pcm"
        self.done = False

    def decode(self, event: ServerSentEvent) -> Sequence[Any]:
        """Return the pieces of audio of one event.

        Raises:
            ProviderError: The event is an error, or Gemini blocked the audio.
            ValueError: The event is not in Gemini's format.
        """
        data = json_codec.decode(event.data)
        if not isinstance(data, dict):
            message = "an event is not a JSON object"
            raise ValueError(message)  # noqa: TRY004 - of the vendor's data
        if data.get("error"):
            raise self._provider._map_embedded_error(data)  # noqa: SLF001 - a hook
        found: list[Any] = []
        for part in media.parts_of_answer(self._provider, data) if _has_parts(data) else ():
            if "inlineData" in part:
                found += self._pieces(*_audio(part))
        candidates = data.get("candidates")
        self.done = isinstance(candidates, list) and any(isinstance(one, dict) and one.get("finishReason") for one in candidates)
        if self.done and not found and self._needs_header and not self._as_events:
            list(media.parts_of_answer(self._provider, data))  # raises the reason of an answer without audio
        if self._as_events:
            found = [{"type": "speech.audio.delta", "audio": base64.b64encode(piece).decode()} for piece in found]
            if self.done:
                found.append({"type": "speech.audio.done", "usage": media.media_usage(data)})
        return found

    def _pieces(self, kind: str, audio: bytes) -> list[bytes]:
        pcm, rate = _as_pcm(kind, audio)
        if not self._needs_header:
            return [pcm]
        self._needs_header = False
        return [_open_header(rate), pcm]


def _has_parts(data: Mapping[str, Any]) -> bool:
    candidates = data.get("candidates")
    first = candidates[0] if isinstance(candidates, list) and candidates else None
    content = first.get("content") if isinstance(first, Mapping) else None
    return bool(data.get("promptFeedback")) or (isinstance(content, Mapping) and bool(content.get("parts")))


def _voice(request: WireRequest) -> str:
    given = request.payload.get("voice")
    name = given.get("id") if isinstance(given, Mapping) else given
    if not isinstance(name, str) or not name:
        raise invalid_parameter("voice", f"is {given!r}, not the name of a voice", "voice='Kore'")
    own = VOICES.get(name)
    if own is not None:
        request.adapted.append(f"voice {name} sent as {own}: Gemini has other voices")
    return own or name


def _audio(part: Mapping[str, Any]) -> tuple[str, bytes]:
    blob = part.get("inlineData")
    try:
        return str(blob.get("mimeType") or ""), base64.b64decode(blob["data"], validate=True)  # type: ignore[union-attr,index]
    except (AttributeError, KeyError, TypeError, binascii.Error):
        message = "its audio is not in base64"
        raise ValueError(message) from None


def _as_pcm(kind: str, audio: bytes) -> tuple[bytes, int]:
    """Return samples of 16 bits and their rate."""
    if audio[:4] == b"RIFF":
        try:
            with wave.open(io.BytesIO(audio)) as file:
                return file.readframes(file.getnframes()), file.getframerate()
        except (wave.Error, EOFError):
            message = "its audio is not a complete WAV file"
            raise ValueError(message) from None
    rate = _RATE.search(kind)
    return audio, int(rate[1]) if rate else RATE


def _as_wav(pcm: bytes, rate: int) -> bytes:
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(pcm)
    return target.getvalue()


def _open_header(rate: int) -> bytes:
    """Return the header of a WAV file whose length is not known yet, as players expect it in a stream."""
    unknown = 0xFFFFFFFF
    return b"RIFF" + struct.pack("<I4s4sIHHIIHH4sI", unknown, b"WAVE", b"fmt ", 16, 1, 1, rate, rate * 2, 2, 16, b"data", unknown)
