"""A speech-to-text model in the current process."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from functools import partial
from typing import Any, ClassVar

from attrs import evolve

from modelmesh.contracts import Call, ModelInfo
from modelmesh_cdk import InProcessProvider, InProcessTask
from modelmesh_connector_local_transcription.answers import GrowingTranscript
from modelmesh_connector_local_transcription.config import ID, MODEL_ID, LocalTranscriptionConfig
from modelmesh_connector_local_transcription.model import TranscriptionModel
from modelmesh_connector_local_transcription.request import TRANSLATIONS, TranscriptionRequest, check_language, read_request


class LocalTranscriptionProvider(InProcessProvider):
    """A small speech-to-text model. It needs no network and no key, and costs nothing."""

    id: ClassVar[str] = ID
    label: ClassVar[str] = "local transcription model"
    operations: ClassVar[tuple[str, ...]] = ("audio.transcriptions", TRANSLATIONS)
    config_class = LocalTranscriptionConfig
    config: LocalTranscriptionConfig

    def check_installed(self) -> None:
        """Check that the library and the weights are installed.

        Raises:
            ConfigurationError: One of them is missing.
        """
        self.config.weights()

    def loader(self) -> Callable[[], TranscriptionModel]:
        """Return a function that loads the model."""
        return partial(TranscriptionModel, self.config, self.config.weights())

    @property
    def name(self) -> str:
        """The model's name in the mesh."""
        path = self.config.model_path
        return self.config.model_id or (path.name if path else MODEL_ID)

    def models(self) -> Sequence[ModelInfo]:
        """Return the only model."""
        (info,) = super().models()
        path = self.config.model_path
        if path is None:
            return (info,)
        own = {"source": f"the folder {path.name}, given as model_path", "as_of": info.extra["as_of"]}
        return (evolve(info, extra=own),)

    def describe(self) -> dict[str, str]:
        """Return facts for ``modelmesh local status``."""
        return {**super().describe(), "weights": str(self.config.weights())}

    def prepare(self, call: Call) -> InProcessTask:
        """Read a request."""
        adapted: list[str] = []
        request = read_request(call, adapted)
        if self.config.english_only:
            check_language(request)
        return InProcessTask.iterate(partial(_events if call.stream else _whole, request), adapted)


def _events(request: TranscriptionRequest, model: TranscriptionModel) -> Generator[dict[str, Any] | None]:
    transcript = GrowingTranscript()
    begun = False
    for text in model.transcribe(request, transcript):
        if text is None:
            yield None
            continue
        yield {"type": "transcript.text.delta", "delta": text if begun else text.lstrip()}
        begun = True
    yield {"type": "transcript.text.done", "text": transcript.text, "usage": transcript.usage}


def _whole(request: TranscriptionRequest, model: TranscriptionModel) -> Generator[Any]:
    transcript = GrowingTranscript()
    for _ in model.transcribe(request, transcript):
        yield None
    yield transcript.answer(request)
