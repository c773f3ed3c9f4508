"""Reading of a request for a transcription or a translation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen

from modelmesh.contracts import Call, FileUpload
from modelmesh.errors import ProviderError
from modelmesh_cdk import invalid_parameter, unsupported_parameter

TRANSLATIONS = "audio.translations"
FORMATS = ("json", "text", "srt", "verbose_json", "vtt")
GRANULARITIES = ("segment", "word")
ENGLISH = "en"
ENGLISH_NAMES = ("en", "eng", "english")
KNOWN = frozenset(
    {"file", "response_format", "language", "prompt", "temperature", "timestamp_granularities", "timestamp_granularities[]"}
)
LIBRARY_OPTIONS = frozenset(
    {"beam_size", "best_of", "patience", "length_penalty", "repetition_penalty", "no_repeat_ngram_size", "vad_filter",
     "compression_ratio_threshold", "log_prob_threshold", "no_speech_threshold", "condition_on_previous_text",
     "hallucination_silence_threshold", "hotwords", "vad_parameters"}
)  # fmt: skip
"""Parameters of the library that a request may have (faster-whisper 1.2.1, ``WhisperModel.transcribe``)."""


@frozen
class TranscriptionRequest:
    """A valid request.

    Attributes:
        file: The audio.
        translates: Whether the text is translated to English.
        format: Format of the answer, one of :data:`FORMATS`.
        language: Code of the language. Empty where the model detects it.
        prompt: Text that precedes the audio.
        temperature: Temperature, ``None`` for a rising one where the model is uncertain.
        segments: Whether the answer lists segments.
        words: Whether the answer lists words.
        options: Parameters of the library.
    """

    file: FileUpload
    translates: bool
    format: str
    language: str
    prompt: str
    temperature: float | None
    segments: bool
    words: bool
    options: Mapping[str, Any]


def read_request(call: Call, adapted: list[str]) -> TranscriptionRequest:
    """Read a request.

    Args:
        call: The request.
        adapted: Receives a line for each change.

    Raises:
        ProviderError: The request is invalid, or the model cannot serve a part of it.
    """
    payload = call.payload
    file = payload.get("file")
    if not isinstance(file, FileUpload):
        raise invalid_parameter("file", f"is of type {type(file).__name__}", "a file, e.g. open('speech.mp3', 'rb')")
    kind = payload.get("response_format") or "json"
    if kind not in FORMATS:
        where = f"response_format={kind!r}"
        raise unsupported_parameter(where, f"is not one of the local transcription model: {', '.join(FORMATS)}")
    if call.stream and kind not in ("json", "text"):
        where = f"response_format={kind!r}"
        raise unsupported_parameter(where, "has no events: a stream of the local transcription model has text only")
    granularities = _granularities(payload)
    if "word" in granularities and kind != "verbose_json":
        raise invalid_parameter("timestamp_granularities", f"needs response_format='verbose_json', not {kind!r}", "that format")
    adapted += [
        f"{name} dropped: the local transcription model has no such parameter"
        for name, value in payload.items()
        if name not in KNOWN and name not in LIBRARY_OPTIONS and value is not None
    ]
    return TranscriptionRequest(
        file,
        call.operation.name == TRANSLATIONS,
        kind,
        _language(payload.get("language")),
        str(payload.get("prompt") or ""),
        _temperature(payload.get("temperature")),
        "segment" in granularities,
        "word" in granularities,
        {name: value for name, value in payload.items() if name in LIBRARY_OPTIONS and value is not None},
    )


def check_language(request: TranscriptionRequest) -> None:
    """Check that a model for English only can serve a request.

    Raises:
        ProviderError: It cannot.
    """
    if request.translates:
        raise english_only("the translation of other languages")
    if request.language not in ("", ENGLISH):
        where = f"language={request.language!r}"
        raise english_only(where)


def english_only(what: str) -> ProviderError:
    """Return the error of a request that a model for English only cannot serve."""
    why = "is not possible: the weights of the local transcription model are English only. A multilingual model needs model_path"
    return unsupported_parameter(what, why)


def _granularities(payload: Mapping[str, Any]) -> Sequence[str]:
    given = payload.get("timestamp_granularities") or payload.get("timestamp_granularities[]") or ("segment",)
    values = (given,) if isinstance(given, str) else tuple(given)
    for value in values:
        if value not in GRANULARITIES:
            where = f"timestamp_granularities={value!r}"
            raise invalid_parameter(where, "is unknown", "'segment', 'word' or both")
    return values


def _language(given: Any) -> str:
    if given is None or given == "":
        return ""
    if not isinstance(given, str):
        raise invalid_parameter("language", f"is of type {type(given).__name__}", "a code such as 'en'")
    code = given.lower()
    return ENGLISH if code in ENGLISH_NAMES or code.startswith(("en-", "en_")) else code


def _temperature(given: Any) -> float | None:
    if given is None or given == "":
        return None
    try:
        temperature = float(given)
    except (TypeError, ValueError):
        temperature = -1.0
    if isinstance(given, bool) or not 0 <= temperature <= 1:
        where = f"temperature={given!r}"
        raise invalid_parameter(where, "is out of range", "a number from 0 to 1")
    return temperature or None
