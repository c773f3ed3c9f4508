"""Conformance tests of providers with a transcription model in the process."""

from __future__ import annotations

import io
import wave
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import pytest

from modelmesh.contracts.files import FileUpload
from modelmesh.contracts.operations import TRANSCRIPTIONS
from modelmesh_cdk.testing.in_process.failures import Failures
from modelmesh_cdk.testing.in_process.life_cycle import LifeCycle
from modelmesh_cdk.testing.in_process.requests import Requests
from modelmesh_cdk.testing.in_process.streams import Streams
from modelmesh_cdk.testing.in_process.subject import Play
from modelmesh_cdk.testing.scripted_model import ScriptedModel


def recording(seconds: float) -> FileUpload:
    """Return a WAV file of silence."""
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setparams((1, 2, 8_000, 0, "NONE", ""))
        file.writeframes(bytes(2 * int(8_000 * seconds)))
    content = written.getvalue()
    return FileUpload("Grüße 1.wav", len(content), "audio/wav", open=lambda: io.BytesIO(content))


class InProcessTranscriptionConformance(Requests, Failures, Streams, LifeCycle):
    """Derive a test class, set ``provider_class``, and override ``make`` to build a provider with a scripted engine.

    The engine's text depends on the file. It has at least two parts, the first of which precedes the script.

    Example:
        ::

            class TestOwnEar(InProcessTranscriptionConformance):
                provider_class = OwnEarProvider

                def make(self, script: ScriptedModel) -> OwnEarProvider:
                    return OwnEarProvider(engine=Hears(script))

    :class:`~modelmesh_cdk.testing.in_process.subject.InProcessSubject` documents the class variables.
    """

    operation_name = TRANSCRIPTIONS.name
    request: ClassVar[Mapping[str, Any]] = {"file": recording(0.5)}
    other_requests = ({"file": recording(0.75)}, {"file": recording(1.0)})
    invalid_requests: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "path in place of a file": {"file": "speech.mp3"},
        "bytes in place of a file": {"file": b"RIFF"},
        "temperature in words": {"temperature": "hot"},
    }
    price_names = ("per_audio_minute", "audio_input_per_1k_tokens", "input_per_1k_tokens", "per_request")

    def whole_of(self, body: Any) -> Any:
        """Return the text."""
        return body["text"]

    def joined(self, items: Sequence[Any]) -> Any:
        """Return the text of events, whose last one repeats it."""
        text = "".join(item.get("delta", "") for item in items)
        assert items[-1]["text"] == text
        return text

    @pytest.mark.parametrize("form", ["text", "srt", "vtt", "verbose_json"])
    def test_transcription_has_the_requested_format(self, form: str, play: Play) -> None:
        """Text and subtitles are text, verbose JSON is an object. Each contains what the engine recognized."""
        ask = play(ScriptedModel())
        text = self.send(ask).body["text"]
        body = self.send(ask, response_format=form).body
        if form == "verbose_json":
            assert (body["text"], type(body["duration"])) == (text, float)
        else:
            assert isinstance(body, str), f"the answer in the format {form} is text"
            assert [word for word in text.split() if word not in body] == []

    def test_transcription_has_usage(self, play: Play) -> None:
        """The answer and the final event have the same duration or tokens, which are not zero."""
        ask = play(ScriptedModel())
        usage = self.send(ask).body["usage"]
        assert usage["seconds"] if usage["type"] == "duration" else usage["total_tokens"]
        items, _ = self.items(ask)
        assert items[-1]["usage"] == usage
