"""Types of OpenAI's audio objects, as of the openai package 3.52.0 (read 2026-11-30)."""

from __future__ import annotations

from typing import Any

from modelmesh.client.attribute_dict import AttributeDict
from modelmesh.client.replies import Reply


class TranscriptionWord(AttributeDict):
    """One word of a transcription with its time in seconds."""

    __slots__ = ()

    word: str
    start: float
    end: float


class TranscriptionSegment(AttributeDict):
    """One segment of a transcription with its time in seconds."""

    __slots__ = ()

    id: int | str
    seek: int | None
    start: float
    end: float
    text: str
    speaker: str | None
    tokens: list[int] | None
    temperature: float | None
    avg_logprob: float | None
    compression_ratio: float | None
    no_speech_prob: float | None
    type: str | None


class AudioUsage(AttributeDict):
    """Tokens or seconds, as the vendor reported them."""

    __slots__ = ()

    type: str | None
    seconds: float | None
    input_tokens: int | None
    input_token_details: Any
    output_tokens: int | None
    total_tokens: int | None


class Transcription(Reply, nested={"segments": TranscriptionSegment, "words": TranscriptionWord, "usage": AudioUsage}):
    """The text of an audio file. Which other fields are set depends on ``response_format`` and on the vendor."""

    __slots__ = ()

    text: str
    language: str | None
    languages: list[Any] | None
    duration: float | None
    segments: list[TranscriptionSegment] | None
    words: list[TranscriptionWord] | None
    task: str | None
    logprobs: list[Any] | None
    usage: AudioUsage | None


class Translation(Transcription):
    """The English text of an audio file."""

    __slots__ = ()


class TranscriptionEvent(AttributeDict, nested={"usage": AudioUsage}):
    """One event of a streamed transcription: ``transcript.text.delta``, ``.segment`` or ``.done``."""

    __slots__ = ()

    type: str
    delta: str | None
    text: str | None
    segment_id: str | None
    id: str | None
    start: float | None
    end: float | None
    speaker: str | None
    languages: list[Any] | None
    logprobs: list[Any] | None
    usage: AudioUsage | None


class SpeechEvent(AttributeDict, nested={"usage": AudioUsage}):
    """One event of streamed speech: ``speech.audio.delta`` with base64 ``audio``, or ``speech.audio.done``."""

    __slots__ = ()

    type: str
    audio: str | None
    usage: AudioUsage | None


TranscriptionResponse = Transcription
"""Alias of :class:`Transcription`."""
