"""Reading of a request for speech."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

from attrs import frozen

from modelmesh_cdk import invalid_parameter, unsupported_parameter
from modelmesh_connector_local_speech.audio import FORMATS

SPEEDS = (0.5, 2.0)
"""Speeds that the model supports."""
SPEEDS_OF_OPENAI = (0.25, 4.0)
DEFAULT_FORMAT = "mp3"
KNOWN = frozenset({"input", "voice", "response_format", "speed", "stream_format"})


@frozen
class SpeechRequest:
    """A valid request.

    Attributes:
        text: The text to speak.
        voice: The requested voice. Empty where the request states none by name.
        format: Format of the audio, a key of :data:`~.audio.FORMATS`.
        speed: Factor of the speed.
        as_events: Whether a stream consists of events. Otherwise it consists of pieces of the audio.
    """

    text: str
    voice: str
    format: str
    speed: float
    as_events: bool


def read_request(payload: Mapping[str, Any], adapted: list[str]) -> SpeechRequest:
    """Read a request.

    Args:
        payload: The body in OpenAI's format.
        adapted: Receives a line for each change.

    Raises:
        ProviderError: The request is invalid, or the model cannot serve a part of it.
    """
    kind = payload.get("response_format") or DEFAULT_FORMAT
    if kind not in FORMATS:
        why = f"is not a format of the local speech model, which has {', '.join(FORMATS)}"
        where = f"response_format={kind!r}"
        raise unsupported_parameter(where, why)
    voice = payload.get("voice")
    adapted += [
        f"{name} dropped: the local speech model has no such parameter"
        for name, value in payload.items()
        if name not in KNOWN and value is not None
    ]
    return SpeechRequest(
        _text(payload.get("input"), adapted),
        voice if isinstance(voice, str) else "",
        kind,
        _speed(payload.get("speed"), adapted),
        payload.get("stream_format") == "sse",
    )


def _text(given: Any, adapted: list[str]) -> str:
    if not isinstance(given, str):
        raise invalid_parameter("input", f"is of type {type(given).__name__}", "a text")
    if not given.strip():
        raise invalid_parameter("input", "is empty", "a text with at least one word")
    letters = {letter for letter in given if letter.isalpha() and not letter.isascii()}
    foreign = {letter for letter in letters if not unicodedata.name(letter, "").startswith(("LATIN", "FEMININE", "MASCULINE"))}
    if foreign:
        unspoken = sum(letter in foreign for letter in given)
        if 2 * unspoken > sum(letter.isalpha() for letter in given):
            raise unsupported_parameter(
                "input", "is in another script than Latin, and the local speech model speaks only English"
            )
        adapted.append(f"{unspoken} letters of input may be missing: the local speech model reads only the Latin script")
    return given


def _speed(given: Any, adapted: list[str]) -> float:
    low, high = SPEEDS_OF_OPENAI
    if given is None:
        return 1.0
    if isinstance(given, bool) or not isinstance(given, int | float) or not low <= given <= high:
        where = f"speed={given!r}"
        raise invalid_parameter(where, "is out of range", f"a number from {low} to {high}")
    speed = min(max(float(given), SPEEDS[0]), SPEEDS[1])
    if speed != given:
        adapted.append(f"speed={given} became {speed:g}, the limit of the local speech model")
    return speed
