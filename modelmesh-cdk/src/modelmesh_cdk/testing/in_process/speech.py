"""Conformance tests of providers with a speech model in the process."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from modelmesh.contracts.operations import SPEECH
from modelmesh_cdk.testing.in_process.failures import Failures
from modelmesh_cdk.testing.in_process.life_cycle import LifeCycle
from modelmesh_cdk.testing.in_process.requests import Requests
from modelmesh_cdk.testing.in_process.streams import Streams
from modelmesh_cdk.testing.in_process.subject import Play
from modelmesh_cdk.testing.scripted_model import ScriptedModel

TEXT = "Hello there. How are you?"
FORM = {"voice": "alloy", "response_format": "pcm"}


class InProcessSpeechConformance(Requests, Failures, Streams, LifeCycle):
    """Derive a test class, set ``provider_class``, and override ``make`` to build a provider with a scripted engine.

    The engine's audio depends on the text. Its stream has at least two pieces, the first of which precedes the script.

    Example:
        ::

            class TestOwnVoice(InProcessSpeechConformance):
                provider_class = OwnVoiceProvider

                def make(self, script: ScriptedModel) -> OwnVoiceProvider:
                    return OwnVoiceProvider(engine=Speaks(script))

    :class:`~modelmesh_cdk.testing.in_process.subject.InProcessSubject` documents the class variables.
    """

    operation_name = SPEECH.name
    request: ClassVar[Mapping[str, Any]] = {"input": TEXT, **FORM}
    other_requests = ({"input": "Good morning.", **FORM}, {"input": "Good morning to all of you.", **FORM})
    invalid_requests: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "number": {"input": 5},
        "empty text": {"input": ""},
        "speed in words": {"speed": "fast"},
    }
    price_names = ("per_1k_characters", "audio_output_per_1k_tokens", "output_per_1k_tokens", "per_request")
    event_parameters: ClassVar[Mapping[str, Any]] = {"stream_format": "sse"}

    def whole_of(self, body: Any) -> Any:
        """Return the audio."""
        return body

    def joined(self, items: Sequence[Any]) -> Any:
        """Return the audio of pieces."""
        return b"".join(items)

    def test_speech_has_its_media_type(self, play: Play) -> None:
        """The answer and the stream have a media type of audio."""
        ask = play(ScriptedModel())
        assert str(self.send(ask).headers.get("content-type")).startswith("audio/")

    def test_speech_events_have_the_audio(self, play: Play) -> None:
        """The events of a stream form the same audio as the complete answer, in base64."""
        ask = play(ScriptedModel())
        items, error = self.items(ask, **self.event_parameters)
        assert error is None
        assert b"".join(base64.b64decode(item["audio"]) for item in items[:-1]) == self.send(ask).body

    def test_speech_events_have_usage(self, play: Play) -> None:
        """The final event has the tokens of the text and of the audio, or no usage. Unknown counts are not zero."""
        items, _ = self.items(play(ScriptedModel()), **self.event_parameters)
        usage = items[-1].get("usage")
        assert usage is None or usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"] > 0
