"""A text-to-speech model in the current process."""

from __future__ import annotations

import base64
import importlib.util
from collections.abc import Callable, Generator
from functools import partial
from typing import Any, ClassVar

from modelmesh.contracts import Call
from modelmesh.errors import ConfigurationError
from modelmesh_cdk import InProcessProvider, InProcessTask, unsupported_parameter
from modelmesh_connector_local_speech.audio import FORMATS, complete_wav, make_encoder
from modelmesh_connector_local_speech.config import ID, LocalSpeechConfig
from modelmesh_connector_local_speech.model import SAMPLES_PER_FRAME, SpeechModel
from modelmesh_connector_local_speech.request import SpeechRequest, read_request
from modelmesh_connector_local_speech.voices import available_voices, is_available, is_known

PACKAGES = {"hibari": "hibari-tts", "av": "av"}


class LocalSpeechProvider(InProcessProvider):
    """A small English speech model. It needs no network and no key, and costs nothing."""

    id: ClassVar[str] = ID
    label: ClassVar[str] = "local speech model"
    operations: ClassVar[tuple[str, ...]] = ("audio.speech",)
    config_class = LocalSpeechConfig
    config: LocalSpeechConfig

    def check_installed(self) -> None:
        """Check that the library, which contains the weights, is installed, and that it has the configured voice.

        Raises:
            ConfigurationError: One of them is missing.
        """
        for module, package in PACKAGES.items():
            if importlib.util.find_spec(module) is None:
                message = (
                    f"the local speech model needs the package {package}, which is not installed. "
                    f"Install it: pip install {package}"
                )
                raise ConfigurationError(message)
        voice = self.config.voice
        if not is_available(voice):
            how = f'. Download it: hibari "Hello." --voice {voice} -o hello.wav' if is_known(voice) else ""
            message = (
                f"the provider {ID} got voice={voice!r}, which is not on this machine. "
                f"Voices on this machine: {', '.join(available_voices())}{how}"
            )
            raise ConfigurationError(message)

    def loader(self) -> Callable[[], SpeechModel]:
        """Return a function that loads the model."""
        return partial(SpeechModel, self.config.threads, self.config.voice)

    def describe(self) -> dict[str, str]:
        """Return facts for ``modelmesh local status``."""
        return {**super().describe(), "voices": ", ".join(available_voices())}

    def prepare(self, call: Call) -> InProcessTask:
        """Read a request. A voice that is not on this machine is replaced."""
        adapted: list[str] = []
        request = read_request(call.payload, adapted)
        given, own = call.payload.get("voice"), self.config.voice
        if given is not None and not is_available(request.voice):
            adapted.append(f"voice={given!r} became {own!r}: the local speech model has no such voice on this machine")
        run = partial(_events if request.as_events else _pieces, request) if call.stream else partial(_whole, request)
        return InProcessTask.iterate(run, adapted, {"content-type": FORMATS[request.format].media_type})


def _speak(request: SpeechRequest, model: SpeechModel) -> Generator[tuple[bytes, int, int]]:
    """Yield bytes, phonemes and frames of each part of the text.

    Raises:
        ProviderError: Nothing of the text can be spoken.
    """
    encoder = make_encoder(request.format)
    spoken = False
    for samples, phonemes in model.speak(request.text, request.voice, request.speed):
        spoken = spoken or bool(len(samples))
        yield encoder.feed(samples), phonemes, len(samples) // SAMPLES_PER_FRAME
    if not spoken:
        raise unsupported_parameter("input", "contains nothing that the local speech model can speak: it speaks only English")
    yield encoder.end(), 0, 0


def _pieces(request: SpeechRequest, model: SpeechModel) -> Generator[bytes | None]:
    for audio, _, _ in _speak(request, model):
        yield audio or None


def _events(request: SpeechRequest, model: SpeechModel) -> Generator[dict[str, Any] | None]:
    """Yield OpenAI's events. The tokens of the model are phonemes, and frames of 12.5 ms."""
    read = written = 0
    for audio, phonemes, frames in _speak(request, model):
        read, written = read + phonemes, written + frames
        yield {"type": "speech.audio.delta", "audio": base64.b64encode(audio).decode()} if audio else None
    usage = {"input_tokens": read, "output_tokens": written, "total_tokens": read + written}
    yield {"type": "speech.audio.done", "usage": usage}


def _whole(request: SpeechRequest, model: SpeechModel) -> Generator[bytes | None]:
    audio = bytearray()
    for piece in _pieces(request, model):
        audio += piece or b""
        yield None
    yield complete_wav(bytes(audio)) if request.format == "wav" else bytes(audio)
