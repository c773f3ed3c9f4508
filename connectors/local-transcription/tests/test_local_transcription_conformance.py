"""Conformance tests of LocalTranscriptionProvider, with a fake of the transcription library and once with the model."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

from modelmesh_connector_local_transcription import LocalTranscriptionProvider
from modelmesh_connector_local_transcription.answers import GrowingTranscript
from modelmesh_connector_local_transcription.request import TranscriptionRequest

from modelmesh_cdk.testing import InProcessTranscriptionConformance, ScriptedModel

NUMBERS = {"seek": 0, "tokens": [1], "temperature": 0.0, "avg_logprob": -0.1, "compression_ratio": 1.0, "no_speech_prob": 0.0}


class Model:
    """Fake of the loaded model, whose text states the size of the file."""

    def __init__(self, script: ScriptedModel) -> None:
        self._script = script.load()

    def transcribe(self, request: TranscriptionRequest, transcript: GrowingTranscript) -> Iterator[str | None]:
        transcript.duration = 2.0
        yield transcript.add(SimpleNamespace(start=0.0, end=1.0, text=" Heard", words=None, **NUMBERS), 0.0)
        yield from self._script.run()
        size = f" {request.file.size} bytes."
        yield transcript.add(SimpleNamespace(start=1.0, end=2.0, text=size, words=None, **NUMBERS), 0.0)


class TestLocalTranscription(InProcessTranscriptionConformance):
    provider_class = LocalTranscriptionProvider
    settings = {"beam_size": 1}

    def make(self, script: ScriptedModel) -> LocalTranscriptionProvider:
        made = LocalTranscriptionProvider()
        made._load = lambda: Model(script)
        return made
