"""Transcriptions in the formats of OpenAI, made from the JSON of a vendor that has no such formats.

Formats are those of the openai package 3.52.0 (``types/audio_response_format.py``, ``types/audio/transcription_verbose.py``,
read 2026-11-30).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from attrs import field, frozen

from modelmesh.contracts.operations import ReplyKind
from modelmesh_cdk.provider.codec_parts import required_part
from modelmesh_cdk.provider.operation_codec import OperationCodec
from modelmesh_cdk.provider.provider_errors import invalid_parameter, unsupported_parameter

if TYPE_CHECKING:
    from modelmesh_cdk.wire.request import WireRequest

SUBTITLES = ("srt", "vtt")
WITH_TIMES = (*SUBTITLES, "verbose_json")
"""Formats with times."""

KNOWN = ("json", "text", *WITH_TIMES, "diarized_json")


@frozen
class Transcript:
    """A transcription.

    Attributes:
        text: The text.
        language: The language, ``None`` where the vendor does not state it.
        duration: Seconds of the audio, ``None`` where the vendor does not state them.
        segments: Parts with ``start``, ``end`` and ``text``, in seconds. Further fields stay.
        words: Words with ``word``, ``start`` and ``end``.
        usage: Usage in OpenAI's format.
        extra: Further fields of the vendor.
    """

    text: str
    language: str | None = None
    duration: float | None = None
    segments: Sequence[Mapping[str, Any]] = ()
    words: Sequence[Mapping[str, Any]] = ()
    usage: Mapping[str, Any] | None = None
    extra: Mapping[str, Any] = field(factory=dict)


class TranscriptionCodec(OperationCodec):
    """Codec of transcriptions at a vendor that returns JSON only. :meth:`read_transcript` reads it.

    Attributes:
        formats: Values of ``response_format`` that the answer can be written in.
    """

    reply: ClassVar[ReplyKind | None] = ReplyKind.JSON
    formats: ClassVar[Sequence[str]] = ("json", "text", *WITH_TIMES)

    def read_transcript(self, request: WireRequest, data: dict[str, Any]) -> Transcript:
        """Return the transcription in a reply."""
        raise NotImplementedError

    def parse_response(self, provider: Any, request: WireRequest, data: Any) -> Any:
        """Return the reply in the requested format. A reply that is text has it."""
        del provider
        if isinstance(data, str):
            return data
        return write_transcript(self.read_transcript(request, data), requested_format(request))

    def check_format(self, request: WireRequest, vendor: str) -> str:
        """Return the requested format.

        Raises:
            ProviderError: The vendor cannot serve the format, or no such format exists.
        """
        wanted = requested_format(request)
        if wanted in self.formats:
            return wanted
        if wanted not in KNOWN:
            raise invalid_parameter("response_format", f"is {wanted[:40]!r}", f"one of {', '.join(KNOWN)}")
        raise unsupported_parameter("response_format", f"is {wanted!r}, unsupported by {vendor}, which has no times of segments")


class WhisperTranscriptions(TranscriptionCodec):
    """Codec of a vendor with OpenAI's form that lacks some of its formats."""

    def __init__(self, vendor: str, native: Sequence[str] = ("json", "verbose_json")) -> None:
        """Store what the vendor has.

        Args:
            vendor: Name of the vendor for messages.
            native: Its formats. The others are made from ``verbose_json`` or ``json``.
        """
        self.vendor, self.native = vendor, native

    def build_payload(self, provider: Any, request: WireRequest) -> Any:
        """Return the fields of the form.

        Raises:
            ProviderError: The vendor cannot serve the format or a stream.
        """
        if request.stream:
            raise unsupported_parameter("stream", f"is true, and {self.vendor} returns a transcription at once")
        form = self.check_format(request, self.vendor)
        payload = provider._build_request_payload(request)  # noqa: SLF001 - a hook
        if form not in self.native:
            payload["response_format"] = "verbose_json" if form in SUBTITLES else "json"
            request.note_harmless(f"response_format {form} is written from {payload['response_format']}")
        return payload

    def read_transcript(self, request: WireRequest, data: dict[str, Any]) -> Transcript:
        """Return the transcription in a reply."""
        del request
        segments = data.get("segments")
        return Transcript(data["text"], segments=segments if isinstance(segments, list) else ())

    def parse_response(self, provider: Any, request: WireRequest, data: Any) -> Any:
        """Return the reply in the requested format.

        Raises:
            ValueError: The reply has no text.
        """
        if isinstance(data, str):
            return data
        required_part(data, "text", str)
        if requested_format(request) == "text":
            return write_transcript(self.read_transcript(request, data), "text")
        return data if requested_format(request) in self.native else super().parse_response(provider, request, data)


def requested_format(request: WireRequest) -> str:
    """Return the requested format of a transcription, ``json`` by default."""
    return str(request.payload.get("response_format") or "json")


def write_transcript(found: Transcript, form: str) -> dict[str, Any] | str:
    """Return a transcription in one of OpenAI's formats.

    Raises:
        ValueError: The vendor returned no segments for subtitles.
    """
    if form == "text":
        return f"{found.text}\n"
    if form in SUBTITLES:
        if found.text.strip() and not found.segments:
            message = "the transcription has no segments, which subtitles need"
            raise ValueError(message)
        return _subtitles(found.segments, form)
    body: dict[str, Any] = {**found.extra, "text": found.text}
    if form == "verbose_json":
        segments = [{"id": place, **segment} for place, segment in enumerate(found.segments)]
        body |= {"task": "transcribe", "language": found.language, "duration": found.duration, "segments": segments}
        if found.words:
            body["words"] = [dict(word) for word in found.words]
    if found.usage is not None:
        body["usage"] = dict(found.usage)
    return body


def _subtitles(segments: Sequence[Mapping[str, Any]], form: str) -> str:
    comma = "," if form == "srt" else "."
    cues = []
    for number, segment in enumerate(segments, 1):
        start, end = (_clock(segment.get(name), comma) for name in ("start", "end"))
        cue = f"{start} --> {end}\n{str(segment.get('text', '')).strip()}\n"
        cues.append(f"{number}\n{cue}" if form == "srt" else cue)
    return "\n".join(cues) if form == "srt" else "\n".join(["WEBVTT\n", *cues])


def _clock(seconds: Any, comma: str) -> str:
    if not isinstance(seconds, int | float) or isinstance(seconds, bool) or seconds < 0:
        message = "a segment of the transcription has no time"
        raise ValueError(message)
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}{comma}{rest % 1000:03}"


def segments_of_words(words: Sequence[Mapping[str, Any]], *, longest_s: float = 6.0) -> list[dict[str, Any]]:
    """Return segments of words with times: a segment ends with a sentence, or after some seconds.

    Args:
        words: Words with ``word``, ``start`` and ``end``.
        longest_s: Seconds of a segment at most.
    """
    found: list[dict[str, Any]] = []
    is_open = False
    for word in words:
        text, start, end = str(word.get("word", "")).strip(), word.get("start"), word.get("end")
        if is_open and isinstance(end, int | float) and end - found[-1]["start"] <= longest_s:
            found[-1] |= {"end": end, "text": f"{found[-1]['text']} {text}"}
        else:
            found.append({"start": start, "end": end, "text": text})
        is_open = not text.endswith((".", "!", "?", "。", "！", "？"))
    return found
