"""Faulty in-process providers of speech, each with one fault, and the standard test that detects it."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # a file that is loaded by its path finds its neighbours

from in_process_fakes.faults import FAULTS, STREAM_FAULTS, mixed_into, suites_of
from in_process_fakes.honest import HonestSpeech

from modelmesh_cdk.testing import InProcessSpeechConformance


class Honest(HonestSpeech):
    """Correct provider."""


class HasNoMediaType(Honest):
    headers = {}


class StreamsOtherAudio(Honest):
    def pieces(self, text, script):
        yield from super().pieces(text, script)
        if self.streams:
            yield b"more"

    def items(self, payload, script, *, stream):
        self.streams = "stream_format" in payload
        yield from super().items(payload, script, stream=stream)


class CountsNothing(Honest):
    def final(self, letters):
        yield {"type": "speech.audio.done", "usage": {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}}


FAKES: list[tuple[type, str]] = [
    *mixed_into(Honest, [*FAULTS, *STREAM_FAULTS]),
    (HasNoMediaType, "test_speech_has_its_media_type"),
    (StreamsOtherAudio, "test_speech_events_have_the_audio"),
    (CountsNothing, "test_speech_events_have_usage"),
]
KIT = InProcessSpeechConformance
globals().update(suites_of(KIT, Honest, FAKES))
