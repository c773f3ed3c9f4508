"""Mistral's transcriptions and speech where they differ from OpenAI's.

Fields, events and the names of repeated form fields are those of the mistralai package 3.7.0 (``client/transcriptions.py``,
``client/speech.py``, ``utils/forms.py`` and their models), read 2026-11-30.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from modelmesh.contracts import ReplyKind, StreamKind
from modelmesh_cdk import (
    OperationCodec,
    ServerSentEvent,
    Transcript,
    TranscriptionCodec,
    WireRequest,
    drop_parameters,
    json_codec,
    requested_format,
    required_part,
    unsupported_parameter,
)

FORMATS = ("pcm", "wav", "mp3", "flac", "opus")
OPENAI_VOICES = frozenset(
    {
        "alloy", "ash", "ballad", "cedar", "coral", "echo", "fable", "marin", "nova", "onyx", "sage", "shimmer", "verse",
    }
)  # fmt: skip


class Transcriptions(TranscriptionCodec):
    """Codec of ``audio.transcriptions``. Lists in its form repeat the name of the parameter."""

    list_suffix: ClassVar[str] = ""

    def build_payload(self, provider: Any, request: WireRequest) -> dict[str, Any]:
        """Return the fields of the form.

        Raises:
            ProviderError: Mistral cannot serve a parameter.
        """
        form = self.check_format(request, "Mistral")
        payload: dict[str, Any] = provider._build_request_payload(request)  # noqa: SLF001 - a hook
        payload.pop("response_format", None)
        payload.pop("stream_options", None)
        drop_parameters(request, payload, ("chunking_strategy", "include", "prompt"), "Mistral")
        words = payload.pop("keywords", None)
        if words:
            payload.setdefault("context_bias", list(words))
        if form not in ("json", "text"):
            payload.setdefault("timestamp_granularities", ["segment"])
        objects = {name: json_codec.encode(value).decode() for name, value in payload.items() if isinstance(value, Mapping)}
        return {**payload, **objects}

    def parse_response(self, provider: Any, request: WireRequest, data: Any) -> Any:
        """Return the transcription. JSON keeps every field, and its usage states the seconds under OpenAI's name too.

        Raises:
            ValueError: The reply has no text.
        """
        if requested_format(request) != "json" or not isinstance(data.get("text"), str):
            return super().parse_response(provider, request, data)
        seconds = _seconds(data.get("usage"))
        return data if seconds is None else {**data, "usage": {**data["usage"], "type": "duration", "seconds": seconds}}

    def read_transcript(self, request: WireRequest, data: dict[str, Any]) -> Transcript:
        """Return the transcription in a reply."""
        text = required_part(data, "text", str)
        given = data.get("segments")
        segments = [dict(one) for one in (given if isinstance(given, list) else ()) if isinstance(one, dict)]
        words = request.payload.get("timestamp_granularities")
        by_word = isinstance(words, list | tuple) and "word" in words
        named = (
            [{"word": one.get("text"), "start": one.get("start"), "end": one.get("end")} for one in segments] if by_word else []
        )
        rest = {name: value for name, value in data.items() if name not in ("text", "segments", "language", "usage")}
        seconds = _seconds(data.get("usage"))
        usage = None if seconds is None else {"type": "duration", "seconds": seconds}
        return Transcript(text, data.get("language"), seconds, segments, named, usage, rest)

    def stream_decoder(self, provider: Any, request: WireRequest) -> TranscriptionEvents:
        """Return the decoder of Mistral's events."""
        del request
        return TranscriptionEvents(provider)


def _seconds(usage: Any) -> float | None:
    found = usage.get("prompt_audio_seconds") if isinstance(usage, Mapping) else None
    return found if isinstance(found, int | float) and not isinstance(found, bool) else None


