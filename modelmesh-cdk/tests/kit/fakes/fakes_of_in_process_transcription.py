"""Faulty in-process providers of transcriptions, each with one fault, and the standard test that detects it."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # a file that is loaded by its path finds its neighbours

from in_process_fakes.faults import FAULTS, STREAM_FAULTS, mixed_into, suites_of
from in_process_fakes.honest import HonestTranscription

from modelmesh_cdk.testing import InProcessTranscriptionConformance


class Honest(HonestTranscription):
    """Correct provider."""


class HasOneFormat(Honest):
    def body(self, text, usage, form):
        return super().body(text, usage, None)


class HasNoTextInSubtitles(Honest):
    def body(self, text, usage, form):
        return "WEBVTT\n" if form == "vtt" else super().body(text, usage, form)


class CountsNothing(Honest):
    def body(self, text, usage, form):
        return super().body(text, {**usage, "seconds": 0}, form)


class StreamsWithoutUsage(Honest):
    def final(self, event):
        yield {**event, "usage": None}


FAKES: list[tuple[type, str]] = [
    *mixed_into(Honest, [*FAULTS, *STREAM_FAULTS]),
    (HasOneFormat, "test_transcription_has_the_requested_format"),
    (HasNoTextInSubtitles, "test_transcription_has_the_requested_format"),
    (CountsNothing, "test_transcription_has_usage"),
    (StreamsWithoutUsage, "test_transcription_has_usage"),
]
KIT = InProcessTranscriptionConformance
globals().update(suites_of(KIT, Honest, FAKES))
