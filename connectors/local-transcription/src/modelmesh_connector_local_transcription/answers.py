"""Answers in OpenAI's formats."""

from __future__ import annotations

from typing import Any

from attrs import define, field

from modelmesh_cdk import Transcript, write_transcript
from modelmesh_connector_local_transcription.request import ENGLISH, TranscriptionRequest

_DECIMALS = 3
ENGLISH_NAME = "english"
"""Name of the language in OpenAI's verbose format, which has names in place of codes."""


@define
class GrowingTranscript:
    """A transcript that grows.

    Attributes:
        segments: Segments of the library, with times from the start of the recording.
        language: Code of the language.
        duration: Seconds of the recording so far.
        words: Words with their times, if requested.
    """

    segments: list[dict[str, Any]] = field(factory=list)
    language: str = ENGLISH
    duration: float = 0.0
    words: list[dict[str, Any]] = field(factory=list)

    def add(self, segment: Any, offset: float) -> str:
        """Add a segment of the library and return its text.

        Args:
            segment: The segment.
            offset: Start of its part in the recording, in seconds.
        """
        self.segments.append(
            {
                "id": len(self.segments),
                "seek": segment.seek + round(offset * 100),
                "start": _seconds(segment.start + offset),
                "end": _seconds(segment.end + offset),
                "text": segment.text,
                "tokens": list(segment.tokens),
                "temperature": float(segment.temperature),
                "avg_logprob": float(segment.avg_logprob),
                "compression_ratio": float(segment.compression_ratio),
                "no_speech_prob": float(segment.no_speech_prob),
            }
        )
        self.words += [
            {"word": one.word.strip(), "start": _seconds(one.start + offset), "end": _seconds(one.end + offset)}
            for one in segment.words or ()
        ]
        return str(segment.text)

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(segment["text"] for segment in self.segments).strip()

    @property
    def usage(self) -> dict[str, Any]:
        """OpenAI's usage of a transcription that is charged by its duration."""
        return {"type": "duration", "seconds": _seconds(self.duration)}

    def answer(self, request: TranscriptionRequest) -> dict[str, Any] | str:
        """Return the answer in the requested format."""
        language = ENGLISH_NAME if self.language == ENGLISH else self.language
        found = Transcript(self.text, language, _seconds(self.duration), self.segments, self.words, self.usage)
        body = write_transcript(found, request.format)
        if isinstance(body, dict) and request.format == "verbose_json":
            body["task"] = "translate" if request.translates else "transcribe"
            if not request.segments:
                del body["segments"]
        return body


def _seconds(time: float) -> float:
    """Return a time as a plain float. The library returns numbers of numpy."""
    return round(float(time), _DECIMALS)