class _Events:
    """Decoder of typed events. Unknown types pass unchanged."""

    def __init__(self, provider: Any) -> None:
        self._provider = provider
        self.done = False

    def _read(self, event: ServerSentEvent) -> dict[str, Any] | None:
        if event.data.strip() == b"[DONE]":
            self.done = True
            return None
        data = json_codec.decode(event.data)
        if not isinstance(data, dict):
            message = "an event is not a JSON object"
            raise ValueError(message)  # noqa: TRY004 - of the vendor's data
        if data.get("error") or data.get("object") == "error" or event.name == "error":
            raise self._provider._map_embedded_error(data if data.get("error") else {"error": data})  # noqa: SLF001 - a hook
        data.setdefault("type", event.name)
        return data


class TranscriptionEvents(_Events):
    """Decoder of a streamed transcription: ``transcript.text.delta`` and ``transcript.text.done`` of OpenAI."""

    def decode(self, event: ServerSentEvent) -> Sequence[dict[str, Any]]:
        """Return the events in OpenAI's format.

        Raises:
            ProviderError: The event is an error.
            ValueError: The event is not in Mistral's format.
        """
        data = self._read(event)
        if data is None:
            return ()
        if data["type"] == "transcription.text.delta":
            return ({**data, "type": "transcript.text.delta", "delta": data.get("text")},)
        if data["type"] != "transcription.done":
            return (data,)
        self.done = True
        seconds = _seconds(data.get("usage"))
        usage = data.get("usage") if seconds is None else {"type": "duration", "seconds": seconds}
        return ({**data, "type": "transcript.text.done", "usage": usage},)


class Speech(OperationCodec):
    """Codec of ``audio.speech``. Mistral returns audio in JSON."""

    reply: ClassVar[ReplyKind | None] = ReplyKind.JSON

    def build_payload(self, provider: Any, request: WireRequest) -> dict[str, Any]:
        """Return the body.

        Raises:
            ProviderError: Mistral does not have the requested format.
        """
        payload: dict[str, Any] = provider._build_request_payload(request)  # noqa: SLF001 - a hook
        wanted = payload.setdefault("response_format", "mp3")  # OpenAI's default
        if wanted not in FORMATS:
            raise unsupported_parameter("response_format", f"is {str(wanted)[:40]!r}, and Mistral has {', '.join(FORMATS)}")
        voice = payload.pop("voice", None)
        name = voice.get("id") if isinstance(voice, Mapping) else voice
        if name in OPENAI_VOICES:
            request.adapted.append(f"voice {name} dropped: Mistral has other voices")
        elif name is not None:
            payload.setdefault("voice_id", name)
        drop_parameters(request, payload, ("instructions", "speed"), "Mistral", harmless=(1,))
        payload.pop("stream_format", None)
        return {**payload, "stream": True} if request.stream else payload

    def parse_response(self, provider: Any, request: WireRequest, data: Any) -> bytes:
        """Return the audio.

        Raises:
            ValueError: The reply has no audio.
        """
        del provider, request
        return _decoded(data.get("audio_data"))

    def stream_decoder(self, provider: Any, request: WireRequest) -> SpeechEvents:
        """Return the decoder of Mistral's events."""
        return SpeechEvents(provider, as_events=request.call.stream_kind is StreamKind.EVENTS)


class SpeechEvents(_Events):
    """Decoder of streamed speech: pieces of audio, or OpenAI's events."""

    def __init__(self, provider: Any, *, as_events: bool) -> None:
        super().__init__(provider)
        self._as_events = as_events

    def decode(self, event: ServerSentEvent) -> Sequence[Any]:
        """Return the audio of one event.

        Raises:
            ProviderError: The event is an error.
            ValueError: The event is not in Mistral's format.
        """
        data = self._read(event)
        if data is None:
            return ()
        self.done = data["type"] == "speech.audio.done"
        if self._as_events:
            audio = {"audio": data["audio_data"]} if "audio_data" in data else {}
            return ({**{name: value for name, value in data.items() if name != "audio_data"}, **audio},)
        return (_decoded(data.get("audio_data")),) if data["type"] == "speech.audio.delta" else ()


def _decoded(data: Any) -> bytes:
    try:
        found = base64.b64decode(data, validate=True)
    except (TypeError, binascii.Error):
        found = b""
    if not found:
        message = "it has no audio in base64"
        raise ValueError(message)
    return found
