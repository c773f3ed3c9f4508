"""The speech library: its voices, division of texts, and synthesis in short steps.

Facts about hibari-tts are those of version 0.2.1, tested on 2026-11-30. The library downloads a missing voice on its first use.
The connector prevents that: only the voices on this machine can speak.
"""

from __future__ import annotations

import contextlib
import importlib
import re
from collections.abc import Iterator
from typing import Any

from modelmesh.contracts import FailureClass
from modelmesh.errors import ProviderInitError
from modelmesh_cdk import import_onnxruntime

STEP_LETTERS = 300
"""Longest part of a text that is spoken at once. A step cannot be stopped."""
SAMPLES_PER_FRAME = 300
SEED = 0
"""Seed of the noise in a voice, so that the same text is always the same audio."""
_CLAUSE_END = re.compile(r"[,;:—–]\s+")


class SpeechModel:
    """Loaded voices. The first use of a voice loads it."""

    def __init__(self, threads: int, default: str) -> None:
        """Import the library and load one voice, which takes about half a second.

        Args:
            threads: Threads of the computation.
            default: Voice that replaces voices which are not on this machine.

        Raises:
            ProviderInitError: The library cannot be imported, or the default voice is not on this machine.
        """
        self._threads, self._default = threads, default
        self._voices: dict[str, Any] = {}
        try:
            import_onnxruntime()
            self._library = importlib.import_module("hibari.tts")
            self._registry = importlib.import_module("hibari.voices")
            self._numpy = importlib.import_module("numpy")
            self._voice(default)
        except Exception as error:  # noqa: BLE001 - a native library may raise anything
            message = (
                f"the local speech model could not be loaded: {type(error).__name__}: {error}. "
                "Install it again: pip install --force-reinstall hibari-tts"
            )
            raise ProviderInitError(message, failure=FailureClass.CONNECTOR_BUG) from None

    def _voice(self, name: str) -> Any:
        if name not in self._voices:
            path = self._registry.voice_path(name, download_missing=False)
            self._voices[name] = self._library.Hibari(voice=name, model=path, threads=self._threads)
        return self._voices[name]

    def speak(self, text: str, voice: str, speed: float) -> Iterator[tuple[Any, int]]:
        """Yield samples and the number of phonemes they were made of, for each part of a text.

        The samples are an array of 32-bit floats at 24 kHz.
        """
        speaker = self._voice(self._default)
        with contextlib.suppress(ValueError, FileNotFoundError):
            speaker = self._voice(voice or self._default)
        noise = self._numpy.random.default_rng(SEED)
        for sentence in speaker.split_sentences(text):
            for part in split_at_clauses(sentence):
                for phonemes in speaker.phonemize(part):
                    numbers = speaker.ids(phonemes)
                    yield speaker.from_ids(numbers, speed, noise), len(numbers)


def split_at_clauses(sentence: str) -> Iterator[str]:
    """Yield parts of at most :data:`STEP_LETTERS`, divided after a clause, else at a space."""
    while len(sentence) > STEP_LETTERS:
        window = sentence[:STEP_LETTERS]
        cut = max((end.end() for end in _CLAUSE_END.finditer(window)), default=0) or window.rfind(" ") + 1 or STEP_LETTERS
        yield sentence[:cut].strip()
        sentence = sentence[cut:]
    if sentence.strip():
        yield sentence.strip()
