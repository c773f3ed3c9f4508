"""Conformance tests of LocalSpeechProvider, with a fake of the speech library and once with the model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from modelmesh_connector_local_speech import LocalSpeechProvider
from modelmesh_connector_local_speech.model import SAMPLES_PER_FRAME

from modelmesh_cdk.testing import InProcessSpeechConformance, ScriptedModel


class Model:
    """Fake of the loaded model, which speaks a frame for each word, as loud as the word is long."""

    def __init__(self, script: ScriptedModel) -> None:
        self._script = script.load()

    def speak(self, text: str, voice: str, speed: float) -> Iterator[tuple[Any, int]]:
        for place, word in enumerate(text.split()):
            yield np.full(SAMPLES_PER_FRAME, len(word) / 100, np.float32), len(word)
            if place == 0:
                for _ in self._script.run():
                    yield np.zeros(0, np.float32), 0


class TestLocalSpeech(InProcessSpeechConformance):
    provider_class = LocalSpeechProvider

    def make(self, script: ScriptedModel) -> LocalSpeechProvider:
        made = LocalSpeechProvider()
        made._load = lambda: Model(script)
        return made
